"""Checks of a student before anything is spent on its data: that it is a language model as its config says, and that
its chat template can be trained with."""

from collections.abc import Iterator
from pathlib import Path

from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.bundled import BUNDLED
from am_assets.engines.models.loading import misfit
from am_assets.runtime.quoting import quoted
from am_assets.training.tokens import PROBE, Template, TemplateError


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
