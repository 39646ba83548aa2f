"""Questions for reinforcement learning: which are released, how pass rates count, and the forms of three trainers."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from am_assets.config.sets import RlPolicy
from am_assets.storage.schemas import RlDataset
from am_assets.training import sets
from am_assets.training.rl import ASKED, TEXTS, card, forms, measured, rl_rows, with_texts
from am_assets.verification.verifiers import VERIFIERS

AGAINST = {name: verifier.against for name, verifier in VERIFIERS.items()}
NO = {"no_verifier": 0, "unmeasured": 0, "min_pass_rate": 0, "max_pass_rate": 0, "released": 0}
TESTS = json.dumps({"inputs": ["1"], "outputs": ["2"]})
RULES = json.dumps([{"id": "punctuation:no_comma", "kwargs": {}}])
QUESTIONS = {  # by id: reference, tests, constraints, verifiers
    "open": (None, None, None, []),
    "sum": ("19", None, None, ["math"]),
    "task": ("unused", TESTS, None, ["code"]),
    "told": (None, None, RULES, ["instructions"]),
    "both": ("7", None, RULES, ["math", "instructions"]),
}


def selected(*ids: str, kept: bool = True) -> pl.DataFrame:
    beside = {"shard": "gsm-1", "source": "gsm", "category": "math", "difficulty": "easy", "kept": kept}
    return pl.DataFrame({"question_id": ids}).with_columns(pl.lit(value).alias(name) for name, value in beside.items())


def pool(shard: str = "gsm-1") -> pl.DataFrame:
    names = ["reference_answer", "test_cases", "constraints", "verifiers"]
    rows = [{"question_id": name, **dict(zip(names, row, strict=True))} for name, row in QUESTIONS.items()]
    frame = pl.DataFrame(rows, schema_overrides={"verifiers": pl.List(pl.String)})
    beside = {"shard": pl.lit(shard), "license": pl.lit("mit"), "question": pl.lit("ask ") + pl.col("question_id")}
    return frame.with_columns(**beside)


def verified(*rows: tuple[str, bool | None], repaired: str | None = None, dropped: str | None = None) -> pl.DataFrame:
    """(question, whether its verifier passed it) of each response."""
    table = pl.DataFrame(rows, schema={"question_id": pl.String, "passed": pl.Boolean}, orient="row")
    beside = {"teacher": "r1", "repaired_reference": repaired, "drop_reason": dropped}
    return table.with_columns(
        pl.col("passed").mean().over("question_id").alias("pass_rate"),
        *(pl.lit(value, pl.String).alias(name) for name, value in beside.items()),
    )


def tried(passed: int, failed: int, question: str = "sum", **more: str) -> pl.DataFrame:
    return verified(*[(question, True)] * passed, *[(question, False)] * failed, **more)


def rl_table(
    selected: pl.DataFrame, of: pl.DataFrame, features: pl.DataFrame, pool: pl.DataFrame, policy: RlPolicy
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The table with its texts, as `orchestration.texts` reads them."""
    asked = pool.select(*ASKED, "license", referenced=pl.col("reference_answer").is_not_null())
    rows, outcomes = rl_rows(selected, of, features, asked, policy)
    return with_texts(rows, rows.select(ASKED).join(pool.select(*ASKED, *TEXTS), on=ASKED, how="left")), outcomes


