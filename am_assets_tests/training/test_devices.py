"""A training spread over two processes is the training of one: the same loss at each step, the same weights."""

import json
import os
import subprocess
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.training import launch, memory
from am_assets.training.sft import Job
from am_assets.training.shapes import shape_of
from am_assets_tests.students import write_tiny_student
from am_assets_tests.training.jobs import write_released

PROGRAM = str(Path(__file__).with_name("losses.py"))
TWO = {"device": "cpu", "devices": 2}
POLICY = {"student": "tiny", "dtype": "float32", "gradient_checkpointing": False, "batch_size": 4, "epochs": 2,
          "learning_rate": 1e-2}  # fmt: skip


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_student(tmp_path_factory.mktemp("students") / "tiny")


def spread(folder: Path, student: Path, hardware: Preset, rows: int = 10, kill_at: int | None = None, **policy) -> dict:
    """What a training that is started by its command reports; 10 rows in batches of 4, so that the last one is 2. Its
    first process may be killed after so many steps; another training in its folder goes on."""
    folder.mkdir(exist_ok=True)
    sums = [(f"What is {n} + {n}?", "Add. " * (1 + n % 5), f"\\boxed{{{n + n}}}") for n in range(rows)]
    rows_of = pl.DataFrame(sums, schema=["question", "think", "answer"], orient="row")
    job = Job(
        rows=write_released(folder / "rows.parquet", rows_of),
        student=student,
        output=folder / "checkpoint",
        policy=TrainingPolicy(**(POLICY | policy)),
        hardware=hardware,
    )
    command = launch.command([PROGRAM, job.model_dump_json()], job.policy, hardware, folder)
    at = {**os.environ, "STEPS": str(folder / "steps.json"), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=at | {"KILL_AT": str(kill_at)}, capture_output=True, text=True)
    assert (done.returncode == 0) is (kill_at is None), done.stderr[-3000:]
    return json.loads((folder / "steps.json").read_text())


def weights(folder: Path) -> dict:
    from safetensors.numpy import load_file

    return load_file(folder / "checkpoint" / "model.safetensors")


def alike(one: dict, other: dict, tolerance: float = 1e-4) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert abs(values - other[name]).max() < tolerance, name


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, student: Path) -> tuple[dict, dict]:
    folder = tmp_path_factory.mktemp("alone") / "run"
    return spread(folder, student, Preset(device="cpu")), weights(folder)


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"spread": "fsdp2", "device_batch": 1}], ids=str)
def test_two_processes_have_the_losses_and_the_weights_of_one(tmp_path, student, alone, how):
    hardware = Preset(**TWO, **how)
    seen = spread(tmp_path / "run", student, hardware)
    assert len(seen["losses"]) == 6
    assert seen["losses"] == pytest.approx(alone[0]["losses"], abs=1e-4)
    assert seen["norms"] == pytest.approx(alone[0]["norms"], rel=1e-3)
    alike(weights(tmp_path / "run"), alone[1])
    policy = TrainingPolicy(**POLICY)
    model = memory.on_meta(shape_of(str(student)), policy)
    reckoned = memory.state(model.parameters(), policy, hardware)
    assert vars(reckoned) == seen["held"]


@pytest.mark.slow
def test_two_processes_that_are_killed_go_on_with_the_losses_and_the_weights_of_one(tmp_path, student, alone):
    hardware = Preset(**TWO, spread="fsdp2", save_steps=2)
    spread(tmp_path / "run", student, hardware, kill_at=3)
    seen = spread(tmp_path / "run", student, hardware)
    assert seen["steps"][0] in (3, 5), "it began anew"
    assert seen["losses"] == pytest.approx(alone[0]["losses"][seen["steps"][0] - 1 :], abs=1e-4)
    alike(weights(tmp_path / "run"), alone[1])


@pytest.mark.slow
def test_one_row_for_two_processes_is_trained_on_once(tmp_path, student):
    one, two = (
        spread(tmp_path / str(hardware.devices), student, hardware, rows=1)
        for hardware in (Preset(device="cpu"), Preset(**TWO))
    )
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-4)


@pytest.mark.slow
def test_packed_rows_are_spread_too(tmp_path, student):
    settings = {"packing": True, "max_length": 400, "batch_size": 2}
    one, two = (
        spread(tmp_path / str(hardware.devices), student, hardware, rows=14, **settings)
        for hardware in (Preset(device="cpu"), Preset(**TWO, spread="fsdp2"))
    )
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("hardware", [Preset(device="cpu"), Preset(**TWO, spread="fsdp2")], ids=["one", "two"])
def test_adapters_are_merged_into_the_checkpoint(tmp_path, student, hardware):
    from safetensors.numpy import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    pytest.importorskip("peft")
    seen = spread(tmp_path / "run", student, hardware, lora={"rank": 4, "targets": ["q_proj"]})
    assert len(seen["losses"]) == 6
    folder = tmp_path / "run" / "checkpoint"
    assert {path.name for path in folder.iterdir()}.isdisjoint({"adapter", "adapter_config.json", "training_args.bin"})
    before, after = load_file(student / "model.safetensors"), load_file(folder / "model.safetensors")
    changed = {name for name in before if (before[name] != after[name]).any()}
    assert changed and all("q_proj" in name for name in changed)
    AutoModelForCausalLM.from_pretrained(folder)
    assert AutoTokenizer.from_pretrained(folder).chat_template
