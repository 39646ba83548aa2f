"""Nothing that was answered a second before a `kill -9` is asked again: two hundred kills at random moments."""

import pytest

from am_assets_tests.kills import tolls


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing_older_than_a_second_double_nothing_and_break_nothing() -> None:
    counted = tolls(kills=200, requests=6000)
    assert [(toll.overdue, toll.doubled, toll.wrong) for toll in counted] == [(0, 0, 0)] * 4, counted
    assert sum(toll.repeated for toll in counted) > 0  # the kills did hit answers in flight
