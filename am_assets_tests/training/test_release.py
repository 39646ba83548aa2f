"""A release loads by its folder, in whatever reads Parquet, and its card says how the rows came to be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.recipe import ReleasePolicy
from am_assets.training import parts, release
from am_assets.training.card import About
from am_assets.training.dataset import am_record, assistant_turn
from am_assets.training.release import Texts, write_release
from am_assets.training.rows import chunks, response_ids, with_texts
from am_assets_tests.desk import Desk
from am_assets_tests.students import write_tiny_student
from am_assets_tests.training.test_dataset import key, table, texts

FUNNEL = pl.DataFrame(
    [
        ("pool", "in", 9),
        ("pool", "kept", 9),
        ("verification", "in", 9),
        ("verification", "wrong_answer", 6),
        ("verification", "kept", 3),
    ],
    ["stage", "outcome", "rows"],
    orient="row",
)
RATES = pl.DataFrame(
    [("gsm", 9, 3, 1 / 3, 0.0)], ["source", "responses", "passed", "pass_rate", "unverifiable_share"], orient="row"
)
FOUND = pl.DataFrame([("secret", 2, 1, 2 / 9)], ["screen", "responses", "released", "share"], orient="row")
HITS = pl.DataFrame([("aime", "cosine", 2), ("gpqa", "none", 0)], ["benchmark", "rule", "questions"], orient="row")


def write(
    folder: Path,
    rows: pl.DataFrame | None = None,
    shards: int = 1,
    name: str = "demo",
    texts: Texts = texts,
    **about: Any,
) -> Path:
    rows = table() if rows is None else rows
    policy = ReleasePolicy(**about.pop("policy", {}))
    recipe = {"dedup": {"threshold": 0.95}, "verification": {"screens": ["refusal"]}}
    said = {"recipe": recipe, "screens": FOUND, "content": "c0ffee", "funnel": FUNNEL, "rates": {"source": RATES}}
    numbers = pl.Series("shard", [f"gsm-{place % shards}" for place in range(rows.height)], dtype=pl.String)
    told = About(name, **{**said, "contaminated": HITS, **about})
    write_release(rows.with_columns(numbers), texts, folder / "release", told, policy, "1")
    return folder / "release"


def head(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])


def lines(folder: Path) -> list[dict]:
    """The rows in the AM form."""
    import zstandard

    texts = [zstandard.open(path, "rt").read() for path in sorted(folder.glob("jsonl/*.jsonl.zst"))]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`datasets.load_dataset` without a network and with a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    return lambda folder, **more: load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"), **more)


def test_it_loads_by_its_folder_and_streams(tmp_path: Path, load: Callable) -> None:
    rows = table()
    loaded = load(write(tmp_path, rows))
    assert loaded["response_id"] == rows["response_id"].to_list()
    assert loaded[0]["messages"] == [
        {"role": "user", "content": "ask q00000"},
        {"role": "assistant", "content": assistant_turn(f"think {key(0)}", f"say {key(0)}")},
    ]
    assert json.loads(loaded[2]["test_case"])["test_entry_point"] == "f"
    assert (loaded[0]["license"], loaded[0]["test_case"], loaded[2]["reference_answer"]) == ("mit", None, None)
    assert loaded["pass_rate"] == [None, None, None]
    streamed = load(tmp_path / "release", streaming=True)
    assert list(streamed) == loaded.to_list()


def test_a_row_says_how_often_its_question_was_solved(tmp_path: Path, load: Callable) -> None:
    rows = table().with_columns(pass_rate=pl.Series([0.25, 1.0, None]), content=pl.lit("rated"))
    folder = write(tmp_path, rows, policy={"jsonl": True})
    assert load(folder)["pass_rate"] == [0.25, 1.0, None]
    assert "| `pass_rate` | of the question:" in (folder / "README.md").read_text()
    [line, *_] = lines(folder)
    assert "pass_rate" not in json.dumps(line)  # whose schema is that of the original


def test_shards_have_files_of_their_own_and_one_schema(tmp_path: Path, load: Callable) -> None:
    folder = write(tmp_path, table(7), shards=3, policy={"extra": True})
    files = sorted((folder / "data").iterdir())
    assert [file.name for file in files] == [f"train-gsm-{shard}-00000.parquet" for shard in range(3)]
    assert len({str(pl.read_parquet_schema(file)) for file in files}) == 1
    assert sorted(load(folder)["response_id"]) == table(7)["response_id"].to_list()


def asking(shards: list[str]) -> Texts:
    """The texts, and in `shards` a name for each file that they were asked for."""

    def asked(shard: str, rows: pl.DataFrame) -> Any:
        shards.append(shard)
        return texts(shard, rows)

    return asked


def many(rows: int) -> pl.DataFrame:
    """Rows whose ids are spread as hashes are."""
    return table(rows).with_columns(pl.col("response_id").str.slice(4)).sort("response_id")


def test_texts_are_read_for_the_files_alone_whose_rows_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    rows = table(9)
    write(tmp_path, rows, shards=3, texts=asking(asked))
    assert sorted(asked) == ["gsm-0", "gsm-1", "gsm-2"]
    asked.clear()
    changed = rows.with_columns(content=pl.when(response_id=key(4)).then(pl.lit("other")).otherwise("content"))
    write(tmp_path, changed, shards=3, texts=asking(asked))
    assert asked == ["gsm-1"]
    asked.clear()
    more = pl.concat([changed, table(10)[9:]])  # a shard that is new
    folder = write(tmp_path, more, shards=3, texts=asking(asked))
    once = contents(folder)
    shutil.rmtree(folder)
    assert contents(write(tmp_path, more, shards=3)) == once  # whatever was there before
    (folder / "data" / "train-gsm-2-00000.parquet").write_bytes(b"half")  # not what the manifest says
    assert contents(write(tmp_path, more, shards=3)) == once


@pytest.mark.parametrize("gone", [0, 7, 39])
def test_a_row_that_comes_or_goes_changes_its_own_file(gone: int) -> None:
    rows = many(40)
    most = 10 * int(rows["chars"][0])
    whole, less = (
        {part.name: part.content for part in parts.parts(one, "1", most)}
        for one in (rows, pl.concat([rows[:gone], rows[gone + 1 :]]))
    )
    assert len(whole) > 4
    assert len(dict(whole.items() - less.items())) <= 2  # two, where its neighbour has room for the rest


@given(
    st.lists(st.tuples(st.integers(0, 16**5 - 1), st.integers(1, 300)), unique_by=lambda one: one[0], max_size=60),
    st.integers(1, 500),
)
def test_parts_hold_every_row_once_in_order_and_no_more_than_fits(rows: list[tuple[int, int]], most: int) -> None:
    frame = pl.DataFrame(
        [(f"{number:05x}{0:027}", chars, "gsm", str(number)) for number, chars in rows],
        {"response_id": pl.String, "chars": pl.UInt32, "shard": pl.String, "content": pl.String},
        orient="row",
    )
    found = [*parts.parts(frame, "1", most)]
    assert pl.concat(part.rows for part in found).equals(frame.sort("response_id"))
    assert [part.name for part in found] == sorted({part.name for part in found})
    assert all(part.rows.height < 2 or part.rows["chars"].sum() <= most for part in found)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_row_groups_do_not_follow_how_texts_were_read(tmp_path: Path, batch: int, monkeypatch) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr(release, "ROW_GROUP", 4)
    monkeypatch.setattr(parts, "GROUP_CHARS", int(table(9)["chars"].tail(3).sum()))
    folder = write(tmp_path, table(9), texts=lambda shard, rows: texts(shard, rows, batch))
    [file] = (pq.ParquetFile(path) for path in folder.glob("data/*"))
    assert [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] == [3, 3, 3]


def test_rows_are_read_back_with_their_texts_in_the_order_of_the_table(tmp_path: Path) -> None:
    rows = table(5)
    folder = write(tmp_path, rows, shards=2)
    read = with_texts(rows.lazy(), folder).collect()
    assert read["response_id"].to_list() == rows["response_id"].to_list()
    assert read["answer"].to_list() == [f"say {one}" for one in rows["response_id"]]
    by_shard = [*rows["response_id"].gather_every(2), *rows["response_id"].gather_every(2, 1)]
    assert response_ids(folder).to_list() == by_shard
    assert [turn for chunk in chunks(folder) for _, turn in chunk] == [
        assistant_turn(f"think {one}", f"say {one}") for one in by_shard
    ]


def test_a_release_is_known_by_its_rows(tmp_path: Path) -> None:
    folder = write(tmp_path)
    assert release.is_of(folder, table())
    of_others = [(folder, table(2)), (folder, table().drop("content")), (tmp_path / "none", table())]
    assert not any(release.is_of(*one) for one in of_others)


def test_responses_that_are_not_those_of_the_decision_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    before = contents(write(tmp_path))
    with pytest.raises(ValueError, match="responses are not those that verified_set was made of, at "):
        write(tmp_path, table(4), texts=lambda shard, rows: texts(shard, rows[:-1]))
    assert contents(tmp_path / "release") == before


def test_a_release_without_rows_has_its_schema(tmp_path: Path) -> None:
    (file,) = (write(tmp_path, table().clear()) / "data").iterdir()
    assert pl.read_parquet(file).columns[0] == "messages"


def test_a_name_that_yaml_would_misread_stays_a_name(tmp_path: Path, load: Callable) -> None:
    folder = write(tmp_path, name="no: 1 #a")
    assert head(folder)["pretty_name"] == "no: 1 #a"
    assert len(load(folder)) == 3


def test_the_am_form_is_written_on_request(tmp_path: Path) -> None:
    rows = table()
    assert lines(write(tmp_path, rows)) == []
    [held] = texts("gsm-0", rows, rows.height)
    assert lines(write(tmp_path, rows, policy={"jsonl": True})) == [am_record(row) for row in held.to_dicts()]
    assert lines(write(tmp_path, rows)) == []


def test_it_is_the_same_bytes_again_and_replaces_the_one_before(tmp_path: Path) -> None:
    first = contents(write(tmp_path, table(5), policy={"jsonl": True}))
    assert contents(write(tmp_path, table(2))) != first
    assert contents(write(tmp_path, table(5), policy={"jsonl": True})) == first
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


@pytest.mark.parametrize(
    ("licenses", "said", "in_head", "in_text"),
    [
        (["mit", "mit", "cc-by-nc-4.0"], None, {"license": "cc-by-nc-4.0"}, "the strictest of the licences"),
        (["mit", "mit", None], None, {"license": "unknown"}, "at least one source says no licence"),
        (["mit", "mit", "house"], None, {"license": "other", "license_name": "house"}, "`house`, the strictest"),
        (["mit", "mit", "gpl-3.0"], "apache-2.0", {"license": "apache-2.0"}, "as the recipe says. The strictest"),
    ],
)
def test_its_licence_is_the_strictest_unless_the_recipe_says_otherwise(
    tmp_path: Path, licenses: list, said: str | None, in_head: dict, in_text: str
) -> None:
    rows = table().with_columns(license=pl.Series(licenses, dtype=pl.String), content=pl.lit("licensed"))
    folder = write(tmp_path, rows, license=said)
    assert {name: value for name, value in head(folder).items() if "license" in name} == in_head
    assert in_text in (folder / "README.md").read_text()


def test_the_card_says_how_the_rows_came_to_be(tmp_path: Path) -> None:
    folder = write(tmp_path, languages=["en", "zh"], versions={"am-assets": "0.1"})
    said = (folder / "README.md").read_text()
    for words in (
        "3 responses to 3 questions",
        "|  | wrong_answer | 6 |",
        "| gsm | 9 | 3 | 33.3% | 0.0% |",
        "The recipe drops by\nrefusal.",
        "| secret | 2 | 22.2% | 1 |",
        "| aime | cosine | 2 |",
        "| gpqa | none | 0 |",
        "| gsm | 3 | 100.0% |",
        "threshold: 0.95",
        "Content `c0ffee`: the same rows give the same.\nam-assets 0.1.",
        "![What each stage kept](images/funnel.png)",
    ):
        assert words in said, words
    assert (folder / "images" / "funnel.png").read_bytes().startswith(b"\x89PNG")
    about = head(folder)
    assert (about["size_categories"], about["language"]) == (["n<1K"], ["en", "zh"])


def test_what_a_source_is_called_breaks_no_table_of_the_card(tmp_path: Path) -> None:
    rows = table().with_columns(teacher=pl.lit("a | b\n# c"))
    assert "| a ¦ b # c | 3 | 100.0% |" in (write(tmp_path, rows) / "README.md").read_text()


@pytest.mark.slow
def test_trl_trains_on_it_as_its_card_says(tmp_path: Path, load: Callable) -> None:
    from trl import SFTConfig, SFTTrainer

    rows = load(write(tmp_path, table(4)))
    write_tiny_student(tmp_path / "student", 0)
    settings = SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, use_cpu=True, report_to="none"
    )
    trainer = SFTTrainer(str(tmp_path / "student"), args=settings, train_dataset=rows)
    assert trainer.train().training_loss > 0


@pytest.mark.slow
def test_by_the_users_door(desk: Desk, load: Callable) -> None:
    desk.edit("plain", "release", jsonl=True, license="cc-by-4.0", extra=True)
    desk.write(
        "sources.yaml", {name: one | {"license": "mit", "keep": ["question"]} for name, one in desk.sources().items()}
    )
    desk.apply("plain", select="+sft_dataset")
    folder = desk.folder / "assets" / "sft_dataset" / "plain"
    loaded, stored = load(folder), pl.read_parquet(folder.with_suffix(".parquet"))
    assert loaded["response_id"] == stored["response_id"].to_list()
    assert set(loaded["license"]) == {"mit"} and all(json.loads(one) for one in loaded["extra"])
    said = (folder / "README.md").read_text()
    assert "`cc-by-4.0`, as the recipe says. The strictest licence of its sources is `mit`." in said
    assert "| held_out |" in said and "min_reward: " in said
    assert len(lines(folder)) == len(loaded)
    before = {path: path.stat().st_ino for path in folder.glob("data/*")}
    desk.edit("plain", "verification", min_pass_rate=0.2)
    desk.apply("plain", select="+sft_dataset")
    assert before and before == {path: path.stat().st_ino for path in folder.glob("data/*")}  # not written again
