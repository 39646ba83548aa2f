"""A small project whose scripted teacher answers each question eight times, in ways that agree or do not."""

from pathlib import Path

import polars as pl
import pytest

from am_assets_tests.counted import SAYS, TASTE
from am_assets_tests.desk import FREE, Desk, at_desk
from am_assets_tests.scripted import Reply, Teacher, answer

BOX = "\\boxed{{{}}}"


def boxed(*results: str) -> list[str]:
    return [f"So it is \\boxed{{{result}}}." for result in results]


PROSE = ["They fly away.", "They sleep.", "They eat figs.", "They sing.", "They hide.", "They swim.", "No.", "Rest."]
# By question: its reference, and the answers of the teacher.
ASKED: dict[str, tuple[str | None, list[str]]] = {
    "How many hours does the blue lamp of the harbour burn?": (
        None, boxed("1/2", "0.5", "\\frac{1}{2}", "\\frac12", "0.50", "\\frac{2}{4}", "0.5") + boxed("2"),
    ),
    "Which share of the orchard belongs to Clara's aunt?": (None, boxed(*["3"] * 4, *["4"] * 4)),
    "What is the price of seven green kites?": (None, boxed(*map(str, range(1, 9)))),
    "What do the gulls do when winter comes?": (None, PROSE),
    "How long is the old bridge over the river Tamm?": (None, [*boxed(*["30"] * 6), *PROSE[:2]]),
    "Count the windows of a house with 4 walls of 3 windows.": ("12", boxed(*["12"] * 8)),
    "A box has 6 rows of 7 eggs. How many eggs lie in it?": ("44", boxed(*["42"] * 7, "42.0")),
    "Paul walks 9 miles and rides 8 more. How far does he come?": ("17", boxed(*["17"] * 2, *["18"] * 6)),
    "Nine ships carry 11 barrels each, how many barrels is that?": ("99", [*boxed(*["99"] * 3), *boxed(*["98"] * 5)]),
}  # fmt: skip
LAMP, ORCHARD, KITES, GULLS, BRIDGE, WINDOWS, EGGS, MILES, SHIPS = ASKED
RECIPE = TASTE | {
    "teacher": {"model": "openai/teacher", "max_tokens": 64, "samples": 8},
    "verification": {"min_pass_rate": 0.0},
}
REPAIR = {"min_share": 0.9, "min_samples": 8}
RECIPES = {
    "plain": {},
    "agreed": {"accept": "consensus"},
    "dropped": {"reference": {"drop": REPAIR}},
    "repaired": {"reference": {"repair": REPAIR}},
    "some": {"pass_rates": {"least": 0.3, "most": 0.9}},
}


def teacher() -> Teacher:
    def reply(question: str, nth: int) -> Reply:
        said = ASKED[question][1][nth - 1]
        return answer(f"<think>Let me see, number {nth}.</think> <answer>{said}</answer>")

    return Teacher(reply)


def write_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, dict[str, Teacher]]:
    folder.mkdir()
    servers = {name: Teacher(lambda *_, text=text: answer(text)) for name, text in SAYS.items()}
    servers["openai/teacher"].stop()
    servers["openai/teacher"] = teacher()
    desk = Desk(folder)
    desk.write_project("")
    for path in (folder / "recipes").iterdir():
        path.unlink()
    rows = [{"question": question, "reference_answer": of} for question, (of, _) in ASKED.items()]
    desk.rows("asked", [{name: value for name, value in row.items() if value} for row in rows])
    desk.write("sources.yaml", {"asked": desk.source("asked", 0)})
    for name, verification in RECIPES.items():
        desk.recipe(name, RECIPE | {"verification": RECIPE["verification"] | verification})
    asks = {"labels": {"model": "openai/labeler"}, "reward": {"model": "openai/judge", "judges": "every", "audit": 0}}
    desk.write("instruments.yaml", {**asks, "embeddings": {"model": "static"}})
    reach = {"api_key_env": "TEST_MODEL_KEY", **FREE}
    desk.write("endpoints.yaml", {name: {**reach, "api_base": at.url} for name, at in servers.items()})
    return at_desk(folder, servers["openai/teacher"], monkeypatch), servers


def verified(desk: Desk, recipe: str, question: str) -> pl.DataFrame:
    """The rows of a question in the verified set of a recipe, with the answers they stand for."""
    from am_assets.datasets.identity import question_id

    table = pl.read_parquet(desk.folder / "assets" / "verified_set" / f"{recipe}.parquet")
    features = pl.read_parquet(desk.folder / "assets" / "response_features" / "asked.parquet")
    ours = table.filter(question_id=question_id(question))
    return ours.join(features.select("response_id", "answer"), on="response_id").sort("answer", "response_id")
