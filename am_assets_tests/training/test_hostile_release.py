"""Responses that are meant to break a release, through the user's door: released whole, or dropped with a reason."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets_tests.bench import release_at_scale
from am_assets_tests.commands import applied
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.scripted import Teacher, answer

COUNTED = " ".join(str(number) for number in range(750_000))  # 5 MB that repeat nothing
LINES = "\n".join(str(number) for number in range(200_000))
# By question: think, answer, and what is expected: the parts as they are released, or the drop reason.
CASES: dict[str, tuple[str, str, tuple[str, str] | str]] = {
    "What is 12 plus 7?": (COUNTED, "\\boxed{19}", (COUNTED, "\\boxed{19}")),
    "Add seven to twelve, line by line.": (LINES, "\\boxed{19}", (LINES, "\\boxed{19}")),
    "What is 19 in tags?": ("Sum.", "\\boxed{19}</answer> and so on.", "malformed"),
    "What is 19 in quoted tags?": (
        "Sum.",
        "\\boxed{19}, in `</answer>`.",
        ("Sum.", "\\boxed{19}, in `</answer>`."),
    ),
    "What is 19 after thought?": (
        "Sum.",
        "\\boxed{19}, as `<think>` says.",
        ("Sum.", "\\boxed{19}, as `<think>` says."),
    ),
    "What ends a thought, and 12 plus 7?": ("Sum.", "\\boxed{19}</think>\n<answer>19", "malformed"),
    "What is half a pair, and 12 plus 7?": ("Sum.\ud800", "\\boxed{19}", ("Sum.\ufffd", "\\boxed{19}")),
    "What is NUL, and 12 plus 7?": ("Sum.\0", "\\boxed{19}", ("Sum.\ufffd", "\\boxed{19}")),
    "What is nothing, and 12 plus 7?": ("", "\\boxed{19}", "unreasoned"),
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = at_desk(tmp_path, SimpleNamespace(url=Teacher(lambda *_: answer("{}")).url), monkeypatch)
    desk.rows(
        "published",
        [
            {"question": asked, "reference_answer": "19", "response": f"<think>{think}</think> <answer>{said}</answer>"}
            for asked, (think, said, _) in CASES.items()
        ],
    )
    desk.write("sources.yaml", {"published": desk.source("published", 0)})
    desk.edit("plain", "dedup", threshold=1.0)
    desk.edit("plain", "sampling", decontamination={"benchmarks": []})
    desk.edit("plain", "release", jsonl=True)
    return desk


@pytest.mark.slow
def test_hostile_responses_are_released_whole_or_dropped_with_a_reason(desk: Desk) -> None:
    assert {*applied(desk, "-r", "plain", "-s", "+sft_dataset").values()} == {"done"}
    tables = desk.folder / "assets"
    pool = pl.read_parquet(tables / "raw_pool" / "published.parquet").select("question_id", "question")
    fates = dict(
        pl.read_parquet(tables / "verified_set" / "plain.parquet")
        .join(pool, on="question_id")
        .select("question", pl.col("drop_reason").cast(pl.String))
        .rows()
    )
    released = pl.read_parquet(tables / "sft_dataset" / "plain" / "data" / "*.parquet")
    turns = {asked["content"]: said["content"] for asked, said in released["messages"]}
    for asked, (_, _, expected) in CASES.items():
        if isinstance(expected, str):
            assert (fates[asked], asked in turns) == (expected, False), asked
        else:
            think, said = expected
            assert fates[asked] is None, (asked, fates[asked])
            assert turns[asked] == f"<think>{think}</think>\n<answer>{said}</answer>", asked


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_a_whole_release(tmp_path: Path) -> None:
    release_at_scale.write_tables(tmp_path, 300)
    release_at_scale.run(tmp_path, "none")
    release_at_scale.killed(tmp_path, kills=3, within=4)
