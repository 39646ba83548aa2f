"""A question to a language model that yes or no answers, about texts that nobody vouches for.

Each text stands in a fence of its own name that it cannot close, worked examples come before it, and the reply is JSON
with one boolean. What is asked, and what a reply is worth, belongs to the asking stage.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.engines.llm.structured import read_json


def both_ends(most: int) -> Callable[[str], str]:
    """Cuts the middle out of a text longer than `most`."""
    return lambda text: text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def beginning(most: int) -> Callable[[str], str]:
    return lambda text: text[:most]


@dataclass(frozen=True)
class YesNo:
    says: str  # the boolean of the reply
    system: str
    examples: list[tuple]  # the texts, then what is to be said of them: a small model follows those and no description
    texts: dict[str, Callable[[str], str]]  # by the name of its fence, how a text that is too long is cut
    fence: re.Pattern[str]  # the bracket with which a text opens or closes a fence

    def requests(self, texts: pl.DataFrame, model: str, max_tokens: int) -> dict[str, Any]:
        """The columns messages, model, sampling and sample_index of a request a row of `texts`."""
        schema = {
            "type": "object",
            "properties": {self.says: {"type": "boolean"}},
            "required": [self.says],
            "additionalProperties": False,
        }
        form = {"type": "json_schema", "json_schema": {"name": self.says, "strict": True, "schema": schema}}
        sampling = {"temperature": 0, "max_tokens": max_tokens, "response_format": form}
        chats = [json.dumps(self.messages(*row), ensure_ascii=False) for row in texts.iter_rows()]
        return {
            "messages": pl.Series(chats, dtype=pl.String),
            "model": pl.lit(model),
            "sampling": pl.lit(json.dumps(sampling, sort_keys=True)),
            "sample_index": pl.lit(0),
        }

    def messages(self, *texts: str) -> list[dict[str, str]]:
        """The chat that asks. Tags inside the texts are defused, so that none closes its fence."""
        turns = [{"role": "system", "content": self.system}]
        for *example, reply in self.examples:
            turns += [{"role": "user", "content": self._fenced(*example)}]
            turns += [{"role": "assistant", "content": json.dumps({self.says: reply})}]
        return [*turns, {"role": "user", "content": self._fenced(*texts)}]

    def parse(self, text: str) -> bool | None:
        """What a reply says that is the JSON asked for, alone or fenced; else None."""
        try:
            reply = read_json(text)
        except ValueError:
            return None
        said = reply.get(self.says) if isinstance(reply, dict) else None
        return said if isinstance(said, bool) else None

    def _fenced(self, *texts: str) -> str:
        cut = zip(self.texts.items(), texts, strict=True)
        return "\n".join(f"<{name}>\n{self.fence.sub('&lt;', short(text))}\n</{name}>" for (name, short), text in cut)
