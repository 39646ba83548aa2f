"""The tokens of rows, which of them carry loss, and what a chat template must do for that.

Rows of a whole dataset are tokenized in `tokenized.py`.

    student = Template(tokenizer, system_prompt="")
    student.tokenize([("2+2?", assistant_turn("Sum.", "4"))])  # [([5, 12, 9], [7, 4, 1])]: of the prompt, and the turn
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from am_assets.training.dataset import ANSWERS, CLOSES, OPENS, assistant_turn

Row = tuple[str, str]  # the question and the assistant's turn
ENDS, ANSWER = ANSWERS.split("\n")
PROBE: Row = ("What is 2 + 2?", assistant_turn("Two and two\nare four.", "\\boxed{4}"))
PLAIN = "TheAnswerIsFour"  # a turn that no template has a reason to change
OPENED = re.compile(rf"{OPENS}\s*$")
CLOSED = re.compile(rf"{ENDS}\s*$")
UNTHOUGHT = re.compile(rf"\s*(?:(?:{OPENS}\s*)?{ENDS})?\s*")  # how a turn that was written without a thought begins
TAGS = {OPENS, ENDS, ANSWER, CLOSES}


class TemplateError(ValueError):
    """The student's chat template can't be trained with; the message says why and what to do."""


class Around(NamedTuple):
    """What a template puts around the assistant's turn."""

    opened: bool  # the prompt has <think> already
    between: str  # what stands between the turn and its end token, such as a blank
    end: int


class Template:
    """The chat template of a tokenizer, around a question and the assistant's turn."""

    def __init__(self, tokenizer: Any, system_prompt: str):
        self.tokenizer = tokenizer
        self.system = [{"role": "system", "content": system_prompt}] if system_prompt else []

    def texts(self, row: Row) -> tuple[str, str]:
        """The prompt as at inference, and what the student is to write behind it, up to its end token.

        What a template makes of turns that it shows, such as cutting their <think> part, is of no account: the student
        writes its own behind the prompt. Where that has the <think> already, the turn begins after it.

        `TemplateError` where the tokenizer has no template, or one that refuses or cuts the conversation, closes the
        <think> part in the prompt, or does not end a turn with a token of its own.
        """
        question, turn = row
        prompt = self._rendered(self._asked(question), add_generation_prompt=True)
        return prompt, (turn.removeprefix(OPENS) if self.opens() else turn) + self._around.between

    def end_token(self) -> int:
        """The token that ends the assistant's turn."""
        return self._around.end

    def opens(self) -> bool:
        """Whether the prompt has the <think> already."""
        return self._around.opened

    def tokenize(self, rows: Sequence[Row]) -> list[tuple[list[int], list[int]]]:
        """Token ids of the prompt and of the turn of each row. They are tokenized separately, so that the prompt has
        the tokens it has at inference. A special token that a turn quotes is text: only the last one ends it."""
        texts = [self.texts(row) for row in rows]
        tags = TAGS.isdisjoint(self.tokenizer.all_special_tokens)
        prompts = self._ids([prompt for prompt, _ in texts])
        turns = self._ids([turn for _, turn in texts], split_special_tokens=tags)
        return [(prompt, [*turn, self.end_token()]) for prompt, turn in zip(prompts, turns, strict=True)]

    def _asked(self, question: str) -> list[dict[str, str]]:
        return [*self.system, {"role": "user", "content": question}]

    def _ids(self, texts: list[str], **options: bool) -> list[list[int]]:
        made = self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False, verbose=False, **options)
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

    @cached_property
    def _around(self) -> Around:
        """What the template puts around a turn, by an example."""
        asked = self._asked(PROBE[0])
        prompt = self._rendered(asked, add_generation_prompt=True)
        whole = self._rendered([*asked, {"role": "assistant", "content": PLAIN}])
        if left_out := [message["role"] for message in asked if message["content"].strip() not in prompt]:
            raise TemplateError(
                f"the student's chat template leaves out what a message of {left_out[0]} says: leave"
                " training.system_prompt empty if it knows no system role, or mend its chat_template.jinja"
            )
        if CLOSED.search(prompt):
            raise TemplateError(
                "the student's chat template closes the <think> part before the assistant's turn begins, so it would be"
                " asked not to think: give the student folder a chat_template.jinja that does not"
            )
        head, said, tail = whole.rpartition(PLAIN)
        begun = OPENED.sub("", prompt)
        if not said or not head.startswith(begun) or not UNTHOUGHT.fullmatch(head, len(begun)):
            raise TemplateError(
                f"the student's chat template begins the assistant's turn with {prompt[-40:]!r} where it asks for one,"
                f" and with {head[-40:]!r} where it shows one, so nothing says what it is to learn: give the student"
                " folder a plain chat_template.jinja"
            )
        return Around(begun != prompt, *self._ending(tail))

    def _ending(self, tail: str) -> tuple[str, int]:
        """The first special token of what follows a turn, and the text before it."""
        places = [(tail.index(token), -len(token), token) for token in self._special if token in tail]
        if not places:
            raise TemplateError(
                f"the student's chat template ends the assistant's turn with {tail!r}, in which no token of its own"
                " says that it ends, so the student would never learn to stop: add eos_token to chat_template.jinja"
            )
        at, _, token = min(places)
        return tail[:at], int(self.tokenizer.convert_tokens_to_ids(token))

    @cached_property
    def _special(self) -> list[str]:
        return sorted({*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()} - {""})
