"""What people have been told, and what they are still to be told: one message an incident.

An incident is known by what it is about (`about`: a check of a partition, a run of one, a schedule), and told again
only when its words change or it is over. Nothing here knows Dagster or how a message travels.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

Level = Literal["error", "warning", "recovered"]


@dataclass(frozen=True)
class Finding:
    """Something looked at: in order, or with words that say what is wrong. Words are compared, the link may change."""

    about: str
    title: str
    words: str = ""  # asset, partition, figure, threshold; no times and no run ids, or each run would be news
    level: Level = "error"
    link: str = ""

    @property
    def in_order(self) -> bool:
        return self.level == "recovered"


@dataclass
class Message:
    """`to` are those who have not got it yet, by a name that gives no secret away."""

    title: str
    body: str
    level: Level
    to: list[str]


@dataclass
class Incident:
    """`words` and `level` as last told, and to whom."""

    words: str
    level: Level
    told: list[str]


@dataclass
class Ledger:
    """The state of a watch: how far it has read, what is wrong, and what was not delivered yet."""

    read: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, Incident] = field(default_factory=dict)  # by what it is about
    outbox: list[Message] = field(default_factory=list)

    def note(self, finding: Finding, recipients: Sequence[str]) -> None:
        """Takes a finding in; queues a message where it is news. Of an end hears who heard of the incident."""
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
