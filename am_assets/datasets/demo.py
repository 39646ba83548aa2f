r"""Generators of the demo's questions: arithmetic with worked traces, and rows that should be dropped. Seeded, pure.

The traces are computed. They STAND IN FOR published traces of a reasoning model; their teacher is named
`demo-published-traces` so that nobody mistakes them for real ones. About three in ten have a deliberate flaw. Only the
generation of rows belongs here: no file is read, and the wordings are in `demo_wording.py`.

    We need 34 + 27. Tens: 30 + 20 = 50. Ones: 4 + 7 = 11. Sum: 50 + 11 = 61.   ->   \boxed{61}
"""

import re
from collections.abc import Iterator
from random import Random

import polars as pl

from am_assets.datasets.demo_wording import NAMES, PLACES, THINGS, UNSUITABLE, WORDINGS
from am_assets.datasets.identity import question_id

TEACHER = "demo-published-traces"
ASKED = {"question": pl.String, "reference_answer": pl.String}
ANSWERED = ASKED | {"response": pl.String, "teacher": pl.String}
HELD_OUT_SHARE = 8  # one of so many questions is held out, by its id
# Share of traces with each flaw.
FLAWS = {"wrong": 0.20, "unclosed": 0.03, "unanswered": 0.03, "repetitive": 0.03, "truncated": 0.03}
MISTAKES = ["slip", "carry", "operation", "forgotten", "swapped"]
# Edits that make a near-duplicate: other punctuation, or a word more.
NEAR_DUPLICATES = [
    lambda text: text.replace(".", " !").replace("?", " ??"),
    lambda text: f"{text} Thanks!",
    lambda text: text.replace("?", ", please?"),
    lambda text: f"So: {text}",
    lambda text: text.replace(". ", "; "),
    lambda text: text.rstrip("?."),
]


def published_arithmetic(count: int, seed: int) -> pl.DataFrame:
    """`count` distinct questions with reference and response, none of them held out; a larger count only appends.

    Sums and differences of two or three numbers under 60.
    """
    rows = []
    for text, terms, draw in _questions(count, f"train/{seed}", held_out=False):
        rows.append((text, str(sum(terms)), _respond(terms, draw), TEACHER))
    return pl.DataFrame(rows, ANSWERED, orient="row")


def heldout_arithmetic(count: int, seed: int) -> pl.DataFrame:
    """`count` distinct held-out questions with reference: `published_arithmetic` returns none of them for any seed."""
    rows = [(text, str(sum(terms))) for text, terms, _ in _questions(count, f"test/{seed}", held_out=True)]
    return pl.DataFrame(rows, ASKED, orient="row")


def _questions(count: int, seed: str, held_out: bool) -> Iterator[tuple[str, list[int], Random]]:
    """Text, signed numbers and a generator for the response. Wordings take turns. The id of a question decides whether
    it is held out, so that the two splits are disjoint."""
    draw = Random(seed)
    order = [(signs, wording) for signs, wordings in WORDINGS.items() for wording in wordings]
    draw.shuffle(order)
    seen: set[str] = set()
    while len(seen) < count:
        signs, wording = order[len(seen) % len(order)]
        terms = _terms(signs, draw)
        text = _fill(wording, terms, draw)
        key = question_id(text)
        if key not in seen and (int(key[:8], 16) % HELD_OUT_SHARE == 0) == held_out:
            seen.add(key)
            yield text, terms, Random(f"{seed}/{key}")


def _terms(signs: str, draw: Random) -> list[int]:
    """Signed numbers: two up to 59, and a third under 10, which takes a single further step."""
    low, high = sorted(draw.sample(range(3, 46 if signs[0] == "+" else 60), 2))
    first, second = (high, low) if signs[0] == "-" or draw.random() < 0.5 else (low, high)
    sizes = [second, draw.randint(2, min(9, high + low - 1))]
    return [first] + [size if sign == "+" else -size for sign, size in zip(signs, sizes, strict=False)]


