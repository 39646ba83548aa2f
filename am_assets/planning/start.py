"""The files of a new project over data of one's own: what `am init` writes. Nothing is written here.

files = files_of(Start(folder, read("questions.jsonl", folder), teacher="deepseek/deepseek-reasoner"))
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from am_assets.config.endpoints import BUNDLED, EMBEDDED
from am_assets.config.files import ConfigError
from am_assets.config.partitions import name_fault
from am_assets.config.providers import facts, missing_keys
from am_assets.config.recipe_files import default_recipe
from am_assets.datasets.guessing import UNNAMED, Shape, shapes
from am_assets.datasets.sources import USE

SCHEMA = "# yaml-language-server: $schema={}schemas/{}.json\n"  # editors complete and check by it
RECIPE = "recipes/main.yaml"
MAX_TOKENS = 32_768
OWN_KEY = "TEACHER_API_KEY"  # of a server that is named by its address
SOURCES = """\
# Where questions come from: one entry each, new ones at the end. `am read FILE` shows how a file is read.
"""
EXAMPLE = """\
# Sums that are made here, until there is a file: am read FILE shows what one would be.
sums:
  generator: reasoning_gym
  datasets:
    chain_sum: {size: 12, max_terms: 2, max_digits: 2}
    products: {size: 8, max_digits: 1}
  rank: 1
"""
IGNORED = ["assets/", "memo/", "models/", "graphs/", "mapped/", "tokens/", "runs/", "instance/"]


@dataclass(frozen=True)
class Start:
    """What a project begins with: shapes of files, names of the catalogue, and models; null: the embedded one."""

    folder: Path
    shapes: Sequence[Shape] = ()
    listed: Sequence[str] = ()
    teacher: str | None = None
    judge: str | None = None  # which labels, too
    api_base: str | None = None  # where the teacher answers, if not at its provider


def read(file: str, given: dict[str, Any]) -> list[Shape]:
    """The shapes of a file or glob, relative to where the command runs. `SourceError` where nothing is a question."""
    path = file if file.startswith("hf://") else os.path.abspath(os.path.expanduser(file))
    if Path(path).exists():
        path = str(Path(path).resolve())
    return shapes(path, Path("/"), given)


def files_of(start: Start) -> dict[str, str]:
    """The texts of the files by their path in the folder."""
    files = {"sources.yaml": SCHEMA.format("", "sources") + _sources(start)}
    files[RECIPE] = SCHEMA.format("../", "recipe") + _recipe(start)
    if start.judge:
        asked = {"labels": {"model": start.judge}, "reward": {"model": start.judge}}
        head = "# What measures: every recipe reads it, and a change measures anew.\n"
        files["instruments.yaml"] = SCHEMA.format("", "instruments") + head + _yaml(asked)
    if elsewhere := {one: None for one in (start.teacher, start.judge) if one and not one.startswith(EMBEDDED)}:
        files["endpoints.yaml"] = SCHEMA.format("", "endpoints") + _endpoints(start, list(elsewhere))
    ignored = "\n".join(IGNORED)
    return files | {".gitignore": f"# What an apply makes.\n{ignored}\n"}


def _sources(start: Start) -> str:
    if not start.shapes and not start.listed:
        return EXAMPLE
    text = SOURCES + (f"{USE}: [{', '.join(start.listed)}] # am catalog\n" if start.listed else "")
    taken = {USE, *start.listed}
    for shape in start.shapes:
        name = _name(shape, start.shapes, taken)
        taken.add(name)
        entry = {**shape.entry, "rank": 1}
        if not entry["location"].startswith("hf://") and Path(entry["location"]).is_relative_to(start.folder.resolve()):
            entry["location"] = str(Path(entry["location"]).relative_to(start.folder.resolve()))
        lines = _yaml({name: entry})
        if "teacher" in entry:
            lines = lines.replace(f"teacher: {UNNAMED}\n", f"teacher: {UNNAMED} # who gave the responses\n")
        if shape.ignored:
            lines += f"  # not read: {_flow(shape.ignored)}; `columns:` reads a column, `keep:` carries it along\n"
        text += lines
    return text


def _name(shape: Shape, all_shapes: Sequence[Shape], taken: set[str]) -> str:
    """The name of a source: that of its file, and where this has several shapes the column that asks."""
    location = shape.entry["location"]
    stem = Path(location).name.split(".")[0] or "source"
    several = sum(one.entry["location"] == location for one in all_shapes) > 1
    plain = re.sub(r"[^a-z0-9_-]+", "-", f"{stem}-{shape.asks}".lower() if several else stem.lower()).strip("-")
    plain = plain if plain and name_fault("source", plain) is None else "source"
    return next(name for name in [plain, *(f"{plain}-{n}" for n in range(2, 99))] if name not in taken)


def _recipe(start: Start) -> str:
    head = "# Every threshold of the dataset; what is not here is as docs/recipe.md says. `am preview` tries others.\n"
    teacher = start.teacher or BUNDLED
    lines = None if teacher == BUNDLED else _sampling(teacher)
    text = default_recipe(_flow(teacher), lines)
    responses = any(shape.found.counts["responses"] for shape in start.shapes)
    if responses and not any(shape.found.thinks for shape in start.shapes):
        asked = "  published: false # the responses in the files do not think: the teacher is asked instead\n"
        text = text.replace("  system_prompt:", asked + "  system_prompt:", 1)
    return head + text


def _sampling(teacher: str) -> str:
    return f"  temperature: 0.6\n  top_p: 0.95\n  max_tokens: {_most_tokens(teacher)} # of an answer, thinking included"


def _most_tokens(model: str) -> int:
    """What the recipe asks for at most: as the paper, or what litellm's table says that the model has."""
    return min(MAX_TOKENS, facts(model).get("max_output_tokens") or MAX_TOKENS)


