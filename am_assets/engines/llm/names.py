"""Validation of model names, offline and before anything is asked.

Names that litellm's tables list are accepted at once; it is imported only for the others.

    >>> misnamed("opnai/gpt-4o-mini", {})
    'opnai/gpt-4o-mini: no provider opnai is known (did you mean openai/gpt-4o-mini?): write ...'
"""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from am_assets.config.alike import alike
from am_assets.config.endpoints import EMBEDDED, STUDENT, Endpoint, Endpoints
from am_assets.config.instruments import LOCAL
from am_assets.config.providers import chat_providers, listed_models
from am_assets.engines.models.bundled import BUNDLED

ALIKE = 0.75  # similarity ratio of a typo
KNOWN_BARE = {"openai", "anthropic"}  # providers whose models litellm accepts without a prefix


def misnamed(model: str, endpoints: Endpoints) -> str | None:
    """What is wrong with the name of a model, and what to write instead; None where it is valid."""
    if model.startswith(EMBEDDED):
        return _not_embedded(model, endpoints)
    named = [(endpoint.model or model, endpoint) for endpoint in endpoints.get(model) or [Endpoint()]]
    faults = (_not_known(model if endpoint.serve else name, endpoint) for name, endpoint in named)
    return next(filter(None, faults), None)


def misnamed_entries(endpoints: Endpoints) -> Iterator[str]:
    """The errors of the names in `endpoints`, each with its entry."""
    for name in endpoints:
        if name.partition("/")[0] == STUDENT:
            if not all(entry.serve for entry in endpoints[name]):
                yield f"{name}: serve: is missing: without it a student answers in the process of the run"
        elif not name.startswith(LOCAL) and (fault := misnamed(name, endpoints)):
            yield f"{name}: {fault}"


def _not_embedded(model: str, endpoints: Endpoints) -> str | None:
    entries = endpoints.get(model) or [Endpoint()]
    if all(_has_weights(model, entry) for entry in entries):
        return None
    known = [BUNDLED, *(name for name in endpoints if name.startswith(EMBEDDED) and name != model)]
    return (
        f"there is no embedded model {model}{alike(model, known, ALIKE)}: bundled is {BUNDLED}; any other"
        " needs an entry in endpoints.yaml whose `gguf:` names its file, or"
        " whose `serve:` and `model:` say what serves which weights"
    )


def _has_weights(model: str, entry: Endpoint) -> bool:
    """Whether it is known what weights answer for an embedded model."""
    if entry.serve and entry.serve.engine != "llama":
        return bool(entry.model)
    return model == BUNDLED or bool(entry.gguf)


def _not_known(name: str, endpoint: Endpoint) -> str | None:
    provider, slash, rest = name.partition("/")
    listed = provider in chat_providers() if slash else name in _bare()
    if (rest or not slash) and (listed or _litellm_knows(name, endpoint)):
        return None
    who = f"no provider {provider} is known" if slash and rest else "it names no provider and no model"
    return (
        f"{name}: {who}{_suggestion(name)}: write <provider>/<model> as litellm spells it, openai/<model> for a server"
        " of yours that speaks the OpenAI protocol, or say so by `model:` of its entry in endpoints.yaml"
    )


def _suggestion(name: str) -> str:
    """The model that was probably meant as ` (did you mean …?)`; empty where none is similar."""
    provider, slash, rest = name.strip().partition("/")
    if slash:
        near = get_close_matches(provider.lower(), [*chat_providers(), EMBEDDED.strip("/")], n=1, cutoff=ALIKE)
        return f" (did you mean {near[0]}/{rest}?)" if near and rest else ""
    whole = f"{listed_models().get(name, {}).get('litellm_provider')}/{name}"
    return f" (did you mean {whole}?)" if whole in listed_models() else alike(name, _bare(), ALIKE)


def _litellm_knows(name: str, endpoint: Endpoint) -> bool:
    import litellm

    litellm.suppress_debug_info = True  # else it prints
    try:
        litellm.get_llm_provider(name, api_base=endpoint.api_base, api_key="none" if endpoint.api_base else None)
    except Exception:  # each provider raises types of its own
        return False
    return True


@cache
def _bare() -> list[str]:
    """Models that litellm accepts without a provider; fine-tuned ones are left to litellm itself."""
    listed = ((name, entry.get("litellm_provider")) for name, entry in listed_models().items())
    return [name for name, provider in listed if provider in KNOWN_BARE and not name.startswith("ft:")]
