"""Responses without what a chat template leaves around them; thoughts that no tags part, in the tags of the paper."""

import re
from html import unescape

import polars as pl

from am_assets.datasets.delimiters import DETAILS, FAMILIES, HEADED, PAPER

# What a server leaves of the chat template when it does not skip special tokens.
ENDS = ["<|im_end|>", "<|endoftext|>", "<\uff5cend▁of▁sentence\uff5c>", "<|end▁of▁sentence|>", "<|eot_id|>",
        "<|end_of_text|>", "<end_of_turn>", "<eos>", "<|END_OF_TURN_TOKEN|>", "<|endofresponse|>", "[EOS]",
        "<seed:eos>", "<|end|>", "<|eos|>", "<|eom_id|>", "<|role_end|>", "<|user|>", "<|observation|>",
        "[|endofturn|]", "[e~[", "<SPECIAL_12>", "<|EOT|>", "<|eot|>", "<|end_of_turn|>", "<|endofturn|>",
        "<|return|>", "<turn|>", "</longcat_s>"]  # fmt: skip
END_TOKENS = re.compile(rf"(\s*({'|'.join(map(re.escape, ENDS))}))+\s*$")
STRUCK = "</s>"  # which also ends struck-out HTML
FIRST = ["<s>", "<bos>", "[gMASK]<sop>", "<|begin_of_text|>", "<\uff5cbegin▁of▁sentence\uff5c>"]
ASSISTANT = ["<\uff5cAssistant\uff5c>", "<|assistant|>", "[|assistant|]", "<|start_of_role|>assistant<|end_of_role|>",
             "<|start_header_id|>assistant<|end_header_id|>", "<|header_start|>assistant<|header_end|>",
             "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<start_of_turn>model", "<|turn>model"]  # fmt: skip
BEGIN_TOKENS = re.compile(
    rf"^\s*({'|'.join(map(re.escape, FIRST))})?\s*"
    rf"(<\|im_start\|>\s*assistant(?:<\|im_sep\|>)?|{'|'.join(map(re.escape, ASSISTANT))})?\s*"
)
ATTRIBUTED = [f"{one.think[:-1]} " for one in FAMILIES if re.fullmatch(r"<\w+>", one.think)]
ATTRIBUTES = re.compile(rf"^({'|'.join(one.strip() for one in ATTRIBUTED)})\s[^<>]*>")
# gpt-oss: messages on channels, of which `analysis` is the thinking and `final` the answer.
CHANNEL = re.compile(r"(?:<\|start\|>[^<]*)?<\|channel\|>(\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
TO_TOOLS = re.compile(r"<\|start\|>(?!assistant<)|<\|channel\|>\w+\s+to=|<\|call\|>|assistantcommentary\s+to=")
CHANNEL_END = re.compile(r"<\|(?:end|return|call)\|>\s*$")
# Open WebUI: a fold with a summary, whose thought is quoted line by line, as it is or for HTML.
FOLDED = re.compile(rf"\s*{DETAILS}([^>]*)>\s*(?:<summary>.*?</summary>)?(.*?)^</details>", re.DOTALL | re.MULTILINE)
OTHER_FOLDS = re.compile(rf'^(?:{DETAILS}|<details type="tool_calls")', re.MULTILINE)
QUOTED = re.compile(r"^(?:>|&gt;) ?", re.MULTILINE)
BEGINS = ["<|", "<\uff5c", "[|", "<start_of_turn>", *FIRST, *ATTRIBUTED, *(begin for begin, _, _ in HEADED), DETAILS]
HEAD = 200  # characters in which a response has to have begun to think
# White space, and characters without a width that stand at the ends of texts as if they were such.
BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def without_tokens(texts: pl.Series) -> pl.Series:
    """Texts without the tokens of a chat template around them, and harmony in the delimiters of the paper."""
    at = texts.to_frame("text").select(_has_around(pl.col("text")).arg_true()).to_series()
    return texts.scatter(at, _bare(texts.gather(at))) if len(at) else texts


def _has_around(text: pl.Expr) -> pl.Expr:
    """Whether a text may have tokens or blanks around it: told without reading all of it."""
    first, last = text.str.head(HEAD), text.str.tail(HEAD)
    blank = (first.str.strip_chars_start(BLANKS) != first) | (last.str.strip_chars_end(BLANKS) != last)
    begins = (first.str.starts_with(begin) for begin in BEGINS)
    return pl.any_horizontal(blank, *begins, *(last.str.ends_with(end) for end in [*ENDS, STRUCK]))


def _bare(texts: pl.Series) -> pl.Series:
    text = pl.col("text").str.strip_chars(BLANKS).str.replace(END_TOKENS.pattern, "")
    text = text.str.replace(BEGIN_TOKENS.pattern, "").str.replace(ATTRIBUTES.pattern, "$1>")
    ends = text.str.strip_chars_end().str.strip_suffix(STRUCK)
    bare = texts.to_frame("text").select(pl.when(~text.str.contains("<s>", literal=True)).then(ends).otherwise(text))
    said = bare.to_series()
    head = said.str.slice(0, HEAD).str.strip_chars_start()
    headings = "|".join(re.escape(one[0]) for one in HEADED)
    for begins, read in [(CHANNEL.pattern, _channels), (headings, _headed), (DETAILS, _folded)]:
        found = head.str.contains(f"^(?:{begins})")
        at = found.fill_null(False).arg_true()
        said = said.scatter(at, [read(text) for text in said.gather(at)])
    return said


def _channels(text: str) -> str:
    """A harmony response in the paper's delimiters; as it is where its last message is not the final one, and where it
    talks to tools."""
    _, *found = CHANNEL.split(text)
    messages = [(name, CHANNEL_END.sub("", said).strip()) for name, said in zip(found[::2], found[1::2], strict=True)]
    *before, (name, answer) = messages
    if name != "final" or "final" in dict(before) or TO_TOOLS.search(text):
        return text
    return PAPER.think + "\n".join(said for _, said in before) + PAPER.answering + answer


def _headed(text: str) -> str:
    """A response that thinks under a heading, in the paper's delimiters; as it is where none or several end it."""
    for begin, middle, end in HEADED:
        parts = re.split(middle, text.strip().removeprefix(begin))
        if text.lstrip().startswith(begin) and len(parts) == 2 and not TO_TOOLS.search(text):
            return PAPER.think + parts[0] + PAPER.answering + parts[1].removesuffix(end)
    return text


def _folded(text: str) -> str:
    """A response whose thought is folded, in the paper's delimiters; as it is where the fold does not end, is not the
    only one, or ended before the thought did."""
    fold = FOLDED.match(text)
    if not fold or 'done="false"' in fold[1] or OTHER_FOLDS.search(text, fold.end()):
        return text
    thought = fold[2].strip()
    thought = unescape(thought) if thought.startswith("&gt;") else thought
    return PAPER.think + QUOTED.sub("", thought) + PAPER.answering + text[fold.end() :]
