"""Answers to be scored by two scorers: to MATH-500, and to items of our own like those of AIME, GPQA and IFEval.

A row has `key`, `answer`, what ours compares it with (`reference_answer`, `constraints`), and what the peer does.
About a third of the answers are meant to be wrong; which ones are is no part of the row, since the scorers say it.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
COUNT = 2_000
WRONG = 1 / 3
LETTERS = "ABCD"
HEDGES = ["Let me check this again.", "That settles it.", "We verify: it fits.", ""]
MATH_ENDS = [
    "Therefore, the final answer is: $\\boxed{%s}$. I hope it is correct",
    "So the answer is $\\boxed{%s}$.",
    "\\boxed{%s}",
    "**Final Answer**\n\n\\[\n\\boxed{%s}\n\\]",
    "Hence we get $%s$.\n\nThe final answer is $\\boxed{%s}$.",
    "First I thought of $\\boxed{0.125}$, which does not fit.\n\nThus, the answer is $\\boxed{%s}$.",
    "The final answer is $%s$.",
]
CHOICE_ENDS = [
    "Answer: %s", "Answer: %s.", "**Answer: %s**", "Answer: (%s)", "Answer: $%s$", "The answer is %s.", "\\boxed{%s}",
    "**Answer:** %s", "Answer: %s) {text}", "The correct answer is (%s) {text}.", "Final Answer: %s",
]  # fmt: skip
TEXTS = ["an increase of the flux", "10^-4 eV", "a decrease by half", "CH3CH2OH", "the first one", "$\\sqrt{2}$ m",
         "no reaction", "25.7 kJ/mol", "only 1 and 3", "a racemic mixture", "1.6 x 10^5 K", "none of them"]  # fmt: skip


def ending(draw: random.Random, ends: list[str], value: str) -> str:
    """An answer that ends in one of these ways, as a worked one would."""
    steps = [f"Step {n}: we have {draw.randint(2, 40)} of {draw.randint(41, 90)}." for n in range(draw.randint(1, 4))]
    return "\n".join([*steps, draw.choice(HEDGES), "", draw.choice(ends).replace("%s", value)])


def aime() -> Iterator[Row]:
    draw = random.Random(1)
    for number in range(COUNT):
        gold = draw.randint(0, 999)
        written = str(gold) if draw.random() < 0.9 else f"{gold:03}"
        said = str(gold)
        if draw.random() < WRONG:
            said = draw.choice(
                [str(gold + 1), str(gold * 10), f"-{gold + 1}", f"\\frac{{{gold + 1}}}{{2}}", f"{gold}.5"]
            )
        elif draw.random() < 0.2:
            said = draw.choice([f"{gold}.0", f"\\text{{{gold}}}", f"{gold:03}", f"x = {gold}", f"{gold}^\\circ"])
        answer = ending(draw, MATH_ENDS, said)
        yield {"key": f"aime-{number}", "question": "q", "answer": answer, "reference_answer": written,
               "choices": [written], "gold": 0}  # fmt: skip


def math500(folder: Path) -> Iterator[Row]:
    """Four answers to each problem: its solution, and answers with its result, or with another, spelled otherwise."""
    draw = random.Random(2)
    items = [json.loads(line) for line in (folder / "math500.jsonl").read_text().splitlines()]
    for number, item in enumerate(items):
        for sample in range(COUNT // len(items)):
            answer = item["solution"] if sample == 0 else ending(draw, MATH_ENDS, respelled(draw, item["answer"]))
            if draw.random() < WRONG:
                other = draw.choice(items)["answer"] if draw.random() < 0.4 else changed(draw, item["answer"])
                answer = ending(draw, MATH_ENDS, other)
            yield {"key": f"math500-{number}-{sample}", "question": item["problem"], "answer": answer,
                   "reference_answer": item["answer"], "gold": 0,
                   "choices": [f"ANSWER: {item['solution']}"]}  # fmt: skip


def respelled(draw: random.Random, answer: str) -> str:
    spellings = [
        answer, answer.replace("\\frac", "\\dfrac"), answer.replace("\\left", "").replace("\\right", ""),
        answer.replace(" ", ""), f"{answer} ", re.sub(r"^(-?\d+)$", r"\1.0", answer), answer.replace("\\!", ""),
    ]  # fmt: skip
    return draw.choice(spellings)


def changed(draw: random.Random, answer: str) -> str:
    """Another value, near by: a number that is one more, a sign that is turned, or one more beside it."""
    numbers = [*re.finditer(r"\d+", answer)]
    if numbers and draw.random() < 0.8:
        at = draw.choice(numbers)
        return f"{answer[: at.start()]}{int(at[0]) + draw.choice([1, 2, 10])}{answer[at.end() :]}"
    return answer[1:] if answer.startswith("-") else f"{answer} + 1" if numbers else f"not {answer}"


def choice() -> Iterator[Row]:
    draw = random.Random(3)
    for number in range(COUNT):
        options = draw.sample(TEXTS, 4)
        gold = draw.randrange(4)
        at = draw.choice([one for one in range(4) if one != gold]) if draw.random() < WRONG else gold
        end = draw.choice(CHOICE_ENDS).replace("{text}", options[at])
        shown = "\n".join(f"{letter}) {text}" for letter, text in zip(LETTERS, options, strict=True))
        answer = ending(draw, [end], LETTERS[at])
        if draw.random() < 0.1:
            answer = f"Option {draw.choice(LETTERS)} looks tempting, but no.\n{answer}"
        yield {"key": f"choice-{number}", "question": f"Which one?\n\n{shown}", "answer": answer,
               "reference_answer": f"({LETTERS[gold]}) {options[gold]}", "gold": gold,
               "choices": [*LETTERS]}  # fmt: skip


WORDS = ["the", "river", "runs", "past", "quiet", "houses", "while", "a", "small", "boat", "waits", "under", "skies"]


def prose(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(words)).capitalize() + "."


RULES: dict[str, Any] = {
    "punctuation:no_comma": lambda draw: ({}, prose(draw, 20), "One, two."),
    "length_constraints:number_words": lambda draw: (
        {"num_words": 30, "relation": draw.choice(["at least", "less than"])}, prose(draw, 45), prose(draw, 12)),
    "length_constraints:number_sentences": lambda draw: (
        {"num_sentences": 3, "relation": "at least"}, " ".join(prose(draw, 6) for _ in range(4)), prose(draw, 6)),
    "length_constraints:number_paragraphs": lambda draw: (
        {"num_paragraphs": 2}, f"{prose(draw, 9)}\n***\n{prose(draw, 9)}", f"{prose(draw, 9)}\n\n{prose(draw, 9)}"),
    "keywords:existence": lambda draw: (
        {"keywords": ["river", "boat"]}, "The river has a boat.", "The river has none."),
    "keywords:frequency": lambda draw: (
        {"keyword": "boat", "frequency": 2, "relation": "at least"}, "Boat after boat.", "One boat."),
    "keywords:forbidden_words": lambda draw: ({"forbidden_words": ["rain"]}, "It is dry.", "It may Rain."),
    "keywords:letter_frequency": lambda draw: (
        {"letter": "z", "let_frequency": 2, "let_relation": "at least"}, "Zigzag.", "A zoo."),
    "change_case:english_lowercase": lambda draw: ({}, prose(draw, 25).lower(), prose(draw, 25)),
    "change_case:english_capital": lambda draw: ({}, prose(draw, 25).upper(), prose(draw, 25)),
    "change_case:capital_word_frequency": lambda draw: (
        {"capital_frequency": 2, "capital_relation": "at least"}, "It is VERY GOOD.", "It is GOOD."),
    "startend:quotation": lambda draw: ({}, f'"{prose(draw, 8)}"', prose(draw, 8)),
    "startend:end_checker": lambda draw: ({"end_phrase": "That is all."}, "Yes. That is all.", "That is all. Yes."),
    "detectable_format:title": lambda draw: ({}, f"<<A day>>\n{prose(draw, 8)}", f"A day\n{prose(draw, 8)}"),
    "detectable_format:json_format": lambda draw: ({}, '```json\n{"a": [1, 2]}\n```', "{'a': 1}"),
    "detectable_format:number_bullet_lists": lambda draw: ({"num_bullets": 2}, "* one\n* two", "* one\n- two\n* three"),
    "detectable_format:number_highlighted_sections": lambda draw: (
        {"num_highlights": 2}, "*one* and *two*", "*one* and two"),
    "detectable_format:multiple_sections": lambda draw: (
        {"section_spliter": "Section", "num_sections": 2}, "Section 1\na\nSection 2\nb", "Section 1\na"),
    "detectable_format:constrained_response": lambda draw: ({}, "My answer is yes.", "Yes."),
    "detectable_content:number_placeholders": lambda draw: ({"num_placeholders": 2}, "[name], [day]", "[name]"),
    "detectable_content:postscript": lambda draw: ({"postscript_marker": "P.S."}, "Yes.\nP.S. No.", "Yes. No."),
    "combination:two_responses": lambda draw: ({}, "Yes.\n******\nNo.", "Yes.\n******\nYes."),
    "combination:repeat_prompt": lambda draw: (
        {"prompt_to_repeat": "Say it."}, "Say it. I say it.", "I say it. Say it."),
    "length_constraints:nth_paragraph_first_word": lambda draw: (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "boat"}, f"{prose(draw, 5)}\n\nBoat it is.", "Boat."),
    "language:response_language": lambda draw: (
        {"language": "de"}, "Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter.", prose(draw, 12)),
}  # fmt: skip


def ifeval() -> Iterator[Row]:
    """One or two constraints an item, of all kinds; an answer is made for one of them."""
    draw = random.Random(4)
    for number in range(COUNT):
        names = draw.sample([*RULES], draw.choice([1, 1, 2]))
        made = [RULES[name](draw) for name in names]
        _, right, wrong = draw.choice(made)
        answer = wrong if draw.random() < WRONG else right
        settings = [one for one, _, _ in made]
        asked = [{"id": name, "kwargs": kwargs} for name, kwargs in zip(names, settings, strict=True)]
        yield {"key": f"ifeval-{number}", "answer": answer, "constraints": json.dumps(asked),
               "instruction_id_list": names, "kwargs": settings}  # fmt: skip
