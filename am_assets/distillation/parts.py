"""Where a response ends to think and begins to answer: the delimiters of reasoning models, and the two parts.

Models are served with and without a parser of their reasoning, and data sets store what they were served, so that one
trace comes in a dozen spellings. Here each is read as the same two parts; the response itself stays as it came.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from am_assets.config.vocabulary import TEMPLATES

VERSION = "1"  # raise when a response is read as other parts


class Delimiters(NamedTuple):
    """The literal tags of one family of models. Those around the answer are optional in a response."""

    think: str
    answering: str  # ends the think part
    answer: str = "<answer>"
    ending: str = "</answer>"


FAMILIES = [
    Delimiters("<think>", "</think>"),  # R1, QwQ, Qwen 3 and most others; with <answer> the paper's template
    Delimiters("<THINK>", "</THINK>", "<ANSWER>", "</ANSWER>"),
    Delimiters("<Think>", "</Think>", "<Answer>", "</Answer>"),
    Delimiters("<thinking>", "</thinking>"),
    Delimiters("<thought>", "</thought>"),  # EXAONE Deep, Gemini
    Delimiters("<reasoning>", "</reasoning>"),
    Delimiters("<seed:think>", "</seed:think>"),  # Seed-OSS
    Delimiters("[THINK]", "[/THINK]"),  # Magistral
    Delimiters("◁think▷", "◁/think▷"),  # Kimi
    Delimiters("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),  # Command A
    Delimiters(  # Sky-T1, OpenThoughts
        "<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>"
    ),
]
# What a response that thinks has in it, however it is cut off or garbled.
TAGS = [*(tag for one in FAMILIES for tag in (one.think, one.answering)), "<|channel|>"]
PAPER = FAMILIES[0]  # whose <answer> the paper asks for, and which harmony is read into
# What a server leaves of the chat template when it does not skip special tokens.
ENDS = ["<|im_end|>", "<|endoftext|>", "<\uff5cend▁of▁sentence\uff5c>", "<|end▁of▁sentence|>", "<|eot_id|>",
        "<|end_of_text|>", "<end_of_turn>", "<eos>", "<|END_OF_TURN_TOKEN|>", "<|endofresponse|>", "[EOS]",
        "<seed:eos>"]  # fmt: skip
END_TOKENS = re.compile(rf"(\s*({'|'.join(map(re.escape, ENDS))}))+\s*$")
STRUCK = "</s>"  # which also ends struck-out HTML
BEGIN_TOKENS = re.compile(
    r"^\s*(<\|im_start\|>\s*assistant|<\uff5cAssistant\uff5c>|<\|start_header_id\|>assistant<\|end_header_id\|>"
    r"|<start_of_turn>model)\s*"
)
# gpt-oss: messages on channels, of which `analysis` is the thinking and `final` the answer.
CHANNEL = re.compile(r"(?:<\|start\|>assistant)?<\|channel\|>(\w+)[^<]*<\|message\|>")
CHANNEL_END = re.compile(r"<\|(?:end|return|call)\|>\s*$")
WITHOUT_TOKENS = ("analysis", "assistantfinal")  # harmony after special tokens were skipped
BEGINS = ["<|", "<\uff5c", "<start_of_turn>", WITHOUT_TOKENS[0]]  # of what has tokens before it, or is harmony
HEAD = 200  # characters in which a response has to have begun to think
QUOTES = "`'\"“”\u2018\u2019"


def full_response(answers: pl.DataFrame) -> pl.Series:
    """The response of each of `answers` (reasoning, text) as one text: the reasoning that a provider returns in a field
    of its own becomes the think part, unless the text has one already."""
    begins = pl.col("text").str.slice(0, HEAD).str.strip_chars_start()
    thinks = pl.any_horizontal(begins.str.starts_with(family.think) for family in FAMILIES)
    end = pl.col("reasoning").str.strip_chars_end()
    thought = pl.when(end.str.ends_with(PAPER.answering)).then(end.str.strip_suffix(PAPER.answering))
    apart = pl.format("<think>{}</think>{}", thought.otherwise("reasoning"), "text")
    whole = answers.select(pl.when(pl.col("reasoning").is_null()).then("text").otherwise(apart).alias("response"))
    both = answers.select((pl.col("reasoning").is_not_null() & thinks).fill_null(False).arg_true()).to_series()
    if both.is_empty():
        return whole["response"]
    rest = answers.select("reasoning", "text")[both]
    own = rest.select(_own(begins)).to_series().fill_null(False)
    bare = rest.select("reasoning", text=pl.coalesce(*_after(begins), "text"))
    said = bare.select(pl.when(own).then(rest["text"]).otherwise(apart)).to_series()
    return whole["response"].scatter(both, said)


def _own(begins: pl.Expr) -> pl.Expr:
    """Whether `text` has a think part of its own that is not empty."""
    return pl.any_horizontal(
        begins.str.starts_with(family.think)
        & pl.col("text").str.contains(family.answering, literal=True)
        & (_cut(_cut(pl.col("text"), family.answering)[0], family.think)[1].str.strip_chars() != "")
        for family in FAMILIES
    )


def _after(begins: pl.Expr) -> Iterator[pl.Expr]:
    """What follows the think part of `text`, by family."""
    for family in FAMILIES:
        yield pl.when(begins.str.starts_with(family.think)).then(_cut(pl.col("text"), family.answering)[1])


def split(responses: pl.DataFrame) -> pl.DataFrame:
    """`responses` (response and any others) with think, answer, template and well_formed, in their order.

    The think part goes to the one tag that ends it; the tag that begins it may lack, since chat templates of R1 and QwQ
    have it in the prompt. What comes after is the answer, or what is between answer tags. Tags that are nested,
    repeated or not closed make the parts ambiguous and leave think, answer and template null; text around the parts
    leaves them readable but makes the response ill-formed. A tag that the answer mentions is text. Tokens that end a
    turn are no part of the answer.
    """
    rows = responses.with_row_index("at").with_columns(text=_without_tokens(responses["response"]))
    family = _families(rows["text"])
    read = [_read(rows.filter(family == number), FAMILIES[number]) for number in family.unique(maintain_order=True)]
    return pl.concat(read).sort("at").drop("at", "text") if read else _read(rows, PAPER).drop("at", "text")


def _without_tokens(texts: pl.Series) -> pl.Series:
    """Texts without the tokens of a chat template around them, and harmony in the delimiters of the paper."""
    at = texts.to_frame("text").select(_has_around(pl.col("text")).arg_true()).to_series()
    return texts.scatter(at, _bare(texts.gather(at))) if len(at) else texts


def _has_around(text: pl.Expr) -> pl.Expr:
    """Whether a text may have tokens or blanks around it: told without reading all of it."""
    first, last = text.str.head(HEAD), text.str.tail(HEAD)
    blank = (first.str.strip_chars_start() != first) | (last.str.strip_chars_end() != last)
    begins = (first.str.starts_with(begin) for begin in BEGINS)
    return pl.any_horizontal(blank, *begins, *(last.str.ends_with(end) for end in [*ENDS, STRUCK]))


def _bare(texts: pl.Series) -> pl.Series:
    text = pl.col("text").str.replace(END_TOKENS.pattern, "").str.replace(BEGIN_TOKENS.pattern, "")
    ends = text.str.strip_chars_end().str.strip_suffix(STRUCK)
    bare = texts.to_frame("text").select(pl.when(~_has(text, "<s>")).then(ends).otherwise(text)).to_series()
    head = bare.str.slice(0, HEAD).str.strip_chars_start()
    skipped = head.str.starts_with(WITHOUT_TOKENS[0]) & bare.str.contains(WITHOUT_TOKENS[1], literal=True)
    for found, read in [(head.str.contains(f"^{CHANNEL.pattern}"), _channels), (skipped, _skipped)]:
        at = found.fill_null(False).arg_true()
        bare = bare.scatter(at, [read(text) for text in bare.gather(at)])
    return bare


def _families(texts: pl.Series) -> pl.Series:
    """The number of the family in FAMILIES whose tags each text has: the one it begins with, else the first whose end
    of thinking occurs; 0 where there is none."""
    head = pl.col("text").str.slice(0, HEAD).str.strip_chars_start()
    begun = pl.coalesce(
        pl.when(head.str.starts_with(family.think)).then(number) for number, family in enumerate(FAMILIES)
    )
    found = texts.to_frame("text").select(begun).to_series()
    at = found.is_null().arg_true()
    ended = pl.coalesce(
        *(pl.when(_has(pl.col("text"), family.answering)).then(number) for number, family in enumerate(FAMILIES)),
        pl.lit(0),
    )
    return found.scatter(at, texts.gather(at).to_frame("text").select(ended).to_series()) if len(at) else found


def _read(rows: pl.DataFrame, tags: Delimiters) -> pl.DataFrame:
    """`rows` (text and any others) with their parts by the tags of one family. Literal tags are looked for: a regular
    expression takes ten times as long. Each part is a column, since polars cuts a text anew for each use of one."""
    head, rest, think = (pl.col(name) for name in ("_head", "_rest", "_think"))
    cut = _parted(rows, "text", tags.answering, "_head", "_rest")
    cut = _parted(cut, "_head", tags.think, "_lead", "_thought")
    cut = _parted(cut, "_rest", tags.answer, "_between", "_tagged")
    cut = _parted(cut, "_tagged", tags.ending, "_inner", "_tail")
    cut = cut.with_columns(_think=pl.coalesce("_thought", "_head"))
    begun, tail = pl.col("_thought").is_not_null(), pl.col("_tail")
    unbegun = pl.when(~begun).then(head)
    untagged = ~_has(rest, tags.answer) & ~_has(rest, tags.ending)
    ambiguous = pl.any_horizontal(
        _has(rest, tags.answering),
        _has(pl.col("_thought"), tags.think),
        _has(pl.col("_tagged"), tags.answer),
        _has(_cut(rest, tags.ending)[1], tags.ending),
        _has(think, tags.answer) & _has(think, tags.ending),
        # Without a beginning the end is the only tag, and has to be one: not quoted, not a word of a sentence, and with
        # none after it.
        ~begun & _has(rest, tags.think),
        ~begun & (unbegun.str.contains(f"[{QUOTES}]$") | rest.str.contains(f"^[{QUOTES}]")),
        ~begun & untagged & unbegun.str.contains(r"\S[ \t]+$") & rest.str.contains(r"^[ \t.,;:!?]"),
    )
    parsed = rest.is_not_null() & ~ambiguous & (untagged | tail.is_not_null())
    answer = pl.when(untagged).then(rest).otherwise(pl.col("_inner")).str.strip_chars()
    around = pl.concat_str(
        pl.when(begun).then(pl.col("_lead")), pl.when(~untagged).then(pl.col("_between")), tail, ignore_nulls=True
    ).str.strip_chars()
    named = pl.when(~untagged & (tags.answer.lower() == PAPER.answer)).then(pl.lit("paper")).otherwise(pl.lit("plain"))
    found = cut.with_columns(
        pl.when(parsed).then(think.str.strip_chars()).alias("think"),
        pl.when(parsed).then(answer).alias("answer"),
        pl.when(parsed).then(named).cast(pl.Enum(TEMPLATES)).alias("template"),
        (parsed & (answer != "") & (around == "")).fill_null(False).alias("well_formed"),
    )
    return found.select(pl.exclude("^_[a-z]+$"))


def _channels(text: str) -> str:
    """A harmony response in the paper's delimiters; as it is where its last message is not the final one."""
    _, *found = CHANNEL.split(text)
    messages = [(name, CHANNEL_END.sub("", said).strip()) for name, said in zip(found[::2], found[1::2], strict=True)]
    *before, (name, answer) = messages
    if name != "final" or "final" in dict(before):
        return text
    return PAPER.think + "\n".join(said for _, said in before) + PAPER.answering + answer


