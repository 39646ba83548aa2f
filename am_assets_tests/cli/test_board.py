"""An apply while it runs: what its table and its lines say."""

import io
import time

import pytest
from rich.console import Console

from am_assets.cli import board as board_module
from am_assets.cli.board import Board, show_progress
from am_assets.planning.steps import Outcome, Step
from am_assets.runtime import progress

STEPS = [Step("responses", at, "missing", "it was never materialized") for at in ("a", "b")]
STEPS.append(Step("verified_set", "strict", "follows", "responses[a] was never materialized"))


def drawn(board: Board) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(board)
    return console.file.getvalue()


def test_the_table_counts_partitions_and_shows_the_rows_and_the_rate_of_the_one_at_hand() -> None:
    with show_progress(Console(file=io.StringIO()), STEPS, quiet=True) as board:
        board.start(STEPS[0])
        board.finish(Outcome(STEPS[0], "done"))
        board.start(STEPS[1])
        with progress.task("responses", 2_000) as advance:
            advance(500)
            table = drawn(board)
            progress.message("3 requests waited for the provider")
    assert "1 of 2" in table
    assert "0 of 1" in table
    assert "responses 500 of 2,000, " in table
    assert "a second" in table
    assert "3 requests waited for the provider" in drawn(board)


def test_a_failure_is_counted_and_what_waits_for_it_too() -> None:
    with show_progress(Console(file=io.StringIO()), STEPS, quiet=True) as board:
        board.start(STEPS[0])
        board.finish(Outcome(STEPS[0], "failed", "no such host"))
        board.finish(Outcome(Step("verified_set", "strict", "waits", "responses[a] failed"), "waits"))
    assert drawn(board).count("1 failed") == 2


def test_where_nobody_looks_a_line_is_written_before_and_after_each_partition() -> None:
    console = Console(file=io.StringIO(), width=160)
    with show_progress(console, STEPS, {STEPS[2]: 125.0}) as board:
        board.start(STEPS[0])
        board.finish(Outcome(STEPS[0], "done"))
        board.start(STEPS[1])
    first, second, _ = console.file.getvalue().splitlines()
    assert first == "[1/3] responses[a]: it was never materialized"
    assert second.startswith("[1/3] responses[a]: done in 0.0 s; 0.0 s so far, about 2 min left")


def test_its_place_does_not_go_back_where_several_are_under_way_and_the_earlier_ends_later() -> None:
    console = Console(file=io.StringIO(), width=160)
    with show_progress(console, STEPS) as board:
        for step in STEPS[:2]:
            board.start(step)
        for step in reversed(STEPS[:2]):
            board.finish(Outcome(step, "done"))
    assert [line.split()[0] for line in console.file.getvalue().splitlines()] == ["[1/3]", "[2/3]", "[2/3]", "[2/3]"]


def test_time_left_is_a_lower_bound_where_some_of_it_was_never_measured() -> None:
    console = Console(file=io.StringIO(), width=160)
    with show_progress(console, STEPS, {STEPS[1]: 40.0}) as board:
        board.start(STEPS[0])
        assert board.time().endswith("at least 40 s left")
        board.finish(Outcome(STEPS[0], "failed", "no such host"))
        board.start(STEPS[2])
        assert board.time().endswith("so far")


def test_a_long_step_gives_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    assert board_module.LIFE_SECONDS <= 15
    monkeypatch.setattr(board_module, "LIFE_SECONDS", 0.1)
    console = Console(file=io.StringIO(), width=160)
    with show_progress(console, STEPS) as board, progress.task("responses", 2_000) as advance:
        board.start(STEPS[0])
        advance(500)
        progress.message("step 4 of 20, loss 1.2")
        time.sleep(1.5)
        board.finish(Outcome(STEPS[0], "done"))
    said = console.file.getvalue().splitlines()
    assert said[1].startswith("[1/3] responses[a]: responses 500 of 2,000, ")
    assert ", step 4 of 20, loss 1.2; " in said[1] and said[-1].startswith("[1/3] responses[a]: done")
