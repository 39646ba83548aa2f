"""Recipients of alerts and delivery: apprise URLs from the environment and from `data/alerts.yaml`.

A URL holds secrets (`slack://tokenA/tokenB`, `mailto://user:password@...`). None is printed or stored: logs show the
masked form of apprise, and the ledger names a URL by a hash.
"""

import logging
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from pydantic import Field

from am_assets.automation.incidents import Ledger, Message
from am_assets.config.addresses import UI
from am_assets.config.files import Section, read_section

logging.getLogger("apprise").disabled = True  # it logs URLs that it can't parse, unmasked


ANSWER_SECONDS = 20.0  # that a service has to take a message


class Alerts(Section):
    """`data/alerts.yaml`; `$VARS` in a URL are taken from the environment."""

    urls: list[str] = Field(default_factory=list)  # get all alerts
    errors_only: list[str] = Field(default_factory=list)  # get errors and recoveries, no warnings
    ui: str = UI  # address of the UI as people open it, used in links

    def recipients(self, warning: bool) -> dict[str, str]:
        """URLs by the hash that the ledger stores."""
        urls = self.urls if warning else [*self.urls, *self.errors_only]
        return {sha256(url.encode()).hexdigest()[:12]: url for url in map(os.path.expandvars, urls)}


def load_alerts(data: Path) -> Alerts:
    """`alerts.yaml`, if there is one, with `AM_ALERT_URLS` (separated by blanks) and `AM_UI_URL` of the environment."""
    file = data / "alerts.yaml"
    alerts = read_section(Alerts, file)
    urls = [*alerts.urls, *os.environ.get("AM_ALERT_URLS", "").split()]
    ui = os.environ.get("AM_UI_URL") or alerts.ui
    return alerts.model_copy(update={"urls": urls, "ui": ui.rstrip("/")})


def deliver(ledger: Ledger, alerts: Alerts, save: Callable[[], None], log: Callable[[str], None]) -> None:
    """Send the messages of the outbox, oldest first, and call `save` after each delivery.

    A recipient that fails gets no further message this time, which keeps the order and limits a dead address to one
    attempt per evaluation; its messages stay in the outbox. Recipients that were removed are dropped.
    """
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
    """Whether the service behind `url` accepted the message."""
    import apprise

    kind = {"error": "failure", "warning": "warning", "recovered": "success"}[message.level]
    sender = apprise.Apprise()
    try:
        added = sender.add(url)
        for service in sender:  # that answers late has the message: without an answer it would get it at each look
            service.socket_read_timeout = max(service.socket_read_timeout, ANSWER_SECONDS)
        return added and bool(sender.notify(body=message.body, title=message.title, notify_type=kind))
    except Exception:  # a fault of one service must not stop the others; its message may hold a secret
        return False


def masked(url: str) -> str:
    """The URL without its secrets."""
    import apprise

    sender = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    return (
        sender.url(privacy=True).split("?")[0]
        if sender
        else f"{url.partition('://')[0]}://… (not a URL that apprise knows)"
    )
