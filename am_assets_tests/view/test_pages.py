"""The pages as a browser gets them: lists, facets, searches, a row opened, two recipes, the frame of the report."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import polars as pl
import pytest

from am_assets.storage.stored import StoredTables
from am_assets.view.table import FEW, first_rows, rows
from am_assets_tests.view.conftest import SECRET, SILENT, TASK, TWELVE, TWIN
from am_assets_tests.view.stored import Asked, pages, write_tables


@pytest.fixture(scope="module")
def client(stored: Path) -> Iterator[httpx.Client]:
    with pages(stored) as client:
        yield client


def listed(client: httpx.Client, query: str = "") -> list[str]:
    """The questions of a list, a row each."""
    page = client.get(f"/?recipe=plain{query}")
    assert page.status_code == 200, page.text
    rows = re.findall(r"<tr data-row>.*?<bdi>(.*?)</bdi>", page.text, re.S)
    return [unescape(row) for row in rows]


def facet(client: httpx.Client, query: str, value: str) -> int:
    page = client.get(f"/?recipe=plain{query}").text
    return int(re.search(rf"<bdi>{re.escape(value)}</bdi></a> <span>(\d+)", page)[1])  # type: ignore[index]


def test_each_response_is_a_row_and_each_question_without_one(client: httpx.Client) -> None:
    once = [TASK.question, SILENT.question, SECRET.question, " ".join(TWIN.question.split())]
    assert sorted(listed(client)) == sorted([TWELVE.question, TWELVE.question, *once])


def test_a_first_page_that_is_read_at_once_is_the_one_that_all_rows_begin_with(tmp_path: Path) -> None:
    many = [Asked(f"What is {at} less 1?", f"{at - 1}", [("So.", f"{at - 1}", "a", "pass")]) for at in range(60)]
    desk = write_tables(tmp_path, [*many, SILENT])
    store = StoredTables(desk.folder / "assets")
    first = first_rows(store, "plain", 51)
    assert first.height == 51
    whole = rows(store, "plain").head(51).with_columns(pl.col(FEW).cast(pl.String)).select(first.columns)
    assert first.equals(whole) and first["response_chars"].null_count() == 0
    assert first_rows(store, "plain", 61).is_empty()  # what follows is no response


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("&verdict=fail", 3), ("&verdict=fail&category=math", 2), ("&verdict=fail&verdict=pass", 5),
        ("&reason=wrong_answer&teacher=a", 2), ("&reason=no+response+yet", 1), ("&verdict=%28none%29", 1),
        ("&license=mit", 6), ("&license=gpl", 0), ("&source=sums", 6), ("&length=up+to+200", 5), ("&nonsense=1", 6),
        ("&evidence=code", 1), ("&difficulty=hard", 0), ("&page=2", 0), ("&page=x", 6), ("&score=under+0.25", 3),
    ],
)  # fmt: skip
def test_facets_narrow_the_rows(client: httpx.Client, query: str, count: int) -> None:
    assert len(listed(client, query)) == count


def test_the_counts_of_a_facet_know_the_other_facets_and_not_its_own(client: httpx.Client) -> None:
    assert facet(client, "&verdict=fail", "pass") == 2
    assert facet(client, "&teacher=b", "pass") == 1
    assert facet(client, "&verdict=fail", "coding") == 1


def test_rows_are_sorted_and_those_without_a_value_come_last(client: httpx.Client) -> None:
    longest = listed(client, "&sort=-response_chars")
    assert longest[0] == TASK.question
    assert longest[-1] == listed(client, "&sort=response_chars")[-1] == SILENT.question


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("&find=tallest", [SILENT]), ("&find=TALLEST+mountain", [SILENT]), ("&find=kookaburras", []),
        ("&find=kookaburras&within=answers", [TWIN]), ("&find=tallest&within=answers", []),
        ("&find=5+plus&category=math", [TWELVE, TWELVE, TWIN]), ("&find=5+plus&category=coding", []),
        ("&find=double(n)", [TASK]), ("&find=.*", []), ("&find=%5C", []), ("&find=%5C&within=answers", [TWELVE]),
        ("&find=5+%2B+7&within=answers&verdict=pass", [TWELVE]), ("&find=5+%2B+7&within=answers&verdict=fail", []),
    ],
)  # fmt: skip
def test_words_are_found_in_questions_or_in_answers_and_mean_themselves(
    client: httpx.Client, query: str, found: list
) -> None:
    assert sorted(listed(client, query)) == sorted(" ".join(one.question.split()) for one in found)


def test_a_row_shows_what_was_compared_which_tests_failed_and_which_line_decided(client: httpx.Client) -> None:
    page = unescape(client.get(f"/row/{TWELVE.id}?recipe=plain").text)
    assert "read as 13, held against 12" in page
    assert "dropped as wrong_answer by verification.accept" in page
    assert "0.970" in page and f"/row/{TWIN.id}" in page
    code = unescape(client.get(f"/row/{TASK.id}").text)
    assert "1 of 2 checks passed" in code and "AssertionError: 4" in code and "assert double(3) == 6" in code
    assert '<code class="language-python">def double(n):' in code


def test_a_row_is_found_by_the_beginning_of_its_id_and_an_unknown_one_is_said_to_be(client: httpx.Client) -> None:
    assert TWELVE.id in client.get(f"/row/{TWELVE.id[:8]}").text
    unknown = client.get("/row/0000000000000000")
    assert unknown.status_code == 404 and "no shard holds the question" in unknown.text


def test_next_and_previous_follow_the_list_that_the_row_was_opened_from(client: httpx.Client) -> None:
    shown = client.get("/?recipe=plain&sort=-response_chars").text
    links = [unescape(link) for link in re.findall(r'class="open" href="([^"]+)"', shown)]
    page = client.get(links[1]).text
    ends = {rel: unescape(link) for rel, link in re.findall(r'rel="(prev|next)" href="([^"]+)"', page)}
    assert ends == {"prev": links[0], "next": links[2]}
    assert f"2 of {len(links)}" in page


def test_texts_with_personal_data_are_shown_on_no_page(client: httpx.Client) -> None:
    page = client.get(f"/row/{SECRET.id}").text
    assert "not shown: personal_data" in page and "paula.miller" not in page
    assert "paula.miller" not in client.get("/").text


def test_two_recipes_are_compared_with_the_rows_and_the_field_behind(client: httpx.Client) -> None:
    page = client.get("/compare?one=plain&other=other&what=responses&kept_by=plain")
    assert page.status_code == 200, page.text
    assert TWIN.id in page.text and "dedup.threshold" in page.text and TWELVE.id not in page.text
    row = unescape(client.get(f"/row/{TWIN.id}?recipe=other").text)
    assert "dropped as near_duplicate by dedup.threshold: 0.9 of recipe other" in row
    assert "kept under dedup.threshold: 0.95 of recipe plain" in row


def test_the_report_stands_in_a_frame_with_its_date_and_runs_nothing(stored: Path, client: httpx.Client) -> None:
    assert "There is none yet" in client.get("/report?recipe=plain").text
    file = stored / "assets" / "recipe_report" / "plain.html"
    file.parent.mkdir()
    file.write_text("<h1>Report</h1>")
    frame = client.get("/report?recipe=plain").text
    assert re.search(r"Made \d{4}-\d\d-\d\d \d\d:\d\d UTC, content <code>[0-9a-f]{32}", frame)
    assert "threshold: 0.95" in frame and "the same normalized text as a kept question" in frame
    failed = re.findall(r"<tr><td class=.words.>.*?</tr>", frame, re.S)
    (wrong,) = [row for row in failed if f"/row/{TWELVE.id}?" in row]
    assert "<bdi>12</bdi>" in wrong and "<bdi>13</bdi>" in wrong
    assert "None, of the tables as they were last made." in frame
    policy = client.get("/report/page?recipe=plain").headers["content-security-policy"]
    assert "sandbox" in policy and "script-src" not in policy
