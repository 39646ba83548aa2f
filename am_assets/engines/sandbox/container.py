"""The Docker backend: warm containers, one per CPU, through the docker SDK.

No network, a read-only root, no new privileges, the engine's seccomp profile, and limits on memory, CPU and processes
for the whole container. The supervisor inside has only the capabilities to change its user, to drop capabilities and to
signal processes of others; jobs have none (`guest/isolation.py`). Jobs are sent over standard input, so that a remote
engine works like a local one.

Every container has the label LABEL, with the process that made it, and ends with its connection or with the pool. Those
left by a killed host are found by `docker ps -a --filter label=am-assets.sandbox`.
"""

import itertools
import os
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import headers, packages
from am_assets.engines.sandbox.pool import Sandbox, Transport
from am_assets.engines.sandbox.protocol import (
    ENVIRONMENT,
    OPEN_FILES,
    PYTHON_OPTIONS,
    SCRATCH,
    SCRATCH_MB,
    START_SECONDS,
    SandboxUnavailable,
    guest_source,
    logger,
)

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

IMAGE = "am-sandbox:bookworm"  # followed by the digest of the packages in it
LABEL = "am-assets.sandbox"
SUPERVISORS_CAPABILITIES = ["SETUID", "SETGID", "SETPCAP", "KILL"]
OWN_MEMORY_MB = 64  # for the supervisor and the judge
RUNTIME_MB = 256  # for the runtime of a program that is not Python, beside its own memory
OWN_PROCESSES = 64
COMMANDS = ["/usr/local/bin", "/opt/java/openjdk/bin"]  # folders of compilers and runtimes, beside /usr/bin
FIRST_USER, USERS_OF_ONE = 200_000, 1000


class Docker(Sandbox):
    """Warm containers of an image."""

    name = "docker"

    def __init__(self, limits: Code, client: "DockerClient") -> None:
        super().__init__(limits)
        self.client = client
        # Each container has its own user ids: limits on processes count per user id, not per container.
        self.ranges = itertools.count(FIRST_USER, USERS_OF_ONE)

    def start(self) -> "ContainerTransport":
        from docker.errors import DockerException
        from requests import RequestException

        container = None
        try:
            container = self.client.containers.create(
                image_with(self.limits.packages), **self._options(next(self.ranges))
            )
            return ContainerTransport(container)
        except (DockerException, RequestException, OSError) as error:
            if container is not None:
                remove(container)
            raise SandboxUnavailable(f"{type(error).__name__}: {error}") from error

    def _options(self, first_user: int) -> dict[str, Any]:
        from docker.types import LogConfig, Ulimit

        # One job at a time beside the supervisor; each cell has limits of its own, these are for all of them together.
        memory = f"{max(self.limits.memory_mb + RUNTIME_MB, self.limits.compile_mb) + OWN_MEMORY_MB}m"
        settings = self.settings(first_user, packages=packages.IN_IMAGE, headers=headers.IN_IMAGE, commands=COMMANDS)
        return {
            "command": ["/usr/bin/python3", *PYTHON_OPTIONS, "-c", guest_source(), settings],
            "environment": ENVIRONMENT,
            "labels": {LABEL: str(os.getpid())},
            "stdin_open": True,
            "user": "0:0",
            "working_dir": "/",
            "network_mode": "none",
            "ipc_mode": "private",
            "read_only": True,
            "tmpfs": dict.fromkeys(["/tmp", "/dev/shm"], f"rw,exec,nosuid,nodev,{SCRATCH},mode=1777"),
            "cap_drop": ["ALL"],
            "cap_add": SUPERVISORS_CAPABILITIES,
            "security_opt": ["no-new-privileges"],
            "mem_limit": memory,
            "memswap_limit": memory,
            "nano_cpus": 10**9,
            "pids_limit": 2 * self.limits.processes + OWN_PROCESSES,
            "ulimits": [
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="fsize", soft=SCRATCH_MB << 20, hard=SCRATCH_MB << 20),
                Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            ],
            "log_config": LogConfig(type="none"),  # no output of jobs on the engine's disk
        }

    def close(self) -> None:
        super().close()
        self.client.close()


class ContainerTransport(Transport):
    """The streams of a running container. The engine prefixes each frame by 8 bytes, the last 4 of them its length."""

    def __init__(self, container: "Container") -> None:
        self.container = container
        self.buffer = bytearray()
        self.stream = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        self.socket = getattr(self.stream, "_sock", self.stream)  # plain connections are wrapped, TLS and SSH are not
        container.start()

    def send(self, data: bytes) -> None:
        self.socket.settimeout(START_SECONDS)
        self.socket.sendall(data)

    def receive(self, seconds: float) -> bytes:
        self.socket.settimeout(seconds)
        while len(self.buffer) < 8 or len(self.buffer) < 8 + int.from_bytes(self.buffer[4:8], "big"):
            if not (data := self.socket.recv(65536)):
                return b""
            self.buffer.extend(data)
        end = 8 + int.from_bytes(self.buffer[4:8], "big")
        payload = bytes(self.buffer[8:end])
        del self.buffer[:end]
        return payload

    def close(self) -> None:
        with suppress(OSError):  # already closed by the engine
            self.socket.shutdown(SHUT_RDWR)
        self.socket.close()
        self.stream.close()
        remove(self.container)


def remove(container: "Container") -> None:
    """Remove a container by force; failures are logged."""
    from docker.errors import DockerException, NotFound
    from requests import RequestException

    try:
        container.remove(force=True, v=True)
    except NotFound:
        pass
    except (DockerException, RequestException) as error:
        logger.warning("could not remove sandbox container %s: %s", container.short_id, error)


def image_with(included: tuple[str, ...]) -> str:
    """The image with these packages: a change of them is another image."""
    return f"{IMAGE}-{packages.digest(included)}" if included else IMAGE


def open_docker(limits: Code) -> Docker:
    """The Docker backend; `SandboxUnavailable` where no engine answers or it lacks the image."""
    import docker
    from docker.errors import DockerException, ImageNotFound

    try:
        client = docker.from_env(timeout=START_SECONDS)
    except DockerException as error:
        raise SandboxUnavailable(f"no Docker engine answers ({error})") from error
    try:
        client.images.get(image := image_with(limits.packages))
    except ImageNotFound as error:
        client.close()
        build = "am_assets/engines/sandbox/build_image.sh, or by the Dockerfile beside it"
        logger.warning("a Docker engine answers, but it has no image %s: build it by %s", image, build)
        raise SandboxUnavailable(f"the Docker engine has no image {image}: build it by {build}") from error
    except DockerException as error:
        client.close()
        raise SandboxUnavailable(f"the Docker engine fails ({error})") from error
    return Docker(limits, client)
