"""Addresses, rate limits and prices of models: `data/endpoints.yaml`.

Nothing here is part of the identity of an answer. A model may have several endpoints; one without an entry is called
with the defaults of litellm. An endpoint with `serve` (`config/serve.py`) is a server that is started while it is
needed, here or where a cluster has room; so is, here, that of every embedded model. The entries `student` and
`student/<name in the recipe>` say how students are served; without one they answer in the process of the run.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, Section, parse, read_yaml
from am_assets.config.providers import listed_prices, missing_keys
from am_assets.config.serve import Serve

EMBEDDED = "embedded/"
BUNDLED = "embedded/smollm2-135m-instruct"  # installed with the project
STUDENT = "student"
Count = Annotated[int, Field(ge=1)]
Price = Annotated[float, Field(ge=0)]  # dollars per million tokens


class Endpoint(Section):
    """One address of a model, with its limits and prices."""

    # The provider's name of the model, as litellm spells it; where it is served here, its folder or name on the hub.
    model: str | None = None  # null: the same name
    serve: Serve | None = None  # null: nothing is started, except for embedded models, which `llama` serves
    gguf: str | None = None  # served by llama: the file; null: the bundled one
    context: Annotated[int, Field(ge=256)] = 2048  # served by llama: tokens per slot
    api_base: str | None = None  # where an OpenAI-compatible server answers; null: where litellm reaches the provider
    api_key_env: str | None = None  # the *name* of an environment variable
    concurrency: Count = 4  # requests in flight; for a reward model on this machine: the batch size
    requests_per_minute: Count | None = None  # null: no limit
    tokens_per_minute: Count | None = None  # null: no limit
    timeout_seconds: Annotated[float, Field(gt=0)] = 600  # per request
    retries: Annotated[int, Field(ge=0)] = 5  # per request, after timeouts and malformed replies
    patience_seconds: Annotated[float, Field(ge=0)] = 600  # while the provider is unavailable: 429s, no connection
    structured: Literal["json_schema", "json_object", "none"] | None = None  # supported kind; null: litellm's table
    batch: bool = False  # use the provider's offline batch endpoint
    input_price: Price | None = None  # both prices null: litellm's table
    output_price: Price | None = None  # see input_price
    batch_price_factor: Annotated[float, Field(ge=0, le=1)] = 0.5  # what a batch costs of that

    @model_validator(mode="after")
    def _served_or_elsewhere(self) -> "Endpoint":
        if self.serve is None:
            return self
        for name in ("api_base", "api_key_env", "batch"):
            if getattr(self, name):
                raise ValueError(f"{name}: the server that `serve` starts has none: remove one of them")
        if self.gguf and self.serve.engine != "llama":
            raise ValueError(
                f"gguf: {self.serve.engine} serves Hugging Face folders: name one by `model`, or use llama"
            )
        return self

    def served(self, model: str) -> Serve | None:
        """How this endpoint is served on this machine; None where it is not."""
        return self.serve or (Serve(engine="llama") if model.startswith(EMBEDDED) else None)

    def prices(self, model: str) -> tuple[float, float] | None:
        """Dollars per million tokens in and out; None where neither this entry nor litellm's table knows.

        Models served here cost nothing. The provider's discounts for cached prompts are ignored.
        """
        if self.input_price is not None or self.output_price is not None:
            return self.input_price or 0, self.output_price or 0
        if self.served(model):
            return 0, 0
        listed = listed_prices(self.model or model)
        return (listed[0] * 1e6, listed[1] * 1e6) if listed else None

    def api_key(self, model: str) -> str | None:
        """The API key from the environment; None where litellm looks it up. `ConfigError` where there is none."""
        if self.api_key_env:
            if not os.environ.get(self.api_key_env):
                raise ConfigError(
                    f"{model}: the environment variable {self.api_key_env} (its API key) is not set, or empty"
                )
            return os.environ[self.api_key_env]
        if self.api_base or self.served(model):
            return None
        if missing := missing_keys(self.model or model):
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
        for entry in (entry for entry in entries if not entry.served(name)):
            account = ((entry.model or name).partition("/")[0], entry.api_base, entry.api_key_env)
            own = entry.model_dump(include={"concurrency", "requests_per_minute", "tokens_per_minute"})
            other, first = limits.setdefault(account, (name, own))
            if own != first:
                raise ConfigError(
                    f"{path}: {name}: its limits {own} are not those of {other}, {first}, though both use one account"
                    f" of {account[0]}; limits are shared by all models of an account: name the same ones in both"
                )


def of_student(endpoints: Endpoints, name: str) -> list[Endpoint]:
    """The endpoints that serve the student of a recipe, with its name in the recipe; empty where none is declared."""
    return endpoints.get(f"{STUDENT}/{name}") or endpoints.get(STUDENT) or []
