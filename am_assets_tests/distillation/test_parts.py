"""Where thinking ends and the answer begins, in the spellings of models and servers, right ones and wrong ones."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from am_assets.datasets.delimiters import FAMILIES
from am_assets.distillation.parts import full_response, split

ANALYSIS = "<|channel|>analysis<|message|>"
COMMENTARY, FINAL = (f"<|start|>assistant<|channel|>{name}<|message|>" for name in ("commentary", "final"))
SUM, ANSWER = "17+25=42.", "The sum is $\\boxed{42}$."


def read(response: str) -> tuple[str | None, str | None, bool]:
    (row,) = split(pl.DataFrame({"response": [response]})).to_dicts()
    return row["think"], row["answer"], row["well_formed"]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.think)
def test_every_family_is_read_with_and_without_its_tags_around_the_answer(family) -> None:
    for answer in (f"\n\n{ANSWER}", f" {family.answer} {ANSWER} {family.ending}\n"):
        assert read(f"{family.think}\n{SUM}\n{family.answering}{answer}") == (SUM, ANSWER, True)
        assert read(f"\n{SUM}\n{family.answering}{answer}") == (SUM, ANSWER, True)  # the prompt began the thought
    assert read(f"{family.think}{SUM}") == (None, None, False)
    assert read(f"{family.think}{SUM}{family.answering} {family.answer}{ANSWER}") == (None, None, False)
    assert read(f"{family.think}{SUM}{family.answering}") == (SUM, "", False)
    assert read(f"Sure. {family.think}{SUM}{family.answering}{ANSWER}") == (SUM, ANSWER, False)


@pytest.mark.parametrize(
    ("response", "parts"),
    [
        (
            "<think>The tag.</think>Use `<think>` to open a thought.",
            ("The tag.", "Use `<think>` to open a thought.", True),
        ),
        ("<think>a</think>Use <thinking>x</thinking>.", ("a", "Use <thinking>x</thinking>.", True)),
        ("<think>It goes in <answer> tags.</think> <answer>4</answer>", ("It goes in <answer> tags.", "4", True)),
        ("<think>\n\n</think>\n\n4", ("", "4", True)),
        ("</think>\n\n4", ("", "4", True)),
        ("<think>I end with </think> later. 42</think>4", (None, None, False)),
        ("<think>a</thinking>4", (None, None, False)),
        ("Write `</think>` to end it.", (None, None, False)),
        ('The tag "</think>" ends it.', (None, None, False)),
        ("2+2</think>4<think>5", (None, None, False)),
        ("You end it with </think> and go on.", (None, None, False)),
        ("You end it with </thinking>.", (None, None, False)),
        ("<think>It ends with `</think>`, so I", (None, None, False)),
        ("<think>Say:\n```\n<think>x</think>\n```\nand", (None, None, False)),
        ("Say:\n```\nx\n</think>\ny\n```\nand", (None, None, False)),
        ("Use `text.split('</think>')[1]`.", (None, None, False)),
        ("`<think>` and `</think>` part it.", (None, None, False)),
        ("<think>It ends with `</think>`.</think>4", ("It ends with `</think>`.", "4", True)),
        ("<think>It ends with “</think>”.</think>4", ("It ends with “</think>”.", "4", True)),
        ("<think>Say:\n```\n<think>x</think>\n```\nso</think>4", ("Say:\n```\n<think>x</think>\n```\nso", "4", True)),
        ("<think>a</think>`<think>` and `</think>` part it.", ("a", "`<think>` and `</think>` part it.", True)),
        ('<think>a</think>"<think>" and "</think>" part it.', ("a", '"<think>" and "</think>" part it.', True)),
        ("<think>a</think>The <think> and </think> tags.", (None, None, False)),
        ("<think>a</think>Say\n```\n<think>x</think>\n```", ("a", "Say\n```\n<think>x</think>\n```", True)),
        ("<think>a</think>`<answer>4</answer>` holds it.", ("a", "`<answer>4</answer>` holds it.", True)),
        ("<think>In `<answer>x</answer>`.</think><answer>4</answer>", ("In `<answer>x</answer>`.", "4", True)),
        ("<think>```\nx\n</think>4\n```\ny\n```", ("```\nx", "4\n```\ny\n```", True)),  # a fence left open
        ("<think>标签`</think>`表示结束。</think>4", ("标签`</think>`表示结束。", "4", True)),
        ('<think>It is "yes"</think>"Yes," she said.', ('It is "yes"', '"Yes," she said.', True)),
        ('It is "yes"</think>Yes.', ('It is "yes"', "Yes.", True)),
        ("2+2 is 4. </think> <answer>4</answer>", ("2+2 is 4.", "4", True)),
        ("2+2 is 4. </think>\n\n4", ("2+2 is 4.", "4", True)),
        ("17+25: 42.\n\n**Final Answer**\n\n\\boxed{42}", (None, None, False)),
    ],
)
def test_a_tag_that_is_mentioned_is_text_and_an_ambiguous_one_no_part(response: str, parts: tuple) -> None:
    assert read(response) == parts


@pytest.mark.parametrize(
    "end",
    [
        "<|im_end|>",
        "<|endoftext|>",
        "<\uff5cend▁of▁sentence\uff5c>",
        "<|eot_id|>",
        "</s>",
        "\n<|im_end|>\n<|endoftext|>\n",
        "<end_of_turn>",
        "<|end|>",
        "[|endofturn|]",
        "<|user|>",
        "<|EOT|>",
        "<|eot|>",
        "<turn|>",
        "\u200b",
    ],
)
def test_tokens_that_end_a_turn_are_no_part_of_the_answer(end: str) -> None:
    assert read(f"<think>{SUM}</think>{ANSWER}{end}") == (SUM, ANSWER, True)
    assert read(f"<think>{SUM}</think> <answer>{ANSWER}</answer>{end}") == (SUM, ANSWER, True)
    for begin in (
        *("<|im_start|>assistant\n", "<|im_start|>assistant<|im_sep|>", "<|assistant|>", "[|assistant|]", "\ufeff"),
        *("<s>", "<\uff5cbegin▁of▁sentence\uff5c>", "<|start_of_role|>assistant<|end_of_role|>"),
        *("<|header_start|>assistant<|header_end|>\n\n", "<|turn>model\n"),
    ):
        assert read(f"{begin}<think>{SUM}</think>{ANSWER}{end}") == (SUM, ANSWER, True)


def test_a_token_within_the_answer_stays() -> None:
    assert read("<think>a</think>The token <|im_end|> ends it.")[1] == "The token <|im_end|> ends it."
    assert read("<think>a</think><s>gone</s>")[1] == "<s>gone</s>"


@pytest.mark.parametrize(
    ("response", "parts"),
    [
        (f"{ANALYSIS}Add.<|end|>{FINAL}42<|return|>", ("Add.", "42", True)),
        (f"<|start|>assistant{ANALYSIS}Add.<|end|>{FINAL}42", ("Add.", "42", True)),
        (f"{ANALYSIS}Add.<|end|>{COMMENTARY}Hm.<|end|>{FINAL}42", ("Add.\nHm.", "42", True)),
        ("<|channel|>final<|message|>42<|return|>", ("", "42", True)),
        (f"{ANALYSIS}Add.<|end|><|channel|>final <|constrain|>json<|message|>[42]<|return|>", ("Add.", "[42]", True)),
        ("analysisAdd.assistantfinal42", ("Add.", "42", True)),  # served with its special tokens skipped
        ("<|channel|>analysis<|message|>Add", (None, None, False)),
        (f"{ANALYSIS}Add.<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>"
         f"{{}}<|call|><|start|>functions.add to=assistant<|channel|>commentary<|message|>42<|end|>{FINAL}42",
         (None, None, False)),
        ("analysisAdd.assistantcommentary to=functions.add json{}assistantfinal42", (None, None, False)),
        ("<|channel|>final<|message|>4<|end|><|start|>assistant<|channel|>final<|message|>5", (None, None, False)),
        ("analysis of the sum: 42", (None, None, False)),
    ],
)  # fmt: skip
def test_harmony_channels_are_thought_and_answer(response: str, parts: tuple) -> None:
    assert read(response) == parts


@pytest.mark.parametrize(
    "more",
    [
        "<|im_end|>\n<|im_start|>user\nAnd 1+2?<|im_end|>\n<|im_start|>assistant\n3",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd 1+2?",
        "<|im_end|>\n<|im_start|>assistant\n3",
        "<\uff5cend▁of▁sentence\uff5c><\uff5cUser\uff5c>And 1+2?<\uff5cAssistant\uff5c>",
        '\n<tool_call>\n{"name": "add"}\n</tool_call>',
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_end|>",
        '<\uff5cDSML\uff5cfunction_calls>\n<\uff5cDSML\uff5cinvoke name="add">',
        "<turn|>\n<|turn>user\nAnd 1+2?",
    ],
)
def test_an_answer_that_goes_on_is_ill_formed_unless_it_shows_how_one_would(more: str) -> None:
    assert read(f"<think>{SUM}</think>{ANSWER}{more}")[2] is False
    shown = f"{ANSWER}\n```\n{more}\n```"
    assert read(f"<think>{SUM}</think>{shown}") == (SUM, shown, True)


def test_a_thought_behind_the_thought_is_no_answer() -> None:
    assert read(f"<think>{SUM}</think><thinking>{SUM}</thinking>{ANSWER}")[2] is False
    assert read(f"<think>{SUM}</think>`<thinking>` is a tag.") == (SUM, "`<thinking>` is a tag.", True)


@pytest.mark.parametrize(
    ("response", "parts"),
    [
        (f"<think>{SUM}</think><response>{ANSWER}</response>", (SUM, ANSWER, True)),
        (f"{SUM}</think>\n\n<response>\n{ANSWER}\n</response>\n", (SUM, ANSWER, True)),
        (f"<think>{SUM}</think><response>{ANSWER}", (None, None, False)),
        (f"<think>{SUM}</think><response>4</response><response>5</response>", (None, None, False)),
        (f"<think>{SUM}</think><response>{ANSWER}</response> Bye", (SUM, ANSWER, False)),
        (f"<think>{SUM}</think>The <response> element.", (SUM, "The <response> element.", True)),
        (f"<think>{SUM}</think><output>4</output>", (SUM, "<output>4</output>", True)),
        (f"<thinking>{SUM}</thinking><output>{ANSWER}</output>", (SUM, ANSWER, True)),
        (f"<Thought>{SUM}</Thought>\n<Output>{ANSWER}</Output>", (SUM, ANSWER, True)),
        (f'<think lang="en">{SUM}</think>{ANSWER}', (SUM, ANSWER, True)),
        (f"<think>{SUM}</think>\u200b", (SUM, "", False)),
        (f"Here is my thought process:\n\n{SUM}\n\nHere is my response:\n\n{ANSWER}", (SUM, ANSWER, True)),
        (f"Here is my thought process:\n\n{SUM}", (None, None, False)),
        ("Sure. Here is my response: 4", (None, None, False)),
        ("Here's my thought process: a Here's my response: 4 Here's my response: 5", (None, None, False)),
        (f"Thinking...\n{SUM}\n...done thinking.\n\n{ANSWER}", (SUM, ANSWER, True)),
        (f"Thinking...\n{SUM}\n", (None, None, False)),
        ("Thinking... is done thinking.\n4", (None, None, False)),
        (f"## Thinking\n\n{SUM}\n\n## Final Response\n\n{ANSWER}", (SUM, ANSWER, True)),
        (
            f"Here are my reasoning steps:\n{SUM}\n[BEGIN FINAL RESPONSE]\n{ANSWER}\n[END FINAL RESPONSE]\n<|end|>",
            (SUM, ANSWER, True),
        ),
    ],
)
def test_answers_in_other_tags_and_thoughts_under_headings_are_read(response: str, parts: tuple) -> None:
    assert read(response) == parts


FOLD = '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n'
CALL = '<details type="tool_calls" done="true" name="add">\n<summary>Done</summary>\n</details>\n'
PROOF = f"<details>\n<summary>Proof</summary>\nLong.\n</details>\n{ANSWER}"


@pytest.mark.parametrize(
    ("response", "parts"),
    [
        (f"{FOLD}> 17+25\n> > 40\n</details>\n{ANSWER}", ("17+25\n> 40", ANSWER, True)),
        (f"{FOLD}&gt; 3 &lt; 4\n&gt; so\n</details>\n\n{ANSWER}", ("3 < 4\nso", ANSWER, True)),
        (f"{FOLD}> {SUM}\n> </details>\n</details>\n{PROOF}", (f"{SUM}\n</details>", PROOF, True)),
        (f"{FOLD}> {SUM}\n</details>", (SUM, "", False)),
        (f"{FOLD}> {SUM}", (None, None, False)),
        (f'<details type="reasoning" done="false">\n> {SUM}\n</details>\n{ANSWER}', (None, None, False)),
        (f"{FOLD}> {SUM}\n</details>\n{CALL}{ANSWER}", (None, None, False)),
        (f"{FOLD}> {SUM}\n</details>\n{FOLD}> {SUM}\n</details>\n{ANSWER}", (None, None, False)),
        (PROOF, (None, None, False)),
        (f"<think>{SUM}</think>{PROOF}", (SUM, PROOF, True)),
        (f"<think>{SUM}</think>```\n{FOLD}```", (SUM, f"```\n{FOLD}```", True)),
    ],
)
def test_a_fold_of_reasoning_is_the_thought_and_any_other_is_text(response: str, parts: tuple) -> None:
    assert read(response) == parts


@pytest.mark.parametrize(
    ("reasoning", "text", "whole"),
    [
        (None, "4", "4"),
        ("2+2", "4", "<think>2+2</think>4"),
        ("2+2", "<think>2+2</think>4", "<think>2+2</think>4"),
        ("2+2", "<think>\n\n</think>\n\n4", "<think>2+2</think>\n\n4"),
        ("2+2\n</think>", "4", "<think>2+2\n</think>4"),
        ("<think>\n2+2\n</think>\n", "4", "<think>\n2+2\n</think>4"),
        ("2+2", "Use `<think>`.", "<think>2+2</think>Use `<think>`."),
    ],
)
def test_reasoning_apart_becomes_the_think_part_of_a_text_without_one(reasoning, text, whole) -> None:
    frame = pl.DataFrame({"reasoning": [reasoning], "text": [text]}, schema={"reasoning": pl.String, "text": pl.String})
    assert full_response(frame).item() == whole


def test_rows_keep_their_order_and_columns_whatever_their_families() -> None:
    responses = [f"{family.think}{n}{family.answering}{n}" for n, family in enumerate(FAMILIES)] * 2
    frame = pl.DataFrame({"id": range(len(responses)), "response": responses})
    read_all = split(frame)
    assert_frame_equal(read_all.select("id", "response"), frame)
    assert read_all["answer"].to_list() == [str(n) for n in range(len(FAMILIES))] * 2
    assert split(frame.clear()).is_empty()
