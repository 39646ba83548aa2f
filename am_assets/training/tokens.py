"""The tokens of rows, which of them carry loss, and what a chat template must do for that.

Rows of a whole dataset are tokenized in `tokenized.py`.

    student = Template(tokenizer, system_prompt="")
    student.tokenize([("2+2?", assistant_turn("Sum.", "4"))])  # [([5, 12, 9], [7, 4, 1])]: of the prompt, and the turn
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from am_assets.training.dataset import assistant_turn

Row = tuple[str, str]  # the question and the assistant's turn
PROBE: Row = ("What is 2 + 2?", assistant_turn("Two and two\nare four.", "\\boxed{4}"))


class TemplateError(ValueError):
    """The student's chat template can't be trained with; the message says why and what to do."""


class Template:
    """The chat template of a tokenizer, around a question and the assistant's turn."""

    def __init__(self, tokenizer: Any, system_prompt: str):
        self.tokenizer = tokenizer
        self.system = [{"role": "system", "content": system_prompt}] if system_prompt else []

    def texts(self, row: Row) -> tuple[str, str]:
        """The prompt as at inference, and the assistant's turn with its end token and nothing after that.

        `TemplateError` where the tokenizer has no template, or one that refuses the conversation, changes the turn, or
        does not end it with a token of its own.
        """
        question, turn = row
        prompt = [*self.system, {"role": "user", "content": question}]
        before = self._rendered(prompt, add_generation_prompt=True)
        whole = self._rendered([*prompt, {"role": "assistant", "content": turn}])
        if not whole.startswith(before + turn):
            raise TemplateError(
                "the student's chat template changes the assistant's turn (some cut the <think> part or open it"
                " themselves), so it can't be trained to write it: give the student folder a plain chat_template.jinja"
            )
        return before, turn + self._end(whole[len(before) + len(turn) :])

    def end_token(self) -> int:
        """The token that ends the assistant's turn, by an example."""
        _, turn = self.texts(PROBE)
        return int(self._ids([turn])[0][-1])

    def tokenize(self, rows: Sequence[Row]) -> list[tuple[list[int], list[int]]]:
        """Token ids of the prompt and of the turn of each row. They are tokenized separately, so that the prompt has
        the tokens it has at inference."""
        texts = [self.texts(row) for row in rows]
        prompts, turns = (self._ids([pair[at] for pair in texts]) for at in (0, 1))
        return list(zip(prompts, turns, strict=True))

    def _ids(self, texts: list[str]) -> list[list[int]]:
        made = self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False, verbose=False)
        ids: list[list[int]] = made["input_ids"]
        return ids

    def _rendered(self, messages: list[dict[str, str]], **options: Any) -> str:
        from jinja2 import TemplateError as JinjaError

        if not self.tokenizer.chat_template:
            raise TemplateError(
                "the student's tokenizer has no chat template, so nothing says where a turn begins and ends: give the"
                " student folder a chat_template.jinja"
            )
        try:
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, **options))
        except JinjaError as error:
            roles = ", ".join(message["role"] for message in messages)
            raise TemplateError(
                f"the student's chat template fails on a conversation of {roles}: {error}; leave"
                " training.system_prompt empty if it knows no system role, or mend its chat_template.jinja"
            ) from None

    def _end(self, tail: str) -> str:
        """What follows the turn, up to and with the first special token."""
        places = [(tail.index(token), len(token)) for token in self._special if token in tail]
        if not places:
            raise TemplateError(
                f"the student's chat template ends the assistant's turn with {tail!r}, in which no token of its own"
                " says that it ends, so the student would never learn to stop: add eos_token to chat_template.jinja"
            )
        at, length = min(places, key=lambda place: (place[0], -place[1]))
        return tail[: at + length]

    @cached_property
    def _special(self) -> list[str]:
        return sorted({*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()} - {""})
