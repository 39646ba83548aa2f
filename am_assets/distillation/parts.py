"""Where a response ends to think and begins to answer: the delimiters of reasoning models, and the two parts.

Models are served with and without a parser of their reasoning, and data sets store what they were served, so that one
trace comes in a dozen spellings. Here each is read as the same two parts; the response itself stays as it came.
"""

from collections.abc import Iterator

import polars as pl

from am_assets.config.vocabulary import TEMPLATES
from am_assets.datasets.delimiters import FAMILIES, MORE, PAPER, TAGS, Delimiters
from am_assets.distillation.mentions import MARK, marked
from am_assets.distillation.templates import BLANKS, HEAD, without_tokens

__all__ = ["TAGS", "VERSION", "full_response", "split"]
VERSION = "4"  # raise when a response is read as other parts

FENCE = "```"
# What stands before a tag that is quoted, whatever follows, or where a quote follows it.
OPENING = "[`'\"“\u2018「『«]"
OPENS, MAY_OPEN = rf"(?:^|[\s(\[{{=:,]){OPENING}$", rf"[^A-Za-z0-9_.!?`]{OPENING}$"
CLOSES = "^[`'\"”\u2019」』»]"


def full_response(answers: pl.DataFrame) -> pl.Series:
    """The response of each of `answers` (reasoning, text) as one text: the reasoning that a provider returns in a field
    of its own becomes the think part, unless the text has one already."""
    begins = pl.col("text").str.slice(0, HEAD).str.strip_chars_start()
    thinks = pl.any_horizontal(begins.str.starts_with(family.think) for family in FAMILIES)
    bare = pl.col("reasoning").str.strip_chars()
    thought = bare.str.strip_prefix(PAPER.think).str.strip_suffix(PAPER.answering)
    apart = pl.format("<think>{}</think>{}", pl.when(thought != bare).then(thought).otherwise("reasoning"), "text")
    whole = answers.select(pl.when(pl.col("reasoning").is_null()).then("text").otherwise(apart).alias("response"))
    both = answers.select((pl.col("reasoning").is_not_null() & thinks).fill_null(False).arg_true()).to_series()
    if both.is_empty():
        return whole["response"]
    rest = answers.select("reasoning", "text")[both]
    own = rest.select(_own(begins)).to_series().fill_null(False)
    unthought = rest.select("reasoning", text=pl.coalesce(*_after(begins), "text"))
    said = unthought.select(pl.when(own).then(rest["text"]).otherwise(apart)).to_series()
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
    leaves them readable but makes the response ill-formed, and so does an answer that goes on: with another thought,
    another turn or a call of a tool. A tag that the answer mentions is text. Tokens that end a turn are no part of the
    answer.
    """
    rows = responses.with_row_index("at").with_columns(text=without_tokens(responses["response"]))
    read = _parts(rows)
    doubtful = ~read["well_formed"] & _ended(read["text"])
    again = rows.filter(doubtful).with_columns(pl.col("text").map_elements(marked, return_dtype=pl.String))
    plain = _parts(again).with_columns(pl.col("think", "answer").str.replace_all(MARK, "", literal=True))
    whole = pl.concat([read.filter(~doubtful), plain]).sort("at").drop("at", "text")
    return whole.with_columns(pl.col("well_formed") & ~_goes_on(whole["answer"]))


def _goes_on(answers: pl.Series) -> pl.Series:
    """Which answers think again, or have more than the answer in them."""
    answer = pl.col("answer")
    thinks = pl.any_horizontal(answer.str.starts_with(family.think) for family in FAMILIES)
    found = answers.to_frame("answer").select((thinks | answer.str.contains_any(MORE)).fill_null(False)).to_series()
    at = found.arg_true()
    bare = answers.gather(at).map_elements(marked, return_dtype=pl.String).to_frame("answer")
    return found.scatter(at, bare.select(thinks | answer.str.contains_any(MORE)).to_series())


def _parts(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (text and any others) with their parts, in their order."""
    family = _families(rows["text"])
    read = [_read(rows.filter(family == number), FAMILIES[number]) for number in family.unique(maintain_order=True)]
    return pl.concat(read).sort("at") if read else _read(rows, PAPER)


