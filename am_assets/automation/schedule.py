"""`data/schedule.yaml`: when evidence that costs something is filled, and for how much."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, Section, parse, read_yaml
from am_assets.project import Project


class Schedule(Section):
    """Of the backfill `fill_evidence`. Cron and time zone are read when the code location loads, the rest always."""

    recipes: list[str] = Field(default_factory=list)  # whose evidence is filled; a project's only one need not be named

    cron: str = "*/30 0-5 * * *"  # every half hour of the night: what one backfill makes possible is filled by the next
    timezone: str = "UTC"
    budget_usd: Annotated[float, Field(ge=0)] = 0  # what models may cost in any 24 hours, by whomever they are asked

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        from zoneinfo import ZoneInfo

        from am_assets.orchestration.dagster_internals import is_valid_cron_schedule

        if not is_valid_cron_schedule(self.cron):
            raise ValueError(f"cron: {self.cron}: not a cron expression")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"timezone: {self.timezone}: unknown, expected a name like Europe/Berlin") from None
        return self


def load_schedule(data: Path) -> Schedule:
    """The file, or what holds without one: nights, and no money."""
    file = data / "schedule.yaml"
    schedule = parse(Schedule, read_yaml(file), str(file)) if file.exists() else Schedule()
    there = sorted(path.stem for path in data.glob("recipes/*.yaml"))
    if unknown := sorted({*schedule.recipes} - {*there}):
        raise ConfigError(f"{file}: recipes: no recipe {', '.join(unknown)} in recipes/; there are {', '.join(there)}")
    return schedule


def scheduled(here: Project) -> list[str]:
    """The recipes that evidence is filled for, broken ones among them; empty where nobody named one of several."""
    only = here.recipe_names if len(here.recipe_names) == 1 else []
    return load_schedule(here.data).recipes or only
