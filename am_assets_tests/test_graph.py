"""The shape of the graph: its assets, what each reads, and who may import whom."""

import ast
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parent.parent
POOL = {"raw_pool", "question_features", "question_labels"}
GRAPH = {
    "dedup_policy": set(),
    "sampling_policy": set(),
    "teacher_policy": set(),
    "verification_policy": set(),
    "preference_policy": set(),
    "rl_policy": set(),
    "training_policy": set(),
    "evaluation_policy": set(),
    "release_policy": set(),
    "raw_pool": set(),
    "question_features": {"raw_pool"},
    "question_labels": {"raw_pool"},
    "question_embeddings": {"raw_pool"},
    "similar_pairs": {"question_embeddings"},
    "benchmark_questions": set(),
    "benchmark_overlap": {"benchmark_questions", "raw_pool", "question_embeddings"},
    "benchmark_hits": {"benchmark_questions", "raw_pool", "question_embeddings"},
    "deduped_set": {"dedup_policy", *POOL, "question_embeddings", "similar_pairs"},
    "selected_questions": {
        "sampling_policy", "teacher_policy", "deduped_set", "question_features", "question_labels", "benchmark_overlap",
    },
    "teacher_requests": {"teacher_policy", "selected_questions", "raw_pool"},
    "responses": {"teacher_requests", "raw_pool"},
    "response_features": {"responses", "raw_pool"},
    "math_verdicts": {"response_features", "raw_pool"},
    "code_verdicts": {"response_features", "raw_pool"},
    "instruction_verdicts": {"response_features", "raw_pool"},
    "answer_consensus": {"response_features", "raw_pool"},
    "reward_scores": {"response_features", "raw_pool"},
    "response_screens": {"responses", "raw_pool"},
    "verified_set": {
        "verification_policy", "teacher_policy", "selected_questions", "question_features", "teacher_requests",
        "responses", "response_features", "math_verdicts", "code_verdicts", "instruction_verdicts",
        "answer_consensus", "reward_scores", "response_screens",
    },
    "sft_dataset": {
        "release_policy", "verified_set", "response_features", "responses", "raw_pool",
        "dedup_policy", "sampling_policy", "teacher_policy", "verification_policy",  # what the card says of it
        "deduped_set", "selected_questions",
    },
    "preference_dataset": {"preference_policy", "verified_set", "responses", "raw_pool"},
    "rl_dataset": {"rl_policy", "selected_questions", "verified_set", "question_features", "raw_pool"},
    "sft_checkpoint": {"training_policy", "sft_dataset"},
    "training_log": {"sft_checkpoint"},
    "benchmark_responses": {"evaluation_policy", "sft_checkpoint", "benchmark_questions"},
    "benchmark_verdicts": {"benchmark_responses", "benchmark_questions"},
    "benchmark_consensus": {"benchmark_responses", "benchmark_questions"},
    "touched_items": {"sft_dataset", "sft_checkpoint", "benchmark_hits"},
    "eval_scores": {
        "evaluation_policy", "benchmark_responses", "benchmark_verdicts", "benchmark_consensus", "touched_items",
    },
    "question_scores": {"evaluation_policy", "benchmark_responses", "benchmark_verdicts", "touched_items"},
    "experiment_report": {"sft_dataset", "verified_set", "sft_checkpoint", "question_scores", "responses"},
    "recipe_report": {
        "evaluation_policy", "deduped_set", "selected_questions", "verified_set", "sft_dataset", "training_log",
        "eval_scores", "responses", "raw_pool",
    },
}  # fmt: skip


def definitions() -> dg.Definitions:
    from am_assets.definitions import build_definitions
    from am_assets.project import project

    return build_definitions(project())


def test_the_graph_is_the_one_the_design_draws() -> None:
    graph = definitions().resolve_asset_graph()
    drawn = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert drawn == GRAPH


def test_every_asset_is_partitioned_grouped_and_described() -> None:
    graph = definitions().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.is_partitioned, key
        assert node.group_name in {
            "recipe",
            "pool",
            "selection",
            "distillation",
            "verification",
            "training",
            "evaluation",
            "experiments",
        }
        assert len(node.description or "") > 40, key


def test_every_table_has_a_schema_check_and_an_id_check() -> None:
    checks = {
        (check.asset_key.to_user_string(), check.name) for check in definitions().resolve_asset_graph().asset_check_keys
    }
    assert {(name, check) for name in GRAPH for check in ("schema", "unique_ids")} <= checks


def test_imports_keep_to_the_contract() -> None:
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.alone
def test_the_code_location_loads_without_the_heavy_libraries() -> None:
    script = (
        "import sys, am_assets.definitions;"
        "heavy = ['torch', 'transformers', 'sentence_transformers', 'trl', 'litellm', 'docker'];"
        "print([name for name in heavy if name in sys.modules])"
    )
    started = time.monotonic()
    loaded = subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]", loaded.stderr
    assert time.monotonic() - started < 20


def test_a_run_that_dagster_starts_lets_its_threads_sleep_while_they_wait() -> None:
    script = "import os, am_assets.definitions; print(os.environ['OMP_WAIT_POLICY'])"
    bare = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    loaded = subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, env=bare, capture_output=True)
    assert loaded.stdout.strip() == b"passive", loaded.stderr


def test_the_whole_location_can_be_loaded_with_its_sensors_and_its_schedule() -> None:
    dg.Definitions.validate_loadable(definitions())
    repository = definitions().get_repository_def()
    assert {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs} == {
        name: "RUNNING" for name in ("alerts", "files", "decisions_follow", "free_evidence_follows", "lost_retries")
    }
    assert {schedule.name: schedule.default_status.value for schedule in repository.schedule_defs} == {
        "fill_evidence": "STOPPED"
    }


def test_files_and_functions_stay_short_and_the_root_holds_folders() -> None:
    package = ROOT / "am_assets"
    lines = {path: path.read_text().count("\n") for path in package.rglob("*.py") if path.name != "__init__.py"}
    assert max(lines.values()) < 300, max(lines, key=lambda path: lines[path])
    assert statistics.median(lines.values()) < 110
    trees = {path: ast.walk(ast.parse(path.read_text())) for path in package.rglob("*.py")}
    functions = {
        (path.name, node.name): (node.end_lineno or 0) - node.lineno + 1
        for path, nodes in trees.items()
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert max(functions.values()) < 60, max(functions, key=lambda name: functions[name])
    root = {path.name for path in package.iterdir() if path.is_file()}
    assert root == {"__init__.py", "definitions.py", "notebook.py", "project.py", "launcher.py", "py.typed"}
