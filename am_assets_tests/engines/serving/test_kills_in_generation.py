"""No answer is lost or asked twice, whoever is killed; the benchmark of this name tries more."""

from pathlib import Path

import pytest

from am_assets_tests.bench.kills_in_generation import kill_in_generation


@pytest.mark.slow
def test_no_answer_is_lost_or_asked_twice_beyond_those_in_flight(tmp_path: Path):
    toll = kill_in_generation(tmp_path, kills=20, seed=0, prompts=400)
    assert toll.stored == toll.wanted and toll.doubled == 0
    assert toll.excess == 0
    assert not toll.left
    assert sum(toll.kills.values()) >= 8, toll
