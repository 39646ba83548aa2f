"""The card of a trained student: what it was made of, and how it is asked."""

from pathlib import Path

from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.bundled import BUNDLED
from am_assets.training.card import TAGS, as_yaml, template
from am_assets.training.watching import Metrics


def student_card(policy: TrainingPolicy, metrics: Metrics, end: str, opened: bool) -> str:
    """Markdown with a YAML head that the hub reads. `end` is the token that ends a turn; `opened`: the prompt opens the
    <think> part. A base in a folder of this machine is told by that folder's name."""
    local = policy.student == BUNDLED or Path(policy.student).is_dir()
    base = Path(policy.student).resolve().name if local else policy.student
    head = {
        **({} if local else {"base_model": base}),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": [*TAGS, "sft"],
    }
    settings = policy.model_dump(mode="json") | {"student": base}
    return str(
        template("student_card").render(
            head=as_yaml(head),
            name=base,
            policy=policy,
            metrics=metrics,
            end=end,
            opened=opened,
            settings=as_yaml({"training": settings}),
        )
    )
