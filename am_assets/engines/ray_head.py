"""Whether the head of a Ray cluster answers, and which machines it has. Its own client tries for more than a minute,
and knows no waiting."""

import json
from urllib.request import urlopen

from am_assets.config.cluster import GB
from am_assets.runtime.quoting import quoted

REPLY_SECONDS = 5.0


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
