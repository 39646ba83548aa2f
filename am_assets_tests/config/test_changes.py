"""Settings held against each other: which fields differ, and how that is said."""

import pytest

from am_assets.config.changes import changes


def said(before: dict, after: dict) -> list[str]:
    return [change.in_words("of recipe strict") for change in changes(before, after, "dedup")]


def test_two_numbers_are_said_with_as_many_decimals() -> None:
    assert said({"threshold": 0.9}, {"threshold": 0.95}) == [
        "dedup.threshold of recipe strict changed from 0.90 to 0.95"
    ]


def test_mappings_are_compared_field_by_field_and_equal_fields_are_not_said() -> None:
    before, after = {"of": {"a": 1, "b": [1]}, "c": 2}, {"of": {"a": 3, "b": [1]}, "c": 2}
    assert said(before, after) == ["dedup.of.a of recipe strict changed from 1 to 3"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, 0.7, "from null to 0.7"),
        (True, False, "from true to false"),
        (["en"], ["en", "zh"], "from [en] to [en, zh]"),
        (1e-05, 0.0001, "from 1e-05 to 0.0001"),
        (5, 7.0, "from 5 to 7"),
        (1.0, 0.95, "from 1.00 to 0.95"),
        ("x" * 61, "y", "changed"),
    ],
)
def test_values_are_said_as_a_file_has_them_and_long_ones_not_at_all(before, after, words: str) -> None:
    assert said({"it": before}, {"it": after})[0].endswith(words)


def test_a_field_that_came_or_went_was_or_is_unset() -> None:
    assert said({"old": 1}, {"new": 2}) == [
        "dedup.new of recipe strict changed from unset to 2",
        "dedup.old of recipe strict changed from 1 to unset",
    ]
