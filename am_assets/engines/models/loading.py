"""Whether transformers makes of a folder the language model that its weights are: seen by loading them without data.

What a config asks for and the weights lack would be random numbers, after no more than a line in a log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from am_assets.runtime.quoting import quoted

SHOWN = 3  # names of weights in a message


def misfit(folder: Path) -> str | None:
    """Why the weights of a folder, which are there (`folders.no_model`), are no language model that can be trained;
    None where they are."""
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder)
        if quantized := getattr(config, "quantization_config", None):
            method = quantized.get("quant_method") if isinstance(quantized, dict) else quantized.quant_method
            return f"{folder}: its weights are quantized ({method}), which can't be trained: name those that are not"
        with _quiet():
            loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
                folder, device_map="meta", ignore_mismatched_sizes=True, output_loading_info=True
            )
            model, found = loaded
    except Exception as error:  # an unknown architecture, a broken file: each raises its own type
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        return f"{folder}: transformers makes no language model of it: {quoted(said)}"
    named, made = next(iter(config.architectures or []), "none"), type(model).__name__
    if named != made:  # trl goes by that name
        return f"{folder}: the first of `architectures` in its config.json is {named}, where a student has {made}"
    wrong = {str(name) for name in found["missing_keys"]} | {name for name, *_ in found["mismatched_keys"]}
    if wrong:
        some = ", ".join(sorted(wrong)[:SHOWN])
        return (
            f"{folder}: its weights lack, or have in other shapes, {len(wrong)} of those that its config.json asks for"
            f" ({some}): weights and config are of two models, or a file is missing"
        )
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the report and the bar of loading."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    level, shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