def formed(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return forms(table, 0, AGAINST, table["replaced_reference"].is_not_null().any())


def released(of: pl.DataFrame, *ids: str, **policy: Any) -> tuple[pl.DataFrame, dict[str, int]]:
    return rl_table(selected(*ids or ["sum"]), of, pool(), pool(), RlPolicy(**policy))


def test_a_row_is_a_question_with_what_checks_it_and_how_often_it_passed():
    table, outcomes = released(tried(3, 1))
    RlDataset.validate(table, cast=True)
    (row,) = table.to_dicts()
    assert row["prompt"] == [{"role": "user", "content": "ask sum"}]
    assert (row["reference_answer"], row["test_cases"], row["verifiers"]) == ("19", None, ["math"])
    assert (row["attempts"], row["passes"], row["pass_rate"], row["teachers"]) == (4, 3, 0.75, ["r1"])
    assert outcomes == NO | {"released": 1}


def test_what_no_verifier_checks_and_what_was_not_selected_is_left_out():
    table, outcomes = released(verified(), *QUESTIONS)
    assert table["question_id"].to_list() == ["both", "sum", "task", "told"]
    assert outcomes == NO | {"no_verifier": 1, "released": 4}
    assert rl_table(selected("sum", kept=False), verified(), pool(), pool(), RlPolicy())[1] == NO


def test_attempts_are_the_responses_that_a_verifier_could_tell_of():
    rates = measured(verified(("sum", True), ("sum", None), ("sum", False), ("task", False), ("open", None)))
    found = {row["question_id"]: (row["attempts"], row["passes"], row["pass_rate"]) for row in rates.to_dicts()}
    assert found == {"sum": (2, 1, 0.5), "task": (1, 0, 0.0), "open": (0, 0, None)}


def test_a_repaired_reference_is_what_answers_are_checked_against_and_a_doubtful_one_goes():
    table, outcomes = released(tried(3, 1, repaired="20"))
    assert table.select("reference_answer", "replaced_reference").row(0) == ("20", "19")
    assert outcomes == NO | {"released": 1}
    found = formed(table)
    assert found["trl"].select("solution", "replaced_reference").row(0) == ("20", "19")
    assert found["verl"]["reward_model"][0]["ground_truth"] == found["openrlhf"]["label"][0] == "20"
    assert found["verl"]["extra_info"][0]["replaced_reference"] == "19"
    assert released(tried(3, 1, dropped="reference_doubtful"))[1] == NO | {"reference_doubtful": 1}
    as_it_was = formed(released(tried(3, 1))[0])
    assert not any("replaced_reference" in str(form.schema) for form in as_it_was.values())


def test_rates_have_bounds_which_belong_to_them():
    for policy in ({"min_pass_rate": 0.75}, {"max_pass_rate": 0.75}, {}):
        assert released(tried(3, 1), **policy)[1] == NO | {"released": 1}
    assert released(tried(3, 1), min_pass_rate=0.76)[1] == NO | {"min_pass_rate": 1}
    assert released(tried(3, 1), max_pass_rate=0.74)[1] == NO | {"max_pass_rate": 1}
    assert released(tried(0, 2), min_pass_rate=0.01)[1] == NO | {"min_pass_rate": 1}
    assert released(tried(0, 2))[1] == NO | {"released": 1}
    with pytest.raises(ValueError, match=r"min_pass_rate 0.9 lies above max_pass_rate 0.1"):
        RlPolicy(min_pass_rate=0.9, max_pass_rate=0.1)


def test_what_was_not_measured_stays_unless_the_recipe_drops_it():
    table, outcomes = released(verified(("sum", None)), min_pass_rate=0.5)
    assert table.select("attempts", "pass_rate", "teachers").row(0) == (0, None, [])
    assert outcomes == NO | {"released": 1}
    assert released(verified(), unmeasured="drop")[1] == NO | {"unmeasured": 1}
    assert released(tried(1, 0), unmeasured="drop")[1] == NO | {"released": 1}


def test_a_question_that_the_pool_lacks_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"1 question not in the pool, first sum"):
        rl_table(selected("sum"), verified(), pool(), pool("zoo"), RlPolicy())


def test_each_trainer_gets_the_form_that_it_reads():
    table, _ = released(tried(1, 1), *QUESTIONS)
    found = {name: {one["question"]: one for one in _named(rows)} for name, rows in formed(table).items()}
    assert found["trl"]["sum"]["solution"] == "19"
    assert found["trl"]["task"]["test_cases"] == TESTS
    verl = found["verl"]["sum"]
    assert (verl["data_source"], verl["ability"]) == ("gsm", "math")
    assert verl["reward_model"] == {"style": "rule", "ground_truth": "19"}
    assert (verl["extra_info"]["index"], verl["extra_info"]["split"], verl["extra_info"]["pass_rate"]) == (
        1,
        "train",
        0.5,
    )
    truths = {"sum": "19", "task": TESTS, "told": RULES, "both": "7"}
    assert {name: row["reward_model"]["ground_truth"] for name, row in found["verl"].items()} == truths
    assert {name: row["label"] for name, row in found["openrlhf"].items()} == truths
    beside = {name: row["extra_info"]["constraints"] for name, row in found["verl"].items()}
    assert beside == {"sum": None, "task": None, "told": None, "both": RULES}
    assert found["openrlhf"]["sum"]["datasource"] == "gsm"


