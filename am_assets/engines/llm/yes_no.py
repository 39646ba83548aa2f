"""Prompts about untrusted texts that a language model answers by one boolean.

Each text is enclosed in a tag that it cannot close, few-shot examples precede it, and the reply is JSON with one
boolean. The question itself, and what follows from a reply, belong to the stage that asks.

    SAME = YesNo("same", "One problem?", [("2+2?", "What is 2+2?", True)], {"first": beginning(500), ...}, fence)
    questions.select("key", **SAME.requests(questions.select("first", "second"), "openai/gpt-4o-mini", 16))
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.engines.llm.structured import read_object


def both_ends(most: int) -> Callable[[str], str]:
    """A function that cuts the middle out of texts longer than `most` characters."""
    return lambda text: text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def beginning(most: int) -> Callable[[str], str]:
    """A function that cuts texts after `most` characters."""
    return lambda text: text[:most]


@dataclass(frozen=True)
class YesNo:
    """One question, asked about many tuples of texts."""

    says: str  # the name of the boolean in the reply
    system: str
    examples: list[tuple[Any, ...]]  # the texts, then the boolean; small models follow examples, not descriptions
    texts: dict[str, Callable[[str], str]]  # tag name of each text, and how to shorten it
    fence: re.Pattern[str]  # matches the `<` of those tags inside a text

    def requests(self, texts: pl.DataFrame, model: str, max_tokens: int) -> dict[str, Any]:
        """The columns messages, model, sampling and sample_index of one request per row of `texts`."""
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
        """The chat for one tuple of texts. Tags inside the texts are escaped, so that none closes its own."""
        turns = [{"role": "system", "content": self.system}]
        for *example, reply in self.examples:
            turns += [{"role": "user", "content": self._fenced(*example)}]
            turns += [{"role": "assistant", "content": json.dumps({self.says: reply})}]
        return [*turns, {"role": "user", "content": self._fenced(*texts)}]

    def parse(self, text: str) -> bool | None:
        """The boolean of a reply; None where it is not the JSON asked for."""
        value = (read_object(text) or {}).get(self.says)
        return value if isinstance(value, bool) else None

    def _fenced(self, *texts: str) -> str:
        cut = zip(self.texts.items(), texts, strict=True)
        return "\n".join(f"<{name}>\n{self.fence.sub('&lt;', short(text))}\n</{name}>" for (name, short), text in cut)
