"""Checks of a recipe against `instruments.yaml`: decisions for which nothing would be measured.

Rules within one section belong to its model; names of models and benchmarks are checked in `project.py`.
"""

from collections.abc import Iterator

from am_assets.config.instruments import Instruments
from am_assets.config.recipe import Recipe
from am_assets.config.samples import UntilPass

SIMILARITIES = ("cosine", "wording", "reworded")


def unmeasured(recipe: Recipe, instruments: Instruments, where: str) -> Iterator[str]:
    """A message for each field of the recipe that needs measurements `instruments` does not ask for; it begins with
    `where`, the file or option that sets the field."""
    yield from _below_floors(recipe, instruments, where)
    yield from _without_second_opinion(recipe, instruments, where)
    yield from _too_few_samples(recipe, where)
    counted = {"first_tests": None, "min_tests_passed": 1}  # of VerificationPolicy, and what counts none
    for field, whole in counted.items() if instruments.code.stop_at_failure else ():
        if getattr(recipe.verification, field) != whole:
            yield (
                f"{where}: verification.{field} counts tests, but code.stop_at_failure of instruments.yaml runs none"
                " behind the first that fails: set it to false, or leave the field out"
            )
    if "unsafe" in recipe.verification.screens and instruments.screens.unsafe is None:
        yield f"{where}: verification.screens: unsafe, but screens.unsafe of instruments.yaml asks nobody"
    if recipe.verification.accept == "reward" and instruments.reward.judges != "every":
        yield (
            f"{where}: verification.accept: reward, but reward.judges of instruments.yaml is open: where a reference or"
            " tests could check a response there is no reward; set it to every"
        )


def _below_floors(recipe: Recipe, instruments: Instruments, where: str) -> Iterator[str]:
    """Similarities below a floor are not stored."""
    floor = instruments.pairs.floor
    if recipe.dedup.threshold < floor:
        yield (
            f"{where}: dedup.threshold: {recipe.dedup.threshold} lies under pairs.floor {floor} of"
            " instruments.yaml; such pairs are not stored: raise the one or lower the other"
        )
    floor = instruments.overlap.floor
    decontamination, touched = recipe.sampling.decontamination, recipe.evaluation.touched
    thresholds = {f"sampling.decontamination.{rule}": getattr(decontamination, rule) for rule in SIMILARITIES}
    # Its defaults hold under any floor: then from there on.
    thresholds |= {
        f"evaluation.touched.{rule}": getattr(touched, rule)
        for rule in SIMILARITIES
        if rule in touched.model_fields_set
    }
    for rule, threshold in thresholds.items():
        if threshold is not None and threshold < floor:
            yield (
                f"{where}: {rule}: {threshold} lies under overlap.floor {floor} of instruments.yaml: raise the one or"
                " lower the other"
            )


def _without_second_opinion(recipe: Recipe, instruments: Instruments, where: str) -> Iterator[str]:
    """Second opinions of a model, on overlap with benchmarks and on answers to math."""
    decontamination, confirm = recipe.sampling.decontamination, instruments.overlap.confirm
    if decontamination.confirmed != "off" and (confirm is None or decontamination.confirmed_cosine < confirm.floor):
        yield (
            f"{where}: sampling.decontamination.confirmed: {decontamination.confirmed} from cosine"
            f" {decontamination.confirmed_cosine} on, but overlap.confirm of instruments.yaml asks"
            f" {'nobody' if confirm is None else f'from {confirm.floor} on'}"
        )
    split, opinion = recipe.verification.split, instruments.math.opinion
    if split != "verifier" and opinion is None:
        yield f"{where}: verification.split: {split}, but math.opinion of instruments.yaml asks nobody"
    elif split == "both" and opinion is not None and opinion.ask != "always":
        yield (
            f"{where}: verification.split: both needs an opinion on what math-verify passes, but math.opinion of"
            f" instruments.yaml asks {opinion.ask}: set its ask to always"
        )


def _too_few_samples(recipe: Recipe, where: str) -> Iterator[str]:
    """Answers that have to agree, of which not as many are asked for. Published ones may be more, which nobody knows
    beforehand."""
    teacher, verification = recipe.teacher, recipe.verification
    reference = verification.reference
    wanted = {"min_samples": verification.min_samples} if verification.accept == "consensus" else {}
    for name, agreement in {"drop": reference.drop, "repair": reference.repair}.items():
        wanted |= {f"reference.{name}.min_samples": agreement.min_samples} if agreement else {}
    asked = teacher.samples.least if isinstance(teacher.samples, UntilPass) else teacher.samples
    for field, samples in wanted.items():
        if asked < samples and not teacher.published:
            yield (
                f"{where}: verification.{field}: {samples}, but teacher.samples asks for {asked} of each question and"
                " published responses are not used: raise the one or lower the other"
            )
