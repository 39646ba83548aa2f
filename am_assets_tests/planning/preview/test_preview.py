"""A preview is what an apply would do, and leaves no trace: on a small project with the real embedded model."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from am_assets.config.files import ConfigError
from am_assets_tests.desk import MODEL, Desk

pytestmark = [pytest.mark.model, pytest.mark.slow]
LEVELS = ["very_easy", "easy", "medium", "hard", "very_hard", "unlabelled"]
FEWER = {level: 0.4 for level in LEVELS}  # whatever the labels are


def seen(desk: Desk, recipe: str, *changes: str):
    plan = desk.open([recipe], "+verified_set")
    from am_assets.planning.preview.whatif import preview
    from am_assets.project import project

    return preview(plan, project(), recipe, list(changes))


def everything(folder: Path) -> dict[Path, bytes]:
    """All files but those that say which copies of a store a process reads."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".reading" not in path.parts}


def kept(desk: Desk, asset: str, recipe: str) -> pl.DataFrame:
    return pl.read_parquet(desk.folder / "assets" / asset / f"{recipe}.parquet").filter("kept")


def counts(compared) -> tuple:
    return compared.groups.filter(by="all").select("before", "after", "gained", "lost").row(0)


def requests(preview) -> dict[str, int]:
    asked: dict[str, int] = {}
    for step, estimate in preview.asked:
        asked[step.asset] = asked.get(step.asset, 0) + estimate.requests
    return asked


def test_a_preview_shows_what_an_apply_then_does_and_changes_no_byte(applied: Desk, model_server) -> None:
    before = everything(applied.folder)
    preview = seen(applied, "plain", f"sampling.rates={json.dumps(FEWER)}", "verification.min_reward=0.1")
    assert everything(applied.folder) == before
    assert model_server.requests == 0
    assert preview.outdated == []
    assert 0 < preview.questions.reasons.select("rows").sum().item() < 10
    assert preview.questions.reasons["reason"].to_list() == ["downsampled"]

    was = {asset: kept(applied, asset, "plain").height for asset in ("selected_questions", "verified_set")}
    applied.edit("plain", "sampling", rates=FEWER)
    applied.edit("plain", "verification", min_reward=0.1)
    as_it_stands = seen(applied, "plain")
    assert as_it_stands.questions.groups.equals(preview.questions.groups)
    assert as_it_stands.responses.groups.equals(preview.responses.groups)
    applied.apply("plain", select="+verified_set")
    for asset, compared in [("selected_questions", preview.questions), ("verified_set", preview.responses)]:
        rows = kept(applied, asset, "plain")
        assert counts(compared)[:2] == (was[asset], rows.height)
        groups = compared.groups.filter(pl.col("after") > 0)
        for by in ("source", "category", "difficulty"):
            assert dict(groups.filter(by=by).select("group", "after").rows()) == dict(rows[by].value_counts().rows())
    assert model_server.requests == 0


def test_what_another_recipe_asked_costs_nothing_and_its_answers_are_candidates(applied: Desk) -> None:
    kept_before = kept(applied, "verified_set", "other").height
    applied.edit("other", "sampling", rates=dict.fromkeys(LEVELS, 0.15))
    applied.apply("other", select="+verified_set")
    preview = seen(applied, "other", "sampling.rates=null")
    assert preview.questions.groups.filter(by="source", group="asked").row(0)[2:] == (0, 1, 1, 0)
    assert requests(preview)["responses"] == 0
    assert counts(preview.responses)[1] == kept_before

    plan = applied.open(["other"], "+verified_set")
    from am_assets.planning.costs import Costs
    from am_assets.planning.preview.overlay import overlay
    from am_assets.planning.preview.requests import Added
    from am_assets.project import project
    from am_assets.storage.stored import StoredTables

    here = project()
    stored = StoredTables(here.assets)
    assert "asked" not in stored.read("verified_set", "other")["shard"]
    with overlay(plan, here.assets) as aside:
        aside.replace("selected_questions", "other", stored.read("selected_questions", "plain"))
        added = Added(stored, aside, "other", here.recipes["other"].teacher, everything=False)
        assert list(added.estimates(Costs(here, stored, [], ["other"])))
        added.put()
        aside.run(["verified_set"], "other")
        assert "asked" in aside.store.read("verified_set", "other")["shard"]