def _skipped(text: str) -> str:
    """A harmony response whose special tokens were skipped, in the paper's delimiters."""
    begin, end = WITHOUT_TOKENS
    thought, answer = text.strip().removeprefix(begin).split(end, 1)
    return PAPER.think + thought + PAPER.answering + answer


def _parted(rows: pl.DataFrame, text: str, tag: str, before: str, after: str) -> pl.DataFrame:
    """`rows` with what `_cut` makes of the column `text`. Slices of its bytes copy nothing of long texts."""
    said = pl.col(text).cast(pl.Binary)
    found = rows.with_columns(_at=pl.col(text).str.find(tag, literal=True))
    return found.with_columns(
        said.bin.slice(0, pl.col("_at")).cast(pl.String).alias(before),
        said.bin.slice(pl.col("_at") + len(tag.encode())).cast(pl.String).alias(after),
    )


def _cut(text: pl.Expr, tag: str) -> tuple[pl.Expr, pl.Expr]:
    """The text before and after the first `tag`; the latter is null without a tag."""
    parts = text.str.splitn(tag, 2).struct
    return parts["field_0"], parts["field_1"]


def _has(text: pl.Expr, tag: str) -> pl.Expr:
    """Whether the text has the tag; a null has none."""
    return text.str.contains(tag, literal=True).fill_null(False)
