"""The generation config of a student: what transformers writes, and where answers end."""

import json
from pathlib import Path
from typing import Any


def writable(model: Any) -> Any:
    """The model with a generation config that transformers writes: it reads those with a temperature of bases that do
    not say that they sample, and refuses to write them, at the end of a training. `ValueError` for any other fault."""
    config = model.generation_config
    try:
        config.validate(strict=True)
    except ValueError:
        config.do_sample = True
        config.validate(strict=True)
    return model


def stops_at(student: Path, end: int) -> None:
    """Let generation stop at the token that ends the assistant's turn, and nowhere before: base models know another one
    alone, and some have a limit of a few thousand tokens, at which servers would cut every answer off."""
    file = student / "generation_config.json"
    config = json.loads(file.read_text())
    known = config.get("eos_token_id")
    ends = [known] if isinstance(known, int) else known or []
    config["eos_token_id"] = known if end in ends else [*ends, end]
    kept = {name: value for name, value in config.items() if name not in ("max_new_tokens", "max_length")}
    file.write_text(json.dumps(kept, indent=2) + "\n")
