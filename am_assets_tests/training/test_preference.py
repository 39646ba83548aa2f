"""Pairs for preference training: who is chosen, who is rejected, which pairs stay, and what readers load."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from am_assets.config.sets import PreferencePolicy
from am_assets.config.vocabulary import RESPONSE_DROPS, VERDICTS
from am_assets.storage.schemas import PreferenceDataset
from am_assets.training import dataset, preference, sets
from am_assets.training.preference import card

NO = {"no_chosen": 0, "no_rejected": 0, "min_reward_gap": 0, "max_length_ratio": 0, "paired": 0}
VERIFIED = {
    "response_id": pl.String, "question_id": pl.String, "verdict": pl.Enum(VERDICTS), "kept": pl.Boolean,
    "drop_reason": pl.Enum(RESPONSE_DROPS), "reward": pl.Float32, "evidence": pl.String,
}  # fmt: skip


def row(
    name: str, verdict: str = "pass", dropped: str | None = None, reward: float | None = None, **other: Any
) -> dict:
    """A candidate of question `q`, checked by math, or by its reward where it has one."""
    evidence = "math" if reward is None else "reward"
    found = {"response_id": name, "question_id": "q", "verdict": verdict, "drop_reason": dropped, "reward": reward}
    return found | {"kept": dropped is None, "evidence": evidence} | other


def wrong(name: str, **other: Any) -> dict:
    return row(name, "fail", "wrong_answer", **other)


def verified(*rows: dict) -> pl.DataFrame:
    beside = {"source": "gsm", "shard": "gsm", "category": "math", "difficulty": "easy", "teacher": "r1",
              "detail": "math: 4 is not 5"}  # fmt: skip
    return pl.DataFrame(rows, schema=VERIFIED).with_columns(pl.lit(value).alias(name) for name, value in beside.items())


def features(of: pl.DataFrame, **answers: str) -> pl.DataFrame:
    ids = of["response_id"].to_list()
    said = [answers.get(name, f"say {name}") for name in ids]
    return pl.DataFrame({"response_id": ids, "think": "so", "answer": said}, schema_overrides={"answer": pl.String})


def pool(*ids: str) -> pl.DataFrame:
    asked = pl.DataFrame({"question_id": ids or ["q"]})
    return asked.with_columns(
        shard=pl.lit("gsm"), license=pl.lit("mit"), question=pl.lit("ask ") + pl.col("question_id")
    )


def preference_table(
    of: pl.DataFrame, responses: pl.DataFrame, pool: pl.DataFrame, policy: PreferencePolicy
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The table with its texts, as `orchestration.texts` reads them."""
    said = responses.select(
        "response_id", text="answer", chars=pl.sum_horizontal(pl.col("think", "answer").str.len_chars())
    )
    pairs, outcomes = preference.pairs(of, said, pool.drop("question"), policy)
    turns = responses.select(id="response_id", said=dataset.TURN)
    texts = pl.concat([turns, pool.select(id="question_id", said="question")])
    wanted = preference.texts_of(pairs).join(texts, on="id", how="left").sort("place")
    return preference.with_texts(pairs, wanted), outcomes


def paired(*rows: dict, answers: dict[str, str] | None = None, **policy: Any) -> tuple[pl.DataFrame, dict[str, int]]:
    of = verified(*rows)
    asked = pool(*of["question_id"].unique())
    return preference_table(of, features(of, **answers or {}), asked, PreferencePolicy(**policy))


def ids(table: pl.DataFrame) -> list[tuple[str, str]]:
    return table.select("chosen_id", "rejected_id").rows()


