"""What identifies a server, and the command of each engine."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from am_assets.config.endpoints import STUDENT, Endpoint
from am_assets.config.serve import Argument, Engine
from am_assets.engines.models.bundled import BUNDLED, embedded_gguf
from am_assets.engines.models.folders import no_model
from am_assets.engines.serving.devices import gpus, too_few

HOST = "127.0.0.1"
KEY = "AM_SERVER_KEY"  # variable that our own servers read their API key from
KEY_SEEN = (
    "sglang takes its API key on the command line, where others on a machine of the cluster could read it: serve the"
    " model by vllm or transformers, or by a server that you start (`api_base`)"
)
PAGE_TOKENS = 256  # of the cache of transformers' continuous batching
PACKAGES = {"fastapi": "fastapi<0.137", "uvicorn": "uvicorn", "openai": "openai"}  # that `transformers serve` imports


class ServerError(RuntimeError):
    """A server does not start; the message has the end of its log and says what to change."""


@dataclass(frozen=True)
class Server:
    """A server of one model; equal ones are shared by all users of this machine, or of a cluster that places them."""

    engine: Engine
    weights: str  # a file or folder, or a name on the hub
    name: str  # that requests call the model by
    context: int = 2048  # tokens of each slot
    slots: int = 4  # requests at the same time
    arguments: dict[str, Argument] = field(default_factory=dict, hash=False)
    gpus: int | None = None
    python: str | None = None
    replica: int = 0

    @property
    def id(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:20]

    def command(self, port: int, key: str, host: str = HOST) -> tuple[list[str], dict[str, str]]:
        """The command that serves at `port`, on loopback by default, and its additional environment."""
        address = ["--host", host, "--port", str(port)]
        if self.engine == "llama":
            limits = ["--context", str(self.context), "--slots", str(self.slots)]
            return [*_ours("llama"), self.weights, "--name", self.name, *address, *self._json(), *limits], {KEY: key}
        if self.engine == "transformers":
            return [*_ours("hosted"), self.weights, *address, *_flags(self._small() | self.arguments)], {KEY: key}
        named = ["--served-model-name", self.name, *_flags(self.arguments)]
        several = str(self.gpus) if self.gpus and self.gpus > 1 else ""
        if self.engine == "vllm":
            split = ["--tensor-parallel-size", several] if several else []
            neutral = ["--generation-config", "vllm"]  # else the weights' own file changes what a request asks for
            return [*self._vllm(), *address, *neutral, *split, *named], {"VLLM_API_KEY": key}
        split = ["--tp-size", several] if several else []
        neutral = ["--sampling-defaults", "openai"]
        return [*self._sglang(), *address, "--api-key", key, *neutral, *split, *named], {}

    def _small(self) -> dict[str, Argument]:
        """Without a GPU a cache of what the slots hold: by default it would be of 60 % of all memory."""
        blocks: dict[str, Argument] = {"cb-num-blocks": -(-self.context // PAGE_TOKENS) * self.slots}
        blocks["cb-max-batch-tokens"] = 512
        return blocks if self.gpus == 0 or not gpus() else {}

    def _json(self) -> list[str]:
        return ["--arguments", json.dumps(self.arguments)] if self.arguments else []

    def _vllm(self) -> list[str]:
        if self.python:
            return [interpreter(self.python), "-m", "vllm.entrypoints.openai.api_server", "--model", self.weights]
        return [_on_path("vllm"), "serve", self.weights]

    def _sglang(self) -> list[str]:
        if self.python:
            return [interpreter(self.python), "-m", "sglang.launch_server", "--model-path", self.weights]
        return [_on_path("sglang"), "serve", "--model-path", self.weights]


def server_of(model: str, endpoint: Endpoint, replica: int = 0) -> Server:
    """The server that an endpoint of a model declares. `ServerError` or `FileNotFoundError` where its weights are
    missing or of a form that its engine does not serve."""
    declared = endpoint.served(model)
    assert declared, f"{model} is served elsewhere"
    limits: dict[str, Any] = {}
    if declared.engine in ("llama", "transformers"):  # the others find their own
        limits = {"context": endpoint.context, "slots": endpoint.concurrency}
    name = model.partition("/")[2] or model
    if declared.engine == "llama":
        weights = _gguf(model, endpoint)
    else:
        weights = _folder(os.path.expandvars(endpoint.model or name))
        name = weights if declared.engine == "transformers" else name
    return Server(
        declared.engine,
        weights,
        name,
        arguments=declared.arguments,
        gpus=declared.gpus,
        python=os.path.expandvars(declared.python) if declared.python else None,
        replica=replica,
        **limits,
    )


def _gguf(model: str, endpoint: Endpoint) -> str:
    if model.startswith(f"{STUDENT}/"):
        raise ServerError(
            f"{model}: llama serves GGUF files, and a student is a Hugging Face folder: use transformers, vllm or"
            " sglang, or remove the entry, so that it answers in the process of the run"
        )
    if not endpoint.gguf and model != BUNDLED:
        raise ServerError(f"{model}: llama serves a GGUF file: name it by `gguf` in endpoints.yaml")
    path = Path(os.path.expandvars(endpoint.gguf)).resolve() if endpoint.gguf else embedded_gguf().resolve()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such model file")
    return str(path)


def _folder(name: str) -> str:
    """A folder with weights, by its whole path, or a name on the hub. `ServerError` where there is neither."""
    folder = Path(name)
    if not folder.is_dir():
        if name.startswith((".", "/", "~")) or not 0 < len(name) < 200:
            raise ServerError(f"{name}: no such folder, so there are no weights to serve")
        return name
    if fault := no_model(folder):
        raise ServerError(fault)
    return str(folder.resolve())


def unservable(model: str, endpoint: Endpoint, placed: bool = False) -> Iterator[str]:
    """What would keep an endpoint's server from starting, as far as it shows without starting it; each with its field.
    Weights on the hub are not looked for, nor GPUs where a cluster places it."""
    declared = endpoint.served(model)
    assert declared
    try:
        server = server_of(model, endpoint)
    except FileNotFoundError as error:
        missing_file = f"gguf: {endpoint.gguf}: no such file: set its path, or the variable that it names"
        yield missing_file if endpoint.gguf else str(error)
        return
    except ServerError as error:
        yield f"{'gguf' if declared.engine == 'llama' else 'model'}: {error}"
        return
    try:
        server.command(0, "")
    except ServerError as error:
        yield f"serve.python: {error}"
    if server.engine == "transformers" and (missing := [name for name in PACKAGES if find_spec(name) is None]):
        yield f"serve.engine: transformers serve needs {' and '.join(missing)}: pip install 'am-assets[serving]'"
    if placed and endpoint.serve:
        if server.engine == "sglang":
            yield f"serve.engine: {KEY_SEEN}"
    elif declared.gpus and (fault := too_few(declared.gpus * declared.replicas)):
        yield f"serve.gpus: {fault}"


def interpreter(python: str) -> str:
    """The interpreter that `python` names: itself, or that of an environment's folder. `ServerError` without one."""
    path = Path(python).expanduser()
    path = path / "bin" / "python" if path.is_dir() else path
    if not os.access(path, os.X_OK) or path.is_dir():
        raise ServerError(f"{python}: no interpreter, and no environment that has one: correct `python`")
    return str(path.absolute())  # not resolved: an environment is known by the link to its interpreter


def _on_path(command: str) -> str:
    if found := shutil.which(command):
        return found
    raise ServerError(
        f"{command} is not on PATH: install it in an environment of its own and name its interpreter by `python`"
    )


def _ours(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", f"{__package__}.{module}"]


def _flags(arguments: dict[str, Argument]) -> list[str]:
    """`--name value`; of truths only the name, with `no-` before it where it is false."""
    flags = []
    for name, value in arguments.items():
        plain = name.lstrip("-").replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{plain}" if value else f"--no-{plain}")
        else:
            flags += [f"--{plain}", str(value)]
    return flags
