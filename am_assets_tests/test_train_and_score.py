"""The last third of the graph at a user's door: a training that is killed and goes on, its student served by a real
server and scored on five published benchmarks (items of our own), and what can be said against its untrained self."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psutil
import pytest
import yaml

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.engines.models.student import generate
from am_assets.engines.serving import release_all
from am_assets.evaluation import asking
from am_assets.storage.memo import Memo
from am_assets.training.resume import PREFIX, folder_of
from am_assets_tests.commands import am, applied
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.evaluation import published_items
from am_assets_tests.services import command_of, environment, until
from am_assets_tests.students import write_tiny_student

pytestmark = pytest.mark.slow
BENCHMARKS = ["aime2024", "gpqa_diamond", "gsm8k", "ifeval", "livecodebench"]
QUESTIONS, STEPS = 8, 120
SCORED = ("-r", "plain", "-s", "+eval_scores or +training_log")
TRAINER = "am_assets.training.sft"
SAMPLING = {"temperature": 0, "top_p": 1, "max_tokens": 70}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[Desk]:
    """Questions whose answer the teacher puts into a box, which a student learns in a moment. IFEval asks the same, and
    wants a box."""
    pytest.importorskip("fastapi", reason="the extra `serving` is not installed")
    folder = tmp_path_factory.mktemp("trained")
    desk = small_project(folder / "project", models, questions=QUESTIONS, shards=1, start_timeout=120)
    desk.write("sources.yaml", {"asked0": desk.source("asked0", 0)})
    published_items.write(desk)
    wanted = {"instruction_id_list": ["keywords:existence"], "kwargs": [{"keywords": ["boxed"]}]}
    pool = pl.read_ndjson(desk.folder / "pool" / "asked0.jsonl")["question"]
    items = [{"key": at, "prompt": question, **wanted} for at, question in enumerate(pool)]
    published_items.write_rows(desk.folder / "pool" / "ifeval1.jsonl", "jsonl", items)
    training = {**TASTE["training"], "student": str(write_tiny_student(folder / "student")), "learning_rate": 0.01,
                "epochs": STEPS * 2 / QUESTIONS}  # fmt: skip
    evaluation = {"benchmarks": BENCHMARKS, "samples": 1, **SAMPLING}
    sampling = {"decontamination": {"benchmarks": []}}
    desk.recipe("plain", TASTE | {"sampling": sampling, "training": training, "evaluation": evaluation})
    desk.write("hardware.yaml", {"cpu": {"device": "cpu", "save_steps": 2}})
    endpoints = yaml.safe_load((desk.folder / "endpoints.yaml").read_text())
    served = {"serve": {"engine": "transformers", "arguments": {"dtype": "float32"}}}
    desk.write("endpoints.yaml", endpoints | {"student": served})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))  # servers of its own
        patch.setattr(tempfile, "tempdir", str(folder))
        yield at_desk(desk.folder, models, patch)
        release_all()


def table(desk: Desk, *parts: str) -> pl.DataFrame:
    return pl.read_parquet(desk.folder.joinpath("assets", *parts).with_suffix(".parquet"))


def kill_once_it_has_saved(desk: Desk) -> str:
    """`am apply`, killed with -9 while its student is trained; the name of the checkpoint that was not made."""
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "apply", *SCORED]
    said = desk.folder / "said.log"
    with said.open("w") as log, subprocess.Popen(command, env=environment(desk.folder), stdout=log, stderr=log) as run:
        checkpoints = desk.folder / "assets" / "checkpoints"

        def saved() -> list[Path]:
            assert run.poll() is None, said.read_text()
            return [*checkpoints.glob(f".*.resume/{PREFIX}*")]

        first = until(saved, "a resumable checkpoint", every=0.02)[0]
        trainers = [one for one in psutil.Process(run.pid).children(True) if TRAINER in " ".join(command_of(one))]
        run.kill()
    assert trainers and psutil.wait_procs(trainers, timeout=30)[1] == []  # it ends with its run
    return first.parent.name.removeprefix(".").removesuffix(".resume")


def said_in_training(desk: Desk) -> list[str]:
    with desk.instance() as instance:
        logs = [record.message for run in instance.get_runs() for record in instance.all_logs(run.run_id)]
    return [line for line in logs if re.match(r"goes on after|step \d+ of", line)]


def test_a_student_is_trained_in_spite_of_a_kill_served_scored_and_compared_with_its_untrained_self(desk: Desk) -> None:
    identity = kill_once_it_has_saved(desk)
    checkpoint = desk.folder / "assets" / "checkpoints" / identity
    assert not checkpoint.exists() and folder_of(checkpoint).exists()

    assert {*applied(desk, *SCORED).values()} == {"done"}
    said = said_in_training(desk)
    assert any(re.match(rf"goes on after step \d+ of {STEPS}$", line) for line in said)
    assert any(line.startswith(f"step {STEPS} of {STEPS}, loss") for line in said)
    [trained], log = table(desk, "sft_checkpoint", "plain").to_dicts(), table(desk, "training_log", "plain")
    assert (trained["steps"], trained["rows"], trained["path"]) == (STEPS, QUESTIONS, f"checkpoints/{identity}")
    assert log["step"].to_list() == list(range(1, STEPS + 1))  # those of before the kill among them
    assert [path.name for path in checkpoint.parent.iterdir()] == [identity]

    assert {*Memo(desk.folder / "memo").known("generations").collect()["engine"]} == {"transformers"}
    here = pl.concat(generate(checkpoint, _asked(desk), dtype="float32", **SAMPLING)).sort("key")
    theirs = table(desk, "benchmark_responses", "ifeval", "plain").filter(student="trained").sort("item_id")
    assert theirs["response"].to_list() == here["response"].to_list()  # the server's are those of the weights

    scored = {one["benchmark"]: one["recipes"]["plain"] for one in json.loads(am(desk, "scores", "--json").stdout)}
    assert {*scored} == {*BENCHMARKS}
    passed = {
        (name, one["student"]): (one["value"], one["questions"])
        for name, found in scored.items()
        for one in found["scores"]
        if (one["metric"], one["items"]) == ("pass@1", "all")
    }
    assert {questions for (name, _), (_, questions) in passed.items() if name == "livecodebench"} == {2}
    assert [passed["ifeval", who][0] for who in ("untrained", "trained", "gain")] == [0, 1, 1]
    assert "Trained is better than untrained by 100.0 points" in scored["ifeval"]["sentences"][0]
    assert "can't be told apart" in scored["aime2024"]["sentences"][0]


def _asked(desk: Desk) -> pl.DataFrame:
    prompts = asking.prompts(table(desk, "benchmark_questions", "ifeval"), EvaluationPolicy(samples=1))
    return prompts.select("messages", "seed", key="item_id")
