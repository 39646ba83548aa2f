"""Who is told, and how: apprise URLs of the environment and of `data/alerts.yaml`.

A URL holds secrets (`slack://tokenA/tokenB`, `mailto://user:password@...`). Nothing prints one: people see the form
apprise makes of it for that, and what is stored names it by a hash.
"""

import logging
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from pydantic import Field

from am_assets.automation.incidents import Ledger, Message
from am_assets.config.files import Section, parse, read_yaml

logging.getLogger("apprise").disabled = True  # it logs what it can't parse in full


class Alerts(Section):
    """`data/alerts.yaml`; `$VARS` in a URL are taken from the environment."""

    urls: list[str] = Field(default_factory=list)  # hear everything
    errors_only: list[str] = Field(default_factory=list)  # hear of errors and their end, not of warnings
    ui: str = "http://localhost:3000"  # where people open the UI: what links begin with

    def recipients(self, warning: bool) -> dict[str, str]:
        """The URLs by the name they are stored under."""
        heard = self.urls if warning else [*self.urls, *self.errors_only]
        return {sha256(url.encode()).hexdigest()[:12]: url for url in map(os.path.expandvars, heard)}


def load_alerts(data: Path) -> Alerts:
    """The file, if there is one, and what the environment adds: `AM_ALERT_URLS` (blank-separated) and `AM_UI_URL`."""
    file = data / "alerts.yaml"
    alerts = parse(Alerts, read_yaml(file), str(file)) if file.exists() else Alerts()
    urls = [*alerts.urls, *os.environ.get("AM_ALERT_URLS", "").split()]
    ui = os.environ.get("AM_UI_URL") or alerts.ui
    return alerts.model_copy(update={"urls": urls, "ui": ui.rstrip("/")})


def deliver(ledger: Ledger, alerts: Alerts, save: Callable[[], None], log: Callable[[str], None]) -> None:
    """Sends what is in the outbox, oldest first, and saves after each message that got through.

    Who does not take a message gets no further one this time, so that order is kept and a dead address costs one
    attempt a look; all of it stays in the outbox. One that is no recipient any more is forgotten."""
    known = alerts.recipients(warning=False)
    unreached: set[str] = set()
    for message in list(ledger.outbox):
        message.to = [name for name in message.to if name in known]
        for name in [name for name in message.to if name not in unreached]:
            if send(known[name], message):
                message.to.remove(name)
                save()
            else:
                unreached.add(name)
                log(f"alert not delivered to {masked(known[name])}, tried again at the next look: {message.title}")
    ledger.outbox = [message for message in ledger.outbox if message.to]
    save()


def send(url: str, message: Message) -> bool:
    import apprise

    kind = {"error": "failure", "warning": "warning", "recovered": "success"}[message.level]
    sender = apprise.Apprise()
    try:
        return sender.add(url) and bool(sender.notify(body=message.body, title=message.title, notify_type=kind))
    except Exception:  # the fault of one service, which may hold up no other; its words may hold a secret
        return False


def masked(url: str) -> str:
    """The URL as it may be shown."""
    import apprise

    sender = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    return (
        sender.url(privacy=True).split("?")[0]
        if sender
        else f"{url.partition('://')[0]}://… (not a URL that apprise knows)"
    )
