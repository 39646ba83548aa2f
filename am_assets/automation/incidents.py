"""Open incidents and undelivered messages: one message per incident.

An incident is identified by its subject (`about`: a check of a partition, a run of one, a schedule). It is reported
again only when its text changes or it is resolved. Nothing here depends on Dagster or on how messages are sent.

    ledger = Ledger()
    ledger.note(Finding("check a of b[c]", "b[c]: check a failed", "rate: 0.4"), ["ops"])
    [message.title for message in ledger.outbox]  # ["b[c]: check a failed"]
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

Level = Literal["error", "warning", "recovered"]


@dataclass(frozen=True)
class Finding:
    """The state of one subject: recovered, or wrong as `words` say. Words are compared with those of the open incident;
    the link may change."""

    about: str
    title: str
    words: str = ""  # asset, partition, figure, threshold; no times or run ids, or each run would be a new incident
    level: Level = "error"
    link: str = ""

    @property
    def in_order(self) -> bool:
        return self.level == "recovered"


@dataclass
class Message:
    """`to` lists the recipients that it was not delivered to yet, by hash."""

    title: str
    body: str
    level: Level
    to: list[str]


@dataclass
class Incident:
    """`words` and `level` as last reported, and the recipients, in the form that the instance stores."""

    words: str
    level: Level
    told: list[str]


@dataclass
class Ledger:
    """The state of the alert sensor: positions in the event log, open incidents, undelivered messages."""

    read: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, Incident] = field(default_factory=dict)  # open incidents by subject
    outbox: list[Message] = field(default_factory=list)

    def note(self, finding: Finding, recipients: Sequence[str]) -> None:
        """Record a finding and queue a message where it is new. A recovery goes to those who were alerted."""
        before = self.wrong.get(finding.about)
        if finding.in_order:
            if before:
                del self.wrong[finding.about]
                self._queue(finding, f"Recovered: {finding.title}", before.told)
        elif before is None or (before.words, before.level) != (finding.words, finding.level):
            told = sorted({*recipients, *(before.told if before else [])})
            self.wrong[finding.about] = Incident(finding.words, finding.level, told)
            self._queue(finding, finding.title, list(recipients))

    def _queue(self, finding: Finding, title: str, recipients: list[str]) -> None:
        body = "\n".join(filter(None, [finding.words, finding.link]))
        if recipients:
            self.outbox.append(Message(title, body, finding.level, list(recipients)))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        content = json.loads(text)
        wrong = {about: Incident(**incident) for about, incident in content["wrong"].items()}
        return cls(content["read"], wrong, [Message(**message) for message in content["outbox"]])