def test_a_pair_is_three_chats_and_what_is_known_of_both_sides():
    table, outcomes = paired(row("a"), wrong("b"))
    PreferenceDataset.validate(table)
    (found,) = table.to_dicts()
    assert found["prompt"] == [{"role": "user", "content": "ask q"}]
    assert found["chosen"] == [{"role": "assistant", "content": "<think>so</think>\n<answer>say a</answer>"}]
    assert found["rejected"] == [{"role": "assistant", "content": "<think>so</think>\n<answer>say b</answer>"}]
    assert (found["question_id"], found["source"], found["license"]) == ("q", "gsm", "mit")
    assert (found["chosen_verdict"], found["rejected_verdict"]) == ("pass", "fail")
    assert (found["rejected_because"], found["evidence"]) == ("wrong_answer", "math")
    assert outcomes == NO | {"paired": 1}


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [("fail", "wrong_answer"), ("fail", "failed_tests"), ("fail", "broken_constraints")],
)
def test_what_failed_its_check_is_rejected(verdict: str, reason: str):
    assert ids(paired(row("a"), row("b", verdict, reason))[0]) == [("a", "b")]


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        ("unverifiable", "unverifiable"),
        ("fail", "truncated"),
        ("fail", "malformed"),
        ("fail", "repetitive"),
        ("fail", "leaked"),
        ("fail", "unchecked"),
        ("pass", "not_chosen"),
    ],
)
def test_what_is_unknown_or_has_a_fault_of_form_is_not(verdict: str, reason: str):
    table, outcomes = paired(row("a"), row("b", verdict, reason))
    assert ids(table) == []
    assert outcomes == NO | {"no_rejected": 1}


def test_faults_of_form_are_rejected_where_the_recipe_says_so():
    rows = row("a"), row("b", "pass", "repetitive")
    assert ids(paired(*rows, reject=["repetitive"])[0]) == [("a", "b")]
    assert ids(paired(*rows, reject=["leaked"])[0]) == []
    with pytest.raises(ValueError, match="reject"):
        PreferencePolicy(reject=["truncated"])


def test_every_failure_of_a_verifier_rejects_by_default():
    from am_assets.verification.verifiers import VERIFIERS

    assert {one.drop_reason for one in VERIFIERS.values()} | {"low_reward"} == {*PreferencePolicy().reject}


@pytest.mark.parametrize("verdict", ["unverifiable", "fail"])
def test_a_response_that_is_kept_without_a_pass_is_not_chosen(verdict: str):
    table, outcomes = paired(row("a", verdict), wrong("b"))
    assert ids(table) == []
    assert outcomes == NO | {"no_chosen": 1}


def low(name: str, reward: float) -> dict:
    return row(name, "fail", "low_reward", reward)


def test_rewards_that_are_equal_or_too_close_make_no_pair():
    assert paired(row("a", reward=0.7), low("b", 0.7))[1] == NO | {"min_reward_gap": 1}  # a minimum dropped the other
    assert paired(row("a", reward=0.7), low("b", 0.65))[1] == NO | {"min_reward_gap": 1}
    assert paired(row("a", reward=0.6), low("b", 0.8))[1] == NO | {"min_reward_gap": 1}
    assert ids(paired(row("a", reward=0.7), low("b", 0.6))[0]) == [("a", "b")]  # 0.7 - 0.6 is 0.1 here
    assert ids(paired(row("a", reward=0.7), low("b", 0.65), min_reward_gap=0.05)[0]) == [("a", "b")]
    with pytest.raises(ValueError, match="min_reward_gap"):
        PreferencePolicy(min_reward_gap=0)


def test_a_verdict_needs_no_gap():
    right, other = row("a", reward=0.2, evidence="math"), wrong("b", reward=0.9, evidence="math")
    assert paired(right, other)[0]["reward_gap"].to_list() == pytest.approx([-0.7])


def test_a_question_gives_its_widest_pairs_first_then_by_id():
    rows = row("a", reward=0.8), row("b", reward=0.9), low("c", 0.1), low("d", 0.1), low("e", 0.5)
    assert ids(paired(*rows)[0]) == [("b", "c")]
    assert ids(paired(*rows, pairs=2)[0]) == [("b", "c"), ("b", "d")]
    assert ids(paired(*rows, pairs=3)[0]) == [("a", "c"), ("b", "c"), ("b", "d")]
    assert len(paired(*rows, pairs=None)[0]) == 6
    assert ids(paired(*reversed(rows), pairs=2)[0]) == [("b", "c"), ("b", "d")]


def test_lengths_may_have_to_be_alike():
    rows, answers = (row("a"), wrong("b"), wrong("c")), {"a": "x" * 18, "b": "x" * 38, "c": "x" * 40}  # and two of `so`
    assert ids(paired(*rows, answers=answers, max_length_ratio=2, pairs=None)[0]) == [("a", "b")]
    assert paired(*rows, answers=answers, max_length_ratio=1.9)[1] == NO | {"max_length_ratio": 1}