def _fill(wording: str, terms: list[int], draw: Random) -> str:
    wording = re.sub(r"\(([^)]*\|[^)]*)\)", lambda choice: draw.choice(choice[1].split("|")), wording)
    n, m = draw.sample(NAMES.split("|"), 2)
    numbers = dict(zip("abc", map(abs, terms), strict=False))
    thing, place = draw.choice(THINGS.split("|")), draw.choice(PLACES.split("|"))
    text = wording.format(n=n, m=m, x=thing, p=place, **numbers)
    return re.sub(r"(^|[.?] )(\w)", lambda start: start[1] + start[2].upper(), text)


def _respond(terms: list[int], draw: Random) -> str:
    flaw = draw.choices([*FLAWS, "none"], [*FLAWS.values(), 1 - sum(FLAWS.values())])[0]
    think, result = _mistaken(terms, draw) if flaw == "wrong" else _think(terms)
    if flaw == "repetitive":
        think = " ".join([think] * 12)
    response = f"<think>{think}</think> <answer>\\boxed{{{result}}}</answer>"
    if flaw == "unclosed":
        return response.replace("</think>", "")
    if flaw == "unanswered":
        return response.replace("<answer>", "").replace("</answer>", "")
    return response[: len(think) * 2 // 3] if flaw == "truncated" else response


def _think(terms: list[int], error: int = 0) -> tuple[str, str]:
    """The worked steps and their result; `error` is added to the total of the first two numbers."""
    first, second, *rest = terms
    tens, ones = divmod(abs(second), 10)
    steps = [f"We need {first}" + "".join(f" {'+' if term > 0 else '-'} {abs(term)}" for term in terms[1:])]
    if second > 0:
        sums = first // 10 * 10 + tens * 10, first % 10 + ones
        total = sum(sums) + error
        steps += [f"Tens: {first // 10 * 10} + {tens * 10} = {sums[0]}", f"Ones: {first % 10} + {ones} = {sums[1]}"]
        steps += [f"Sum: {sums[0]} + {sums[1]} = {total}"]
    else:
        total = first + second + error
        steps += [f"Tens: {first} - {tens * 10} = {first - tens * 10}", f"Ones: {first - tens * 10} - {ones} = {total}"]
    for term in rest:
        steps += [f"Then: {total} {'+' if term > 0 else '-'} {abs(term)} = {total + term}"]
        total += term
    return ". ".join(steps) + ".", str(total)


def _mistaken(terms: list[int], draw: Random) -> tuple[str, str]:
    """Steps and result with a common mistake; the result is always wrong."""
    first, second, *rest = terms
    mistake = draw.choice(MISTAKES)
    if mistake == "operation":
        small, large = sorted([first, abs(second)])
        return _think([large, -small if second > 0 else small, *rest])
    if mistake == "forgotten" and rest:
        return _think(terms[:-1])
    if mistake == "swapped":
        think, result = _think(terms)
        if result != result[::-1]:
            return think, result[::-1]
    if mistake == "carry":
        return _think(terms, error=-10 if second > 0 else 10)
    return _think(terms, error=draw.choice([-1, 1]))


def planted(seed: int) -> pl.DataFrame:
    """Rows that a good recipe drops, made of questions that the other two generators return for `seed`: exact and near
    duplicates, contaminated, unsuitable, empty and oversized ones."""
    train, test = published_arithmetic(12, seed), heldout_arithmetic(4, seed)
    exact = [text.upper() for text in train["question"][:3]] + [f"  {text}\n" for text in train["question"][3:5]]
    near = [edit(text) for text, edit in zip(train["question"][5:11], NEAR_DUPLICATES, strict=True)]
    contaminated = [*test["question"][:2], *map(_punctuate, test["question"][2:])]
    answered = zip(
        exact + near + contaminated, [*train["reference_answer"][:11], *test["reference_answer"]], strict=True
    )
    defective = ["", "   \n\t", "All work and no play. " * 50_000]  # empty twice, and oversized
    rows = [*answered, *((text, None) for text in UNSUITABLE + defective)]
    return pl.DataFrame(rows, ASKED, orient="row")


def _punctuate(text: str) -> str:
    return text.replace("?", " ?!").replace(",", ";").replace(". ", " - ")
