"""What stands in the way of planned trainings: a recipe that the hardware can't train, or devices that are not here."""

from collections.abc import Iterable, Iterator

from am_assets.config.files import ConfigError
from am_assets.config.hardware import BY_NAME
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.devices import gpus, preset_here
from am_assets.planning.steps import Step
from am_assets.project import Project
from am_assets.training import launch
from am_assets.training.adapters import missing_targets
from am_assets.training.shapes import UnknownShapeError, shape_of


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
    for recipe in recipes:
        policy, where = here.recipe(recipe).training, here.where(recipe)
        yield from (f"{where}: {fault} (hardware.yaml: {name})" for fault in launch.contradictions(policy, preset))
        yield from (f"{file}: {name}: {fault}" for fault in launch.not_here(policy, preset, gpus()))
        yield from (f"{where}: training.lora.targets: {fault}" for fault in _without_targets(policy))


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