def test_responses_of_the_same_text_are_one():
    rows, answers = (row("a"), row("b"), wrong("c"), wrong("d")), {"a": "4", "b": "4", "c": "5", "d": "5"}
    assert ids(paired(*rows, answers=answers, pairs=None)[0]) == [("a", "c")]


def test_sides_are_of_one_question():
    rows = row("a"), wrong("b"), row("c", question_id="r"), wrong("d", question_id="r"), row("e", question_id="s")
    table, outcomes = paired(*rows)
    assert ids(table) == [("a", "b"), ("c", "d")]
    assert outcomes == NO | {"paired": 2, "no_rejected": 1}


def test_a_side_without_text_or_question_is_an_error_that_names_it():
    of = verified(row("a"), wrong("b"))
    with pytest.raises(ValueError, match=r"response b has no text"):
        preference_table(of, features(of).filter(pl.col("response_id") == "a"), pool(), PreferencePolicy())
    with pytest.raises(ValueError, match=r"1 pair without question, first q"):
        preference_table(of, features(of), pool("other"), PreferencePolicy())


def release(folder: Path, *rows: dict) -> Path:
    table, outcomes = paired(*rows)
    told = card("demo", table, outcomes, PreferencePolicy())
    list(sets.written(folder, [table], table.clear(), preference.forms, told))
    return folder


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`datasets.load_dataset` without a network and with a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    return lambda folder: load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))


def test_a_release_loads_by_its_folder(tmp_path: Path, load):
    (found,) = load(release(tmp_path / "pairs", row("a"), wrong("b"))).to_list()
    assert found["rejected"] == [{"role": "assistant", "content": "<think>so</think>\n<answer>say b</answer>"}]
    assert (found["rejected_verdict"], found["rejected_because"]) == ("fail", "wrong_answer")


def test_a_release_without_pairs_is_a_file_without_rows(tmp_path: Path):
    none = pl.read_parquet(release(tmp_path, row("a")) / "data" / "train-00000.parquet")
    assert none.is_empty()
    assert none.columns == PreferenceDataset.column_names()


def test_a_release_is_the_same_bytes_again_and_is_split_where_it_is_large(tmp_path: Path, monkeypatch):
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file()}

    rows = [one(f"{name}{i}", question_id=f"q{i}") for i in range(4) for one, name in ((row, "a"), (wrong, "b"))]
    release(tmp_path / "set", *rows)
    first = contents()
    assert set(first) == {"README.md", "train-00000.parquet"}
    monkeypatch.setattr(sets, "FILE_BYTES", 1)
    monkeypatch.setattr(sets, "ROW_GROUP", 1)
    release(tmp_path / "set", *rows)
    assert len(contents()) == 5
    assert pl.read_parquet(tmp_path / "set" / "data")["chosen_id"].to_list() == ["a0", "a1", "a2", "a3"]
    monkeypatch.undo()
    release(tmp_path / "set", *rows)
    assert contents() == first


def test_the_card_counts_what_there_is(tmp_path: Path):
    text = (release(tmp_path, row("a"), wrong("b"), row("c", question_id="r")) / "README.md").read_text()
    assert "1 pair of a chosen and a rejected response, for 1 question" in text
    assert "| one, and none that was rejected | 1 |" in text
    assert "| gsm | mit | 1 |" in text
    assert "`mit`, the strictest of the licences of its sources." in text
    assert "min_reward_gap: 0.1" in text


@pytest.mark.slow
def test_trl_takes_a_step_on_the_release(tmp_path: Path, load):
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    from am_assets_tests.students import write_tiny_student

    student = str(write_tiny_student(tmp_path / "student"))
    rows = load(
        release(tmp_path / "pairs", row("a"), wrong("b"), row("c", question_id="r"), wrong("d", question_id="r"))
    )
    settings = DPOConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False,
        report_to="none", save_strategy="no", logging_steps=1,
    )  # fmt: skip
    trainer = DPOTrainer(
        student, args=settings, train_dataset=rows, processing_class=AutoTokenizer.from_pretrained(student)
    )
    trainer.train()
    (entry,) = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert entry["loss"] == pytest.approx(0.693, abs=0.01)  # ln 2: the model is its own reference
    assert "rewards/margins" in entry
