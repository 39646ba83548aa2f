"""What others say of an error, as it stands in a message of ours."""

import io

import pytest
from rich.table import Table

from am_assets.runtime.quoting import quoted, visible

KEY = "sesame-0123456789-open"


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("overloaded, try later", "overloaded, try later"),
        ("two\r\n lines\tand a tab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07and \x1b]8;;http://a\x1b\\link\x9b2J", "red and link"),
        ("bell\a back\b null\0 del\x7f", "bell back null del"),
        ("turned \u202eround\u2066 and hid\u200bden", "turned round and hidden"),
        ("\ud800 half a pair", "half a pair"),
        ("caf\u00e9 \u6f22\u5b57 \U0001f600 a < b > c", "caf\u00e9 \u6f22\u5b57 \U0001f600 a < b > c"),
        (
            "<!DOCTYPE html><html><head><style>p {}</style><script>x()</script></head><h1>502</h1> Bad <!-- c",
            "<html> 502 Bad",
        ),
        (f"wrong key {KEY}!", "wrong key ***!"),
        (f"wrong key {KEY[:7]}*****{KEY[-4:]}", "wrong key ***"),
        (f"wrong key {KEY[:9]}\x1b[1m{KEY[9:]}", "wrong key ***"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: ***"),
        ("", ""),
    ],
)
def test_words_stand_on_one_line_without_controls_tags_and_keys(said: str, stands: str) -> None:
    assert quoted(said, KEY, None) == stands


def test_a_flood_is_cut_and_a_key_across_the_cut_is_not_begun() -> None:
    assert quoted("x" * 100_000) == "x" * 299 + "…"
    assert "sesam" not in quoted("x " * 145 + KEY * 3, KEY)
    assert len(quoted("<html>" + "<p>word</p>" * 10_000, most=50)) == 50


def test_keys_of_the_environment_are_masked_though_nobody_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    monkeypatch.setenv("SHORT_TOKEN", "answer")
    assert quoted(f"no answer for {KEY}") == "no answer for ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\rb \x9b31m \x7f \0", "a\\rb \\x9b31m \\x7f \\x00"),
        ("turned \u202eround\u2066", "turned \\u202eround\\u2066"),
        ("half \ud800", "half \\ud800"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        (
            "caf\u00e9 \u6f22\u5b57 \U0001f468\u200d\U0001f469 \\x1b",
            "caf\u00e9 \u6f22\u5b57 \U0001f468\u200d\U0001f469 \\x1b",
        ),
    ],
)
def test_what_acts_on_a_terminal_is_spelled_out_and_all_else_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_no_text_of_a_command_acts_on_the_terminal_wherever_it_stands() -> None:
    from am_assets.cli.opening import Terminal

    screen = io.StringIO()
    terminal = Terminal(file=screen, width=100, force_terminal=True)
    hostile = "\x1b]0;owned\x07 \x9b2J"
    table = Table("name", title=hostile)
    table.add_row(hostile)
    terminal.print(table)
    terminal.print(hostile, markup=False, highlight=False, soft_wrap=True)
    terminal.print(f"[red]{hostile}", highlight=False)
    assert screen.getvalue().count("\\x1b]0;owned\\x07 \\x9b2J") == 4
    assert "\x1b]" not in screen.getvalue() and "\x9b" not in screen.getvalue()
    assert "\x1b[31m" in screen.getvalue()  # our own colours stay
