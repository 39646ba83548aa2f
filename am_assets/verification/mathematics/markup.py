"""An answer in HTML or JSON as the plain text that the rules read: entities, raised digits, emphasis, `<answer>`."""

import html
import json
import re
from contextlib import suppress

ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,5}|[A-Za-z]{2,8}\d{0,2});")
JSON = re.compile(r"\s*(?:```(?:json)?\s*)?(\{.{1,4000}\})\s*(?:```)?\s*", re.DOTALL)
TAGS = [
    (re.compile(r"<(sup|sub)>([^<>]{1,40})</\1>", re.IGNORECASE),
     lambda m: f"{'^' if m[1].lower() == 'sup' else '_'}{{{m[2]}}}"),
    (re.compile(r"<(b|strong)>([^<>]{1,400})</\1>", re.IGNORECASE), lambda m: f"**{m[2]}**"),
    (re.compile(r"<(answer|final_answer)>\s*(.{1,2000}?)\s*</\1>", re.IGNORECASE | re.DOTALL),
     lambda m: f"\nAnswer: {m[2]}\n"),
    (re.compile(r"<(?:br\s*/?|/?p)>", re.IGNORECASE), lambda _: "\n"),
]  # fmt: skip


def plain_text(answer: str) -> str:
    """`answer` without markup of HTML; of a JSON object its field `answer`, announced as such.

    >>> plain_text("x&lt;3, <b>x<sup>2</sup></b>")
    'x<3, **x^{2}**'
    """
    if "&" in answer:
        answer = ENTITY.sub(lambda entity: html.unescape(entity[0]), answer)
    if "</" in answer or "<br" in answer:
        for tag, text in TAGS:
            answer = tag.sub(text, answer)
    if '"answer"' in answer and (whole := JSON.fullmatch(answer)):
        with suppress(ValueError):
            answer = f"Answer: {json.loads(whole[1])['answer']}"
    return answer