def _named(rows: pl.DataFrame) -> list[dict]:
    key = "input" if "input" in rows.columns else "prompt"
    return [{**row, "question": row[key][0]["content"].removeprefix("ask ")} for row in rows.to_dicts()]


def release(folder: Path) -> Path:
    table, outcomes = released(tried(1, 1), *QUESTIONS)
    told = card("demo", table, outcomes, RlPolicy())
    list(sets.written(folder, [table], table.clear(), lambda rows, at: forms(rows, at, AGAINST, False), told))
    return folder


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`datasets.load_dataset` without a network and with a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    return lambda folder, *form: load_dataset(str(folder), *form, split="train", cache_dir=str(tmp_path / "cache"))


def test_a_release_loads_in_each_form_and_without_a_name_in_that_of_trl(tmp_path: Path, load):
    folder = release(tmp_path / "set")
    assert "solution" in load(folder).column_names
    for form, column in {"trl": "solution", "verl": "reward_model", "openrlhf": "label"}.items():
        rows = load(folder, form)
        assert column in rows.column_names
        assert len(rows) == 4


def test_the_card_counts_what_there_is(tmp_path: Path):
    text = (release(tmp_path) / "README.md").read_text()
    assert "4 questions that a verifier can check" in text
    assert "| no reference, tests or constraints | 1 |" in text
    assert "| 0.5 to 0.75 | 1 |" in text
    assert "| none | 3 |" in text
    assert "| gsm | mit | 4 |" in text


def test_files_hold_the_same_rows_in_every_form_however_they_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file is full at so many bytes of text, and rows are numbered through all of them."""
    table, _ = released(tried(1, 1), *QUESTIONS)
    monkeypatch.setattr(sets, "FILE_BYTES", 60)
    monkeypatch.setattr(sets, "ROW_GROUP", 1)
    written = []
    for name, frames in {
        "whole": [table],
        "rows": [*table.iter_slices(1)],
        "uneven": [table[:0], table[:3], table[3:]],
    }.items():
        passed = sets.written(
            tmp_path / name, frames, table.clear(), lambda one, at: forms(one, at, AGAINST, False), ""
        )
        assert pl.concat(passed).equals(table)
        files = sorted((tmp_path / name / "data").iterdir())
        written.append({file.name: file.read_bytes() for file in files})
        for form, rows in formed(table).items():
            parts = [pl.read_parquet(file) for file in files if file.name.startswith(form)]
            assert len(parts) > 1
            assert pl.concat(parts).equals(rows.with_columns(pl.col(pl.Enum).cast(pl.String)))
    assert written[0] == written[1] == written[2]


def test_bands_hold_every_value_once():
    values = pl.Series([0, 0.1, 0.5, 0.99, 1, None], dtype=pl.Float64)
    assert sets.bands(values, [0, 0.5, 1]) == [("0 to 0.5", 2), ("0.5 to 1", 3), ("none", 1)]


@pytest.mark.slow
def test_trl_takes_a_step_on_the_release_with_its_own_reward(tmp_path: Path, load):
    from transformers import AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer
    from trl.rewards import accuracy_reward

    from am_assets_tests.students import write_tiny_student

    student = str(write_tiny_student(tmp_path / "student"))
    rows = load(release(tmp_path / "set"), "trl").filter(lambda row: row["verifiers"] == ["math"])
    settings = GRPOConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, num_generations=2,
        max_completion_length=4, use_cpu=True, bf16=False, report_to="none", save_strategy="no", logging_steps=1,
    )  # fmt: skip
    trainer = GRPOTrainer(
        student,
        reward_funcs=accuracy_reward,
        args=settings,
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(student),
    )
    trainer.train()
    (entry,) = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert entry["reward"] == 0  # bytes at random are no 19
    assert accuracy_reward([[{"role": "assistant", "content": "\\boxed{19}"}]], solution=rows["solution"]) == [1.0]
