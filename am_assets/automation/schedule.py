"""`data/schedule.yaml`: times, recipes and budget of the schedule that fills evidence."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, Section, read_section
from am_assets.config.recipe_files import recipe_names
from am_assets.project import Project


class Schedule(Section):
    """Settings of `fill_evidence`. Cron and time zone are read when the code location loads, the rest at each tick."""

    recipes: list[str] = Field(default_factory=list)  # may be empty in a project with one recipe

    cron: str = "*/30 0-5 * * *"  # every half hour of the night: a backfill enables the next
    timezone: str = "UTC"  # that cron is read in
    budget_usd: Annotated[float, Field(ge=0)] = 0  # for models in any 24 hours, counting all runs

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
    """`schedule.yaml`, or the defaults without one: at night, without paid models."""
    file = data / "schedule.yaml"
    schedule = read_section(Schedule, file)
    there = recipe_names(data / "recipes")
    if unknown := sorted({*schedule.recipes} - {*there}):
        raise ConfigError(f"{file}: recipes: no recipe {', '.join(unknown)} in recipes/; there are {', '.join(there)}")
    return schedule


def scheduled(here: Project) -> list[str]:
    """The recipes that evidence is filled for, including broken ones; empty where none of several is named."""
    only = here.recipe_names if len(here.recipe_names) == 1 else []
    return load_schedule(here.data).recipes or only
