"""The Docker backend: one fresh container a job, by the docker SDK. What goes over the wire is in `exchange.py`.

No network, read-only root, no capability, no new privileges, an unprivileged user, and cgroup limits on memory, CPU
and processes for the whole container. The job comes over standard input, so a remote engine works like a local one.

Every container carries the label LABEL and is removed when its job ends. If the host is killed meanwhile, find what it
left with `docker ps -a --filter label=am-assets.sandbox`.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from am_assets.engines.sandbox.exchange import Ending, Exchange
from am_assets.engines.sandbox.protocol import (
    ENVIRONMENT,
    HARNESS,
    OPEN_FILES,
    PYTHON_OPTIONS,
    SCRATCH_MB,
    START_SECONDS,
    Job,
    Outcome,
    Sandbox,
    SandboxUnavailable,
    logger,
)
from am_assets.instruments import Code

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

IMAGE = "am-sandbox:bookworm"
LABEL = "am-assets.sandbox"


class Docker(Sandbox):
    name = "docker"

    def __init__(self, limits: Code, client: "DockerClient") -> None:
        super().__init__(limits)
        self.client = client

    def run(self, program: str, test_code: str, entry_point: str | None = None) -> Outcome:
        from docker.errors import DockerException
        from requests import RequestException

        exchange = Exchange(
            self.limits, Job(program, test_code, entry_point), rlimits={}
        )  # the container's own limits do
        container = None
        try:
            container = self.client.containers.create(IMAGE, **self._options())
            stream = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            socket = getattr(stream, "_sock", stream)  # plain connections come wrapped, TLS and SSH ones bare
            with closing(stream), hung_up(socket):
                socket.settimeout(START_SECONDS)
                container.start()
                socket.sendall(exchange.request())
                exchange.listen(reader(socket))
            return exchange.outcome(lambda seconds: ending(container, seconds))
        except (DockerException, RequestException, OSError) as error:
            return Outcome("sandbox_error", f"{type(error).__name__}: {error}")
        finally:
            if container is not None:
                self._remove(container)

    def _options(self) -> dict[str, Any]:
        from docker.types import LogConfig, Ulimit

        memory = f"{self.limits.memory_mb}m"
        return {
            "command": ["/usr/bin/python3", *PYTHON_OPTIONS, "-c", HARNESS],
            "environment": ENVIRONMENT,
            "labels": [LABEL],
            "stdin_open": True,
            "user": "65534:65534",
            "working_dir": "/tmp",
            "network_mode": "none",
            "read_only": True,
            "tmpfs": {"/tmp": f"rw,nosuid,nodev,size={SCRATCH_MB}m,mode=1777"},
            "shm_size": f"{SCRATCH_MB}m",
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "mem_limit": memory,
            "memswap_limit": memory,
            "nano_cpus": 10**9,
            "pids_limit": self.limits.processes,
            "ulimits": [
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="fsize", soft=SCRATCH_MB << 20, hard=SCRATCH_MB << 20),
                Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            ],
            "log_config": LogConfig(type="none"),  # else the engine keeps all that a program prints on its disk
        }

    def _remove(self, container: "Container") -> None:
        from docker.errors import DockerException
        from requests import RequestException

        try:
            container.remove(force=True, v=True)
        except (DockerException, RequestException) as error:
            logger.warning("could not remove sandbox container %s: %s", container.short_id, error)

    def close(self) -> None:
        self.client.close()


@contextmanager
def hung_up(socket: Any) -> Iterator[None]:
    """Ends the connection for certain. The SDK keeps hold of it, and an engine that still has output of a flooding
    program to deliver to us would wait for that before it removes the container.
    """
    try:
        yield
    finally:
        with suppress(OSError):  # the engine was first
            socket.shutdown(SHUT_RDWR)
        socket.close()


def reader(socket: Any) -> Callable[[float], tuple[bool, bytes] | None]:
    """Takes the engine's framed stream apart: an 8-byte header (1 is stdout, 2 stderr; length), then the bytes."""
    buffer = bytearray()

    def read(seconds: float) -> tuple[bool, bytes] | None:
        socket.settimeout(max(seconds, 0.001))  # 0 would mean: do not block
        while len(buffer) < 8 or len(buffer) < 8 + int.from_bytes(buffer[4:8], "big"):
            if not (data := socket.recv(65536)):
                return None
            buffer.extend(data)
        end = 8 + int.from_bytes(buffer[4:8], "big")
        is_stdout, payload = buffer[0] == 1, bytes(buffer[8:end])
        del buffer[:end]
        return is_stdout, payload

    return read


def ending(container: "Container", seconds: float) -> Ending:
    from requests import RequestException

    with suppress(RequestException):
        container.wait(timeout=seconds)
    container.reload()
    state = container.attrs["State"]
    if state["Running"]:
        raise TimeoutError
    return Ending(state["ExitCode"], state["OOMKilled"])


def open_docker(limits: Code) -> Docker:
    """Raises SandboxUnavailable where no engine answers or it has no image."""
    import docker
    from docker.errors import DockerException, ImageNotFound

    try:
        client = docker.from_env(timeout=START_SECONDS)
    except DockerException as error:
        raise SandboxUnavailable(f"no Docker engine answers ({error})") from error
    try:
        client.images.get(IMAGE)
    except ImageNotFound as error:
        client.close()
        build = "am_assets/engines/sandbox/build_image.sh, or by the Dockerfile beside it"
        logger.warning("a Docker engine answers, but it has no image %s: build it by %s", IMAGE, build)
        raise SandboxUnavailable(f"the Docker engine has no image {IMAGE}: build it by {build}") from error
    except DockerException as error:
        client.close()
        raise SandboxUnavailable(f"the Docker engine fails ({error})") from error
    return Docker(limits, client)
