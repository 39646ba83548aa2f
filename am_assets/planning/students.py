"""Checks of a student before anything is spent on its data: that it is a model, and that its chat template can be
trained with."""

from collections.abc import Iterator

from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.bundled import BUNDLED
from am_assets.runtime.quoting import quoted
from am_assets.training.tokens import Template, TemplateError


def template_faults(policy: TrainingPolicy) -> Iterator[str]:
    """Why the tokenizer or the chat template of a student can't be trained with."""
    if policy.student == BUNDLED:
        return
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(policy.student)
    except Exception as error:  # each tokenizer raises its own
        yield f"{policy.student}: no tokenizer that can be loaded ({quoted(error)}): add that of the model"
        return
    try:
        Template(tokenizer, policy.system_prompt).end_token()
    except TemplateError as error:
        yield f"{policy.student}: {error}"
