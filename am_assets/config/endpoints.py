"""Addresses, rate limits and prices of models: `data/endpoints.yaml`.

Nothing here is part of the identity of an answer. A model may have several endpoints; one without an entry is called
with the defaults of litellm.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from am_assets.config.files import ConfigError, Section, parse, read_yaml

# Must be set before litellm is imported anywhere: use the price table of the package, do not download it.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

EMBEDDED = "embedded/"
Count = Annotated[int, Field(ge=1)]
Price = Annotated[float, Field(ge=0)]  # dollars per million tokens


class Endpoint(Section):
    """One address of a model, with its limits and prices."""

    model: str | None = None  # the provider's name of the model, as litellm spells it; null: the same name
    gguf: str | None = None  # embedded models: the file; null: the bundled one
    context: Annotated[int, Field(ge=256)] = 2048  # embedded models: tokens per slot
    api_base: str | None = None
    api_key_env: str | None = None  # the *name* of an environment variable
    concurrency: Count = 4  # requests in flight; for a reward model on this machine: the batch size
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    timeout_seconds: Annotated[float, Field(gt=0)] = 600
    retries: Annotated[int, Field(ge=0)] = 5  # per request, after timeouts and malformed replies
    patience_seconds: Annotated[float, Field(ge=0)] = 600  # while the provider is unavailable: 429s, no connection
    structured: Literal["json_schema", "json_object", "none"] | None = None  # supported kind; null: litellm's table
    batch: bool = False  # use the provider's offline batch endpoint
    input_price: Price | None = None  # both prices null: litellm's table
    output_price: Price | None = None
    batch_price_factor: Annotated[float, Field(ge=0, le=1)] = 0.5

    def prices(self, model: str) -> tuple[float, float] | None:
        """Dollars per million tokens in and out; None where neither this entry nor litellm's table knows.

        Embedded models cost nothing. The provider's discounts for cached prompts are ignored.
        """
        if self.input_price is not None or self.output_price is not None:
            return self.input_price or 0, self.output_price or 0
        if model.startswith(EMBEDDED):
            return 0, 0
        import litellm

        try:
            listed = litellm.get_model_info(self.model or model)
        except Exception:  # litellm raises a plain Exception for a model that its table does not have
            return None
        return (listed["input_cost_per_token"] or 0) * 1e6, (listed["output_cost_per_token"] or 0) * 1e6

    def api_key(self, model: str) -> str | None:
        """The API key from the environment; None where litellm looks it up. `ConfigError` where there is none."""
        if self.api_key_env:
            if self.api_key_env not in os.environ:
                raise ConfigError(f"{model}: the environment variable {self.api_key_env} (its API key) is not set")
            return os.environ[self.api_key_env]
        if self.api_base or model.startswith(EMBEDDED):
            return None
        import litellm

        if missing := litellm.validate_environment(self.model or model)["missing_keys"]:
            raise ConfigError(
                f"{model}: set {' and '.join(missing)} in the environment, or api_key_env in endpoints.yaml"
            )
        return None


Endpoints = dict[str, list[Endpoint]]


def load_endpoints(path: Path) -> Endpoints:
    """Endpoints by model name; empty where there is no file. An entry is one endpoint or a list of them."""
    if not path.exists():
        return {}
    endpoints = {
        name: [parse(Endpoint, one or {}, f"{path}: {name}") for one in (entry if isinstance(entry, list) else [entry])]
        for name, entry in read_yaml(path).items()
    }
    _agree_on_limits(endpoints, path)
    return endpoints


def _agree_on_limits(endpoints: Endpoints, path: Path) -> None:
    """`ConfigError` where models of one provider account have different limits: an account's limits are shared."""
    limits: dict[tuple[str, str | None, str | None], tuple[str, dict[str, Any]]] = {}
    for name, entries in endpoints.items():
        for entry in () if name.startswith(EMBEDDED) else entries:
            account = ((entry.model or name).partition("/")[0], entry.api_base, entry.api_key_env)
            own = entry.model_dump(include={"concurrency", "requests_per_minute", "tokens_per_minute"})
            other, first = limits.setdefault(account, (name, own))
            if own != first:
                raise ConfigError(
                    f"{path}: {name}: its limits {own} are not those of {other}, {first}, though both use one account"
                    f" of {account[0]}; limits are shared by all models of an account: name the same ones in both"
                )
