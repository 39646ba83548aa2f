"""Folders of models in the layout of Hugging Face: whether one holds a whole model."""

import json
from pathlib import Path
from typing import Any

CONFIG, ADAPTER, INDEX = "config.json", "adapter_config.json", "model.safetensors.index.json"


def no_model(folder: Path) -> str | None:
    """Why a folder holds no model of its own; None where it does."""
    if (folder / ADAPTER).is_file() and not (folder / CONFIG).is_file():
        base = _read(folder / ADAPTER).get("base_model_name_or_path") or "another model"
        return f"{folder}: a LoRA adapter of {base} and no model by itself: merge it into that, and name the result"
    if not (folder / CONFIG).is_file():
        return f"{folder}: the folder holds no {CONFIG}, so no model"
    shards = sorted({*_read(folder / INDEX).get("weight_map", {}).values()}) or [
        path.name for path in sorted(folder.glob("*.safetensors"))
    ]
    if not shards:
        pickled = next((path.name for path in sorted(folder.glob("*.bin"))), None)
        other = f"only {pickled}, which could run code: convert it" if pickled else "no weights: add them"
        return f"{folder}: no *.safetensors here, {other}"
    if cut := [name for name in shards if not _is_whole(folder / name)]:
        return f"{folder}: {', '.join(cut[:3])}: missing or cut off: copy the weights there again"
    return None


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_whole(weights: Path) -> bool:
    """Whether a file of safetensors is as long as its header says."""
    try:
        with weights.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, 100_000_000)))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return weights.stat().st_size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
