"""The catalogue: published data sets by name, with where they lie, their form, and what is known of them.

`use:` in `sources.yaml` takes entries over. The catalogue of the package (`catalog.yaml`, that of `data/`) is there for
every project; a file of that name beside a project's sources file adds entries, and replaces those of the same name.
"""

from difflib import get_close_matches
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, parse, read_yaml
from am_assets.config.partitions import name_fault
from am_assets.datasets import hub
from am_assets.datasets.locate import with_revision
from am_assets.datasets.origins import Origin

FILE = "catalog.yaml"
SHIPPED = Path(__file__).with_name(FILE)
FACTS = {"revision", "rows", "has", "teachers", "facts"}
SHARD_ROWS = 100_000
MOST_SHARDS = 32  # of one data set: a project may have 99 in all


class Listed(Origin):
    """One entry of `catalog.yaml`: fields of a source, and facts. What is not known is null."""

    location: str
    rank: int  # proposed, for sources that use it
    shards: Annotated[int, Field(ge=1)] | None = None  # reckoned from `rows` where it is not given
    revision: str | None = None  # a commit of the hub; null: the one of the first read, which is recorded
    license: str | None = None  # as the hub writes it: apache-2.0, cc-by-nc-4.0, other
    license_column: str | None = None
    rows: Annotated[int, Field(ge=0)] | None = None
    # traces are responses that thought before they answered, answers are responses that did not
    has: list[Literal["references", "tests", "constraints", "traces", "answers"]] = Field(default_factory=list)
    teachers: list[str] = Field(default_factory=list)  # of a data set whose rows name them
    facts: str | None = None  # the address of a card, a page or a paper that these were read from

    @model_validator(mode="after")
    def _revision_of_the_hub(self) -> Self:
        match = hub.LOCATION.fullmatch(self.location)
        if self.location.startswith("hf://") and match is None:
            raise ValueError("location: expected hf://datasets/<owner>/<name>/<file or glob>")
        if self.revision and (match is None or match["revision"]):
            raise ValueError("revision is that of a location on the hub which names none itself")
        return self

    @property
    def taught_by(self) -> list[str]:
        return self.teachers or ([self.teacher] if self.teacher else [])

    def facts_known(self) -> dict[str, Any]:
        """What a source has no field for, and what is known to be unknown."""
        return self.model_dump(include=FACTS | {"license"})

    def as_source(self) -> dict[str, Any]:
        """The entry of `sources.yaml` that this one stands for."""
        source = self.model_dump(exclude_defaults=True, exclude=FACTS)
        source["shards"] = self.shards or min(MOST_SHARDS, max(1, ceil((self.rows or 0) / SHARD_ROWS)))
        return source | ({"location": with_revision(self.location, self.revision)} if self.revision else {})


def load_catalog(folder: Path) -> dict[str, Listed]:
    """The entries by name: those of the package, then those of `folder` that are new. `ConfigError` names the file and
    every field at fault.

    >>> load_catalog(Path("data"))["openr1-math"].license
    'apache-2.0'
    """
    own = folder / FILE
    return _read(SHIPPED) | (_read(own) if own.exists() and not own.samefile(SHIPPED) else {})


def listed(name: str, catalog: dict[str, Listed], where: str) -> Listed:
    """`ConfigError`, which begins with `where`, for a name that the catalogue has not."""
    if name not in catalog:
        near = get_close_matches(name, catalog, n=3)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise ConfigError(f"{where}: the catalogue has no {name}; {meant}`am catalog` lists what it has")
    return catalog[name]


def _read(path: Path) -> dict[str, Listed]:
    content = read_yaml(path)
    for name in content:
        if fault := name_fault("source", name):
            raise ConfigError(f"{path}: {name}: {fault}")
    return {name: parse(Listed, entry, f"{path}: {name}") for name, entry in content.items()}
