"""The shapes of models, without their weights: from a student's folder, or from a table of known ones."""

from pathlib import Path
from typing import Any

from am_assets.engines.models.bundled import BUNDLED

# By name on the hub, as their config.json says (Qwen2.5: also the technical report, arXiv 2412.15115, table 1; the
# vocabulary is padded there to a multiple of 128 or 256).
_QWEN = {"model_type": "qwen2", "max_position_embeddings": 131_072, "rope_theta": 1e6, "rms_norm_eps": 1e-5}
KNOWN: dict[str, dict[str, Any]] = {
    "Qwen/Qwen2.5-32B": _QWEN
    | {"hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 40, "num_key_value_heads": 8,
       "intermediate_size": 27_648, "vocab_size": 152_064, "tie_word_embeddings": False},
    "Qwen/Qwen2.5-7B": _QWEN
    | {"hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
       "intermediate_size": 18_944, "vocab_size": 152_064, "tie_word_embeddings": False},
    BUNDLED: {"model_type": "llama", "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9,
              "num_key_value_heads": 3, "intermediate_size": 1536, "vocab_size": 49_152, "tie_word_embeddings": True},
}  # fmt: skip


class UnknownShapeError(ValueError):
    """The model's config is neither here nor known; the message says what to do."""


def shape_of(student: str) -> Any:
    """The transformers config of a student: of its folder, else of the table. `UnknownShapeError` where it is neither;
    nothing is downloaded.

    >>> shape_of("Qwen/Qwen2.5-32B").num_hidden_layers
    64
    """
    from transformers import AutoConfig

    if Path(student).is_dir():
        return AutoConfig.from_pretrained(student)
    if student in KNOWN:
        return AutoConfig.for_model(**KNOWN[student])
    try:
        return AutoConfig.from_pretrained(student, local_files_only=True)
    except (OSError, ValueError):
        raise UnknownShapeError(
            f"the config of {student} is not on this machine, and its shape is not among {', '.join(KNOWN)}: download"
            " its config.json to a folder and name that"
        ) from None