def _ended(texts: pl.Series) -> pl.Series:
    """Which texts have a tag that may end a thought."""
    return texts.str.contains_any([family.answering for family in FAMILIES]).fill_null(False)


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
    rest, think = pl.col("_rest"), pl.col("_think")
    cut = _parted(rows, "text", tags.answering, "_head", "_rest")
    cut = _parted(cut, "_head", tags.think, "_lead", "_thought")
    cut = _with_answer_tags(cut, tags)
    cut = _parted(cut, "_rest", tags.answer, "_between", "_tagged")
    cut = _parted(cut, "_tagged", tags.ending, "_inner", "_tail")
    cut = cut.with_columns(_think=pl.coalesce("_thought", "_head"))
    begun, tail = pl.col("_thought").is_not_null(), pl.col("_tail")
    untagged = ~_has(rest, tags.answer) & ~_has(rest, tags.ending)
    parsed = rest.is_not_null() & ~_ambiguous(tags, begun, untagged) & (untagged | tail.is_not_null())
    answer = pl.when(untagged).then(rest).otherwise(pl.col("_inner")).str.strip_chars(BLANKS)
    around = pl.concat_str(
        pl.when(begun).then(pl.col("_lead")), pl.when(~untagged).then(pl.col("_between")), tail, ignore_nulls=True
    ).str.strip_chars(BLANKS)
    papers = ~untagged & ~pl.col("_other") & (tags.answer.lower() == PAPER.answer)
    named = pl.when(papers).then(pl.lit("paper")).otherwise(pl.lit("plain"))
    found = cut.with_columns(
        pl.when(parsed).then(think.str.strip_chars(BLANKS)).alias("think"),
        pl.when(parsed).then(answer).alias("answer"),
        pl.when(parsed).then(named).cast(pl.Enum(TEMPLATES)).alias("template"),
        (parsed & (answer != "") & (around == "")).fill_null(False).alias("well_formed"),
    )
    return found.select(pl.exclude("^_[a-z]+$"))


def _with_answer_tags(cut: pl.DataFrame, tags: Delimiters) -> pl.DataFrame:
    """`cut` with the family's tags around an answer in the place of others that it begins with, and whether it does."""
    begins = pl.col("_rest").str.head(HEAD).str.strip_chars_start(BLANKS)
    found = cut.with_columns(_other=pl.lit(False))
    for name in tags.others:
        its = pl.when(begins.str.starts_with(f"<{name}>")).then("_rest").str
        told = its.replace_many([f"<{name}>", f"</{name}>"], [tags.answer, tags.ending])
        found = found.with_columns(_rest=pl.coalesce(told, "_rest"), _other=pl.col("_other") | told.is_not_null())
    return found


def _ambiguous(tags: Delimiters, begun: pl.Expr, untagged: pl.Expr) -> pl.Expr:
    """Whether the tags of the parts of `_read` may be meant otherwise than they were taken."""
    lead, rest, think = pl.col("_lead"), pl.col("_rest"), pl.col("_think")
    unbegun = pl.when(~begun).then(think)
    before, in_code = think.str.tail(2), rest.str.count_matches(FENCE, literal=True) % 2 == 1
    return pl.any_horizontal(
        _has(rest, tags.answering),
        _has(pl.col("_thought"), tags.think),
        _has(pl.col("_tagged"), tags.answer),
        _has(_cut(rest, tags.ending)[1], tags.ending),
        _has(think, tags.answer) & _has(think, tags.ending),
        before.str.contains(OPENS) | (before.str.contains(MAY_OPEN) & rest.str.contains(CLOSES)),
        begun & lead.str.tail(2).str.contains(OPENS),
        in_code & (pl.when(in_code).then(think).str.count_matches(FENCE, literal=True) % 2 == 1),
        # Without a beginning the end is the only tag, and has to be one: not a word of a sentence, with none after it.
        ~begun & _has(rest, tags.think),
        ~begun & untagged & unbegun.str.contains(r"\S[ \t]+$") & rest.str.contains(r"^[ \t.,;:!?]"),
    ).fill_null(False)


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
