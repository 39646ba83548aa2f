"""What stands in the way of planned trainings: a recipe that the hardware can't train, devices that are not here, or a
student that is no language model as its config says or whose chat template can't be trained with."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from am_assets.config.cluster import FILE, Launcher
from am_assets.config.files import ConfigError
from am_assets.config.hardware import BY_NAME, Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.bundled import BUNDLED
from am_assets.engines.models.devices import gpus, preset_here
from am_assets.engines.models.loading import misfit
from am_assets.engines.ray_head import machines, silence
from am_assets.planning.steps import Step
from am_assets.project import Project
from am_assets.runtime.quoting import quoted
from am_assets.training import launch
from am_assets.training.adapters import missing_targets
from am_assets.training.shapes import UnknownShapeError, shape_of
from am_assets.training.tokens import PROBE, Template, TemplateError


def in_the_way(here: Project, steps: Iterable[Step]) -> Iterator[str]:
    """A message for each fault, with file, field and what to do; nothing where no training is planned."""
    recipes = dict.fromkeys(step.partition for step in steps if step.asset == "sft_checkpoint")
    if not recipes:
        return
    file = here.data / "hardware.yaml"
    try:
        name, preset = preset_here(here.hardware)
    except ConfigError as error:
        yield f"{BY_NAME}: {error}"
        return
    placed = bool(here.launcher and here.launcher.ray)
    if preset.machines > 1 and here.launcher and placed:
        yield from (f"{file}: {name}: {fault}" for fault in _no_room(here, preset, here.launcher))
    for recipe in recipes:
        policy, where = here.recipe(recipe).training, here.where(recipe)
        yield from (f"{where}: {fault} (hardware.yaml: {name})" for fault in launch.contradictions(policy, preset))
        yield from (f"{file}: {name}: {fault}" for fault in launch.not_here(policy, preset, gpus(), placed))
        yield from (f"{where}: training.lora.targets: {fault}" for fault in _without_targets(policy))


def _no_room(here: Project, preset: Preset, launcher: Launcher) -> Iterator[str]:
    """What a cluster lacks for a training over several of its machines."""
    takes = launcher.takes(["gpu"])
    if preset.device == "gpu" and takes.get("gpu", 0) < preset.devices:
        yield (
            f"devices: {preset.devices}, and a run of the pool gpu takes {takes.get('gpu', 0):g} GPUs of its machine:"
            f" set launcher.resources.gpu of {FILE} to {{gpu: {preset.devices}}}, or devices to less"
        )
    if launcher.ray is None or silence(launcher.ray):
        return  # said elsewhere
    fit = [one for one in machines(launcher.ray) if all(one.get(name, 0) >= much for name, much in takes.items())]
    if len(fit) < preset.machines:
        said = ", ".join(f"{much:g} {name}" for name, much in takes.items())
        yield (
            f"machines: {preset.machines}, and of those of the Ray cluster {len(fit)} have what each takes ({said}):"
            " start more, or name a preset with fewer"
        )


def _without_targets(policy: TrainingPolicy) -> Iterator[str]:
    if policy.lora is None or not policy.lora.targets:
        return
    import torch
    from transformers import AutoModelForCausalLM

    try:
        shape = shape_of(policy.student)
    except UnknownShapeError:
        return  # the student's own check says so
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(shape)
    for name in missing_targets(model, policy.lora):
        yield f"{policy.student} has no linear module {name}: name some of those it has, or null for all"


def training_faults(policy: TrainingPolicy) -> Iterator[str]:
    """Why the weights, the tokenizer or the chat template of a student can't be trained with."""
    if policy.student == BUNDLED:
        return
    from transformers import AutoConfig, AutoTokenizer

    if Path(policy.student).is_dir() and (fault := misfit(Path(policy.student))):
        yield fault
        return

    try:
        tokenizer = AutoTokenizer.from_pretrained(policy.student)
    except Exception as error:  # each tokenizer raises its own
        yield f"{policy.student}: no tokenizer that can be loaded ({quoted(error)}): add that of the model"
        return
    try:
        [(prompt, turn)] = Template(tokenizer, policy.system_prompt).tokenize([PROBE])
    except TemplateError as error:
        yield f"{policy.student}: {error}"
        return
    known = AutoConfig.from_pretrained(policy.student).get_text_config().vocab_size
    if unknown := sorted({*tokenizer.convert_ids_to_tokens([one for one in prompt + turn if one >= known])}):
        yield (
            f"{policy.student}: the model has {known:,} embeddings, and none for {', '.join(unknown)} of its tokenizer:"
            " resize_token_embeddings of the model, and save it anew"
        )
