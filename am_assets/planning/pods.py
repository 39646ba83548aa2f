"""What pods of a Kubernetes cluster are like, told by jobs that look from there: for `am cluster check`.

One for each set of resources that runs take, so that it shows whether a node has them.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

from am_assets.config.cluster import Kubernetes, Launcher, Pool
from am_assets.config.files import ConfigError
from am_assets.engines.kubernetes_api import KubernetesApi, State
from am_assets.planning import workers
from am_assets.planning.machine import Finding, wrong

PIECE = "kubernetes"
SECONDS = 120.0  # that its jobs may take; an image that is new to a node is pulled in that time
Takes = tuple[tuple[str, float], ...]


def tried(launcher: Launcher, settings: Kubernetes, data: Path) -> Iterator[Finding]:
    """What the server says, whether jobs may be made there, and what their pods are like."""
    try:
        from am_assets.orchestration.kubernetes import LEAVE, KubernetesLauncher
    except ImportError:
        advice = "pip install --constraint constraints.txt am-assets[kubernetes]"
        yield wrong(PIECE, "its packages are not here", advice)
        return
    api = KubernetesApi(settings.namespace)
    try:
        version = api.version()
        yield Finding(PIECE, f"{version} at {api.address}, namespace {settings.namespace}", there=True)
        if refused := api.refused():
            yield wrong("leave", f"may not {', '.join(refused)}", LEAVE)
            return
        yield Finding("leave", "jobs, and what they say", there=True)
        yield from _looked(launcher, settings, api, data)
    except OSError as error:
        yield wrong(PIECE, str(error), KubernetesLauncher.remedy)
    except (RuntimeError, ConfigError) as error:
        remedy = None if isinstance(error, ConfigError) else LEAVE
        yield wrong("jobs", str(error), remedy)


def _looked(launcher: Launcher, settings: Kubernetes, api: KubernetesApi, data: Path) -> Iterator[Finding]:
    """What a pod of each kind tells."""
    from am_assets.orchestration.kubernetes import job

    kinds: dict[Takes, list[str]] = {}
    for pool in get_args(Pool):
        kinds.setdefault(tuple(sorted(launcher.takes([pool]).items())), []).append(pool)
    command = ["python", "-W", "ignore", "-m", "am_assets.planning.workers", workers.HERE]
    names = {f"am-check-{uuid4().hex[:12]}": kind for kind in kinds}
    try:
        for name, kind in names.items():
            api.create(job(settings, name, command, {"AM_DATA": str(data)}, dict(kind)))
        ended = _ended(api, [*names])
        here = workers.about(data)
        for name, kind in names.items():
            yield from _told(api, name, ended[name], "pools " + ", ".join(kinds[kind]), here)
    finally:
        for name in names:
            with suppress(OSError, RuntimeError):
                api.delete(name)


def _ended(api: KubernetesApi, names: list[str]) -> dict[str, State]:
    """What became of the jobs, within the time that they may take."""
    end = time.monotonic() + SECONDS
    states = {name: api.state(name) for name in names}
    while time.monotonic() < end and not all(one.ended or one.stuck for one in states.values()):
        time.sleep(1)
        states |= {name: api.state(name) for name, one in states.items() if not one.ended}
    return states


def _told(api: KubernetesApi, name: str, state: State, pools: str, here: dict[str, Any]) -> Iterator[Finding]:
    said = api.log(name)
    if told := workers.read(said):
        for finding in workers.compared(told[-1], here):
            yield Finding(f"{finding.name} ({pools})", finding.found, finding.there, finding.needed, finding.remedy)
        return
    if state.began and not state.ended:
        why = f"it did not end within {SECONDS:.0f} s"
    else:
        why = state.why or f"it did not begin within {SECONDS:.0f} s"
    advice = "see launcher.kubernetes and launcher.resources of cluster.yaml"
    yield wrong(pools, f"a job that looks from there: {why}", advice)
