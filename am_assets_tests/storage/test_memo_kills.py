"""Nothing that was answered a second before a `kill -9` is asked again, whenever it comes.

Three hundred kills are `python -m am_assets_tests.bench.lost_answers`.
"""

import pytest

from am_assets_tests.kills import tolls


@pytest.mark.slow
def test_sixty_kills_lose_nothing_older_than_a_second_double_nothing_and_break_nothing() -> None:
    counted = tolls(kills=60, requests=1800)
    assert [(toll.overdue, toll.doubled, toll.wrong) for toll in counted] == [(0, 0, 0)] * 4, counted
    assert sum(toll.repeated for toll in counted) > 0  # the kills did hit answers in flight
