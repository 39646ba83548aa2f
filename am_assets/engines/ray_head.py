"""Whether the head of a Ray cluster answers. Its own client tries for more than a minute, and knows no waiting."""

from urllib.request import urlopen

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