def test_a_teacher_never_asked_is_counted_with_its_judge_and_its_price(applied: Desk) -> None:
    prices = {"api_base": "http://127.0.0.1:1/v1", "api_key_env": "NONE", "input_price": 5, "output_price": 50}
    applied.write("endpoints.yaml", {MODEL: prices})
    preview = seen(applied, "plain", "teacher.temperature=0.5", "teacher.published=false")
    assert requests(preview) == {"responses": 10, "reward_scores": 2}
    assert all(estimate.dollars > 0 for _, estimate in preview.asked if estimate.requests)
    assert counts(preview.responses)[1] == 0


def test_second_opinions_on_its_answers_are_counted_with_their_price(applied: Desk) -> None:
    prices = {"api_base": "http://127.0.0.1:1/v1", "api_key_env": "NONE", "input_price": 5, "output_price": 50}
    applied.write("endpoints.yaml", {MODEL: prices})
    instruments = yaml.safe_load((applied.folder / "instruments.yaml").read_text())
    applied.write("instruments.yaml", {**instruments, "math": {"opinion": {"model": MODEL}}})
    preview = seen(applied, "plain", "teacher.temperature=0.5", "teacher.published=false")
    assert requests(preview) == {"responses": 10, "math_verdicts": 6, "reward_scores": 2}  # six have a reference
    opinions = [estimate for step, estimate in preview.asked if step.asset == "math_verdicts" and estimate.requests]
    assert all(estimate.dollars > 0 and not estimate.exact for estimate in opinions)
    assert preview.to_dict()["would_ask"]["math_verdicts"]


def test_a_section_that_no_decision_reads_changes_no_row(applied: Desk) -> None:
    preview = seen(applied, "plain", "training.epochs=2")
    assert counts(preview.questions) == (10, 10, 0, 0)
    assert preview.asked == []


def test_what_is_not_up_to_date_is_listed_and_what_is_not_there_is_named(applied: Desk) -> None:
    applied.rows("open", [{"question": "Why is the sky blue?"}])
    outdated = [(step.asset, step.partition) for step in seen(applied, "plain", "verification.keep=first").outdated]
    assert outdated[0] == ("raw_pool", "open")
    assert ("deduped_set", "plain") in outdated
    assert ("verified_set", "plain") not in outdated
    applied.remove("benchmark_overlap", "held_out")
    with pytest.raises(ConfigError, match="benchmark_overlap"):
        seen(applied, "other", "sampling.languages=[en]")
    applied.remove("question_features", "sums")
    with pytest.raises(ConfigError, match=r"not there yet: question_features\[sums\]; materialize first: am apply"):
        seen(applied, "plain", "dedup.threshold=0.9")


def test_in_the_terminal_it_is_a_table_or_json(applied: Desk) -> None:
    from am_assets.cli import app

    applied.open(None, None)
    change = f"sampling.rates={json.dumps(FEWER)}"
    shown = CliRunner().invoke(app, ["preview", "-r", "plain", "--set", change])
    assert shown.exit_code == 0, shown.output
    assert "downsampled" in shown.output
    told = json.loads(CliRunner().invoke(app, ["preview", "-r", "plain", "--set", change, "--json"]).stdout)
    assert told["questions"]["all"]["before"] == 10
    assert sum(told["questions"]["lost_because"].values()) == told["questions"]["all"]["lost"]
    assert set(told["questions"]["by"]) == {"source", "category", "difficulty"}
