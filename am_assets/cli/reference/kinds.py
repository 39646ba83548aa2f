"""The files of a project, and the model of each."""

from dataclasses import dataclass

from pydantic import BaseModel

from am_assets.automation.alerts import Alerts
from am_assets.automation.schedule import Schedule
from am_assets.config.cluster import Cluster
from am_assets.config.endpoints import Endpoint
from am_assets.config.experiments import Experiment
from am_assets.config.hardware import Preset
from am_assets.config.instruments import Instruments
from am_assets.config.recipe import Recipe
from am_assets.datasets.benchmarks import Benchmark
from am_assets.datasets.sources import Source


@dataclass(frozen=True)
class Kind:
    """One form of file.

    page       of docs/, whose marked part is written; the schema has its name
    of         what an entry of the file is called, where it holds several by name
    catalogue  whether `use:` takes entries by name, which an entry of that name changes
    partial    whether another file may have the rest (`extends:`), so that nothing is required
    listed     whether an entry may be a list
    """

    name: str
    model: type[BaseModel]
    page: str
    of: str | None = None
    catalogue: bool = False
    partial: bool = False
    listed: bool = False


KINDS = [
    Kind("recipe", Recipe, "recipe.md", partial=True),
    Kind("sources", Source, "sources.md", of="source", catalogue=True),
    Kind("instruments", Instruments, "instruments.md"),
    Kind("endpoints", Endpoint, "endpoints.md", of="model", listed=True),
    Kind("benchmarks", Benchmark, "benchmarks.md", of="benchmark", catalogue=True),
    Kind("experiment", Experiment, "experiments.md"),
    Kind("hardware", Preset, "devices.md", of="preset"),
    Kind("cluster", Cluster, "cluster.md"),
    Kind("schedule", Schedule, "operations.md"),
    Kind("alerts", Alerts, "operations.md"),
]
