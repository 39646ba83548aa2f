"""`am train --dry-run` and what `am plan` says of trainings that can't be: nothing is spent, no GPU is needed."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml

from am_assets.config.cluster import Cluster, Launcher
from am_assets.config.files import ConfigError
from am_assets.config.hardware import PRESETS, Preset, chosen, load_hardware
from am_assets.config.recipe import TrainingPolicy
from am_assets.orchestration.tables import content_version
from am_assets.planning import trainings
from am_assets.project import project
from am_assets.storage.stored import settings
from am_assets_tests.commands import am
from am_assets_tests.desk import Desk
from am_assets_tests.students import write_tiny_student

SMALL = {"batch_size": 4, "max_length": 64}
TRAIN = [SimpleNamespace(asset="sft_checkpoint", partition="plain")]


@pytest.fixture
def tiny(untaught: Desk) -> Desk:
    write_tiny_student(untaught.folder / "tiny")
    untaught.edit("plain", "training", student=str(untaught.folder / "tiny"), **SMALL)
    return untaught


def dry(desk: Desk, *arguments: str) -> tuple[int, dict]:
    told = am(desk, "train", "-r", "plain", "--dry-run", "--json", *arguments)
    return told.exit_code, json.loads(told.stdout)


def refused(desk: Desk) -> list[str]:
    from am_assets.project import project

    desk.open(None, None)
    return [*trainings.in_the_way(project(), TRAIN)]


def test_the_first_preset_that_fits_is_chosen_and_each_other_says_why_not(tiny: Desk) -> None:
    tiny.write("hardware.yaml", {
        "tight": {"memory_gb": 0.0001},
        "three": {"devices": 3, "memory_gb": 80},
        "eight": {"devices": 2, "memory_gb": 80, "spread": "fsdp2"},
        "nodes": {"devices": 2, "machines": 2, "memory_gb": 80},
    })  # fmt: skip
    code, told = dry(tiny)
    why = {one["preset"]: " ".join(one["why_not"]) for one in told["fits"]}
    assert (code, told["chosen"]) == (0, "eight")
    assert "parameters, gradients and optimizer alone, which has 0.0" in why["tight"]
    assert "training.batch_size 4 can't be shared by 3 devices" in why["three"] and "6 can" in why["three"]
    assert (why["eight"], why["nodes"]) == ("", "")
    assert told["tokens_a_step"] == 4 * 64
    assert told["accelerate"]["distributed_type"] == "FSDP" and told["accelerate"]["num_processes"] == 2
    assert "accelerate.commands.launch --config_file accelerate.yaml" in told["command"]
    parts = next(one for one in told["fits"] if one["preset"] == "eight")["device_gb"]
    assert {"parameters", "gradients", "optimizer", "activations", "loss, or one layer", "buffers"} < parts.keys()
    assert all(size > 0 for size in parts.values())


def test_a_named_preset_that_is_too_small_is_shown_and_the_command_fails(tiny: Desk) -> None:
    tiny.write("hardware.yaml", {"tight": {"memory_gb": 0.0001}, "wide": {"memory_gb": 80}})
    code, told = dry(tiny, "--hardware", "tight")
    assert (code, told["chosen"]) == (1, "tight")
    none = am(tiny, "train", "-r", "plain", "--dry-run", "--hardware", "other")
    assert none.exit_code == 2 and "hardware.yaml: no preset other: it has tight, wide" in none.stderr


def test_what_is_told_in_words_names_parts_command_and_assumptions(tiny: Desk) -> None:
    tiny.write("hardware.yaml", {"pair": {"devices": 2, "memory_gb": 80, "utilization": 0.25}})
    told = am(tiny, "train", "-r", "plain", "--dry-run").stdout
    for words in ("pair: of each device", "optimizer", "256 tokens a step at most", "hours for a billion tokens",
                  "25% of 989 TFLOP/s a device: assumed, not measured", "# accelerate.yaml", "MULTI_GPU"):  # fmt: skip
        assert words in told, told


@pytest.mark.parametrize(
    ("preset", "policy", "says"),
    [
        ({"devices": 2}, {}, "hardware.yaml: it: devices: 2, but no GPU is here"),
        ({"device": "cpu", "devices": 3}, {}, "plain.yaml: training.batch_size 4 can't be shared by 3 devices"),
        ({"device": "cpu"}, {"optimizer": "adamw_8bit"}, "needs torchao, which is not installed: pip install 'am-"),
        ({"device": "cpu"}, {"lora": {"targets": ["q_proj", "qkv"]}}, "tiny has no linear module qkv: name some"),
        ({"spread": "zero3", "devices": 2}, {}, "spread: zero3 needs deepspeed, which is not installed: pip install"),
        ({"spread": "fsdp2", "sequence_parallel": 2, "devices": 2}, {"packing": True}, "lets packed rows see one"),
        ({"devices": 2, "machines": 2}, {}, "without launcher.ray an apply trains on this one alone"),
    ],
)
def test_a_training_that_the_hardware_cannot_do_is_refused_beforehand(tiny, monkeypatch, preset, policy, says) -> None:
    monkeypatch.setenv("AM_HARDWARE", "it")
    tiny.write("hardware.yaml", {"it": preset})
    tiny.edit("plain", "training", **policy)
    assert says in "\n".join(refused(tiny))


def test_what_a_cluster_lacks_for_several_machines_is_said_beforehand(tiny, monkeypatch) -> None:
    monkeypatch.setattr(trainings, "machines", lambda _: [{"cpu": 4.0, "gpu": 8.0}] * 3 + [{"cpu": 4.0}])
    monkeypatch.setattr(trainings, "silence", lambda _: None)
    monkeypatch.setenv("AM_HARDWARE", "it")
    tiny.write("hardware.yaml", {"it": {"devices": 8, "machines": 4, "spread": "fsdp2"}})
    tiny.edit("plain", "training", batch_size=32)
    tiny.open(None, None)

    def said(gpus: float) -> list[str]:
        launcher = Launcher(ray="http://h:1", resources={"gpu": {"gpu": gpus}})
        return [*trainings.in_the_way(replace(project(), cluster=Cluster(launcher=launcher)), TRAIN)]

    (few,) = said(8)
    assert "it: machines: 4, and of those of the Ray cluster 3 have what each takes (8 gpu): start more" in few
    assert "it: devices: 8, and a run of the pool gpu takes 1 GPUs of its machine: set launcher.resources" in said(1)[0]
    monkeypatch.setattr(trainings, "machines", lambda _: [{"gpu": 8.0}] * 4)
    assert said(8) == []


def test_nothing_is_in_the_way_of_a_training_on_this_machine(tiny: Desk) -> None:
    assert refused(tiny) == []
    tiny.edit("plain", "training", lora={"targets": ["q_proj", "down_proj"]})
    assert [line for line in refused(tiny) if "targets" in line] == []


def test_a_preset_is_chosen_by_name_or_by_the_gpus_that_are_there() -> None:
    assert chosen(PRESETS, None, gpus=0)[0] == "cpu"
    assert chosen(PRESETS, None, gpus=1)[0] == "one_gpu"
    assert chosen(PRESETS, None, gpus=8)[0] == "node_of_8"
    assert chosen(PRESETS, None, gpus=4) == ("node_of_8", PRESETS["node_of_8"].model_copy(update={"devices": 4}))
    assert chosen(PRESETS, "nodes", gpus=0)[1].processes == 32
    with pytest.raises(ConfigError, match="no preset large: it has cpu, one_gpu, node_of_8, nodes"):
        chosen(PRESETS, "large", gpus=1)
    with pytest.raises(ConfigError, match="no preset for a machine without a GPU"):
        chosen({"one": Preset()}, None, gpus=0)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"spread": "fsdp3"}, "one: spread: Input should be"),
        ({"device": "cpu", "spread": "zero3"}, "device: cpu goes without zero3"),
        ({"offload": True}, "offload need spread: fsdp2 or zero3"),
        ({"devices": 8, "spread": "zero3", "sequence_parallel": 3}, "sequence_parallel 3 does not divide 8"),
    ],
)
def test_a_preset_that_cannot_be_is_named_with_its_file_and_field(tmp_path, entry, says) -> None:
    (tmp_path / "hardware.yaml").write_text(yaml.safe_dump({"one": entry}))
    with pytest.raises(ConfigError, match=r"hardware\.yaml: one: ") as error:
        load_hardware(tmp_path / "hardware.yaml")
    assert says in str(error.value)


def test_fields_at_their_defaults_are_no_part_of_a_stored_policy() -> None:
    """Or all checkpoints of an earlier version would be trained again."""
    policy = TrainingPolicy(student="any")
    recipe = SimpleNamespace(training=policy)
    later = {"parameters", "optimizer", "loss", "lora"}
    assert later.isdisjoint(policy.model_dump()) and later.isdisjoint(settings(recipe, "training")["setting"])
    other = {"optimizer": "adamw_8bit", "lora": {"rank": 8}, "loss": "dft", "parameters": "bfloat16"}
    for name, value in other.items():
        changed = SimpleNamespace(training=TrainingPolicy(student="any", **{name: value}))
        assert name in changed.training.model_dump()
        assert content_version(settings(changed, "training")) != content_version(settings(recipe, "training"))
    with pytest.raises(ValueError, match="can't be computed with in dtype float32"):
        TrainingPolicy(student="any", parameters="bfloat16", dtype="float32")
