"""What litellm's tables say of providers, models and prices, read as files: to import litellm takes seconds.

It is imported for what the tables do not list, which is mostly mistyped or a provider's alias.
"""

import importlib.util
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

# Must be set before litellm is imported anywhere: use the price table of the package, do not download it.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# The variables with the key of a provider, of which any one suffices; of others litellm is asked.
NAMED_ALIKE = ["cerebras", "dashscope", "deepinfra", "deepseek", "groq", "mistral", "moonshot", "openai", "xai"]
KEYS = {
    "anthropic": ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
    "gemini": ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    **{name: [f"{name.upper()}_API_KEY"] for name in [*NAMED_ALIKE, "openrouter"]},
}


@cache
def chat_providers() -> set[str]:
    """The providers that litellm lists with chat completions."""
    listed = _table("provider_endpoints_support_backup.json")["providers"]
    return {name for name, provider in listed.items() if provider["endpoints"].get("chat_completions")}


@cache
def listed_models() -> dict[str, dict[str, Any]]:
    """litellm's bundled table of models and prices."""
    return _table("model_prices_and_context_window_backup.json")


def facts(model: str) -> dict[str, Any]:
    """The entry of a model in that table; empty where litellm finds none."""
    listed = listed_models()
    provider, _, rest = model.partition("/")
    if model in listed:
        return listed[model]
    if listed.get(rest, {}).get("litellm_provider") == provider:
        return listed[rest]
    import litellm

    litellm.suppress_debug_info = True  # else it prints
    try:
        return listed.get(litellm.get_model_info(model)["key"], {})
    except Exception:  # litellm raises a plain Exception for a model that its table does not have
        return {}


def listed_prices(model: str) -> tuple[float, float] | None:
    """Dollars a token in and out, thinking at its own price; None where the table has none, or several by length."""
    entry = facts(model)
    paid, written = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    if paid is None or written is None:
        return None
    return paid, max(written, entry.get("output_cost_per_reasoning_token") or 0)


def missing_keys(model: str) -> list[str]:
    """The variables with the key of a model that are to be set."""
    provider, slash, _ = model.partition("/")
    if slash and provider in KEYS:
        return [] if any(map(os.environ.get, KEYS[provider])) else KEYS[provider][:1]
    import litellm

    missing: list[str] = litellm.validate_environment(model)["missing_keys"]
    return missing


def _table(name: str) -> dict[str, Any]:
    spec = importlib.util.find_spec("litellm")
    assert spec and spec.origin, "litellm is one of this package's own requirements"
    table: dict[str, Any] = json.loads((Path(spec.origin).parent / name).read_bytes())
    return table
