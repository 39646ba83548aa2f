"""The head of a Ray cluster: whether it answers, which machines it has, and jobs that it is asked to begin. Its own
client tries for more than a minute to reach it, and knows no waiting."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.request import urlopen

from am_assets.config.cluster import GB
from am_assets.runtime.quoting import quoted

REPLY_SECONDS = 5.0
# What Ray itself counts, by its argument.
OF_RAY = {"cpu": "entrypoint_num_cpus", "gpu": "entrypoint_num_gpus", "memory": "entrypoint_memory"}
AGENT_SECONDS = 60.0  # that a head which answers may take until it takes jobs; Ray itself waits 10 s each time
NO_AGENT = "No available agent"  # in what it says until then
NO_ROOM = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"  # what a job is that no machine had room for in 15 minutes


def silence(address: str) -> str | None:
    """Why Ray can't be asked at its address; None where it answers."""
    try:
        with urlopen(f"{address.rstrip('/')}/api/version", timeout=REPLY_SECONDS) as reply:
            reply.read()
    except OSError as error:
        return f"Ray does not answer at {address} ({quoted(error)})"
    return None


def machines(address: str) -> list[dict[str, float]]:
    """What each living machine of the cluster has, used or not, as a launcher names it; `OSError` without an answer."""
    with urlopen(f"{address.rstrip('/')}/api/v0/nodes?detail=1", timeout=REPLY_SECONDS) as reply:
        told = json.load(reply)["data"]["result"]["result"]
    own = {"CPU": "cpu", "GPU": "gpu"}
    alive = [one for one in told if one["state"] == "ALIVE"]
    units = {"memory": GB}
    return [
        {own.get(name, name): much / units.get(name, 1) for name, much in one["resources_total"].items()}
        for one in alive
    ]


def submit(client: Any, name: str, command: Sequence[str], takes: Mapping[str, float], **job: Any) -> None:
    """Begin a job that takes so much of its machine, as a launcher names it; `job` are further arguments of Ray's
    client. `RuntimeError` or `OSError` where it is refused."""
    rest: dict[str, Any] = {what: int(much * GB) if what == "memory" else much for what, much in takes.items()}
    own = {argument: rest.pop(what) for what, argument in OF_RAY.items() if what in rest}
    entrypoint, end = shlex.join(["exec", *command]), time.monotonic() + AGENT_SECONDS
    while True:
        try:
            client.submit_job(
                submission_id=name, entrypoint=entrypoint, entrypoint_resources=rest or None, **own, **job
            )
            return
        except RuntimeError as error:
            if NO_AGENT not in str(error) or time.monotonic() > end:
                raise


def last_words(client: Any, name: str, chars: int) -> str:
    """What Ray says of a job that ended, with the end of its log; empty where it does not know."""
    said = ""
    with suppress(Exception):
        said = str(client.get_job_info(name).message)
        said += f"; the end of its log:\n{client.get_job_logs(name)[-chars:].rstrip()}"
    return said