def _endpoints(start: Start, models: Sequence[str]) -> str:
    head = (
        "# Where models answer, how fast they may be asked, what they cost; no part of what an answer is. Keys\n"
        "# stand in the environment: `api_key_env` names one. Prices: dollars per million tokens, or litellm's table.\n"
    )
    entries: dict[str, Any] = {}
    for model in models:
        entries[model] = {
            **(_address(start.api_base) if start.api_base and model == start.teacher else {}),
            "concurrency": 16,
        }
    return head + _yaml(entries)


def _address(api_base: str) -> dict[str, Any]:
    """A server of one's own is free and asks for no key; what anybody else's costs, its user has to say."""
    if _near(api_base):
        return {"api_base": api_base, "input_price": 0, "output_price": 0}
    return {"api_base": api_base, "api_key_env": OWN_KEY}


def _near(api_base: str) -> bool:
    """Whether an address is of this machine or its network."""
    host = urlsplit(api_base).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))


def keys_wanted(start: Start) -> list[str]:
    """The names of the variables that hold the keys of models, those that are not set."""
    wanted: list[str] = []
    for model in (start.teacher, start.judge):
        if start.api_base and model == start.teacher:
            wanted += [] if _near(start.api_base) or os.environ.get(OWN_KEY) else [OWN_KEY]
        elif model and not model.startswith(EMBEDDED):
            wanted += missing_keys(model)
    return list(dict.fromkeys(wanted))


def _yaml(content: dict[str, dict[str, Any]]) -> str:
    """Entries by name, a line for each of their fields."""
    fields = {
        name: "".join(f"  {key}: {_flow(value)}\n" for key, value in one.items()) for name, one in content.items()
    }
    return "".join(f"{_flow(name)}:\n{lines}" for name, lines in fields.items())


def _flow(value: Any) -> str:
    """A value on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)
    return text.removesuffix("...\n").strip()


def refuse_existing(folder: Path, files: Sequence[str]) -> None:
    """`ConfigError` where any of the files is there."""
    if there := [name for name in files if (folder / name).exists()]:
        raise ConfigError(f"{folder}: {', '.join(there)} there already: nothing was written; name another folder")
