"""The release of a recipe as it may be handed out: made of the files as they are now, and past its blocking checks."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from am_assets.config.files import ConfigError
from am_assets.planning.plan import Plan
from am_assets.planning.steps import Step
from am_assets.runtime.wording import counted
from am_assets.storage.copies import of

DATASET = dg.AssetKey("sft_dataset")
SELECT = "+sft_dataset"
SHOWN = 5  # steps named of a release that is out of date


@dataclass(frozen=True)
class Release:
    """A folder of files, and the data version of the rows in it."""

    recipe: str
    version: str
    folder: Path
    inode: int  # of the folder: another one as soon as the release was made anew

    def files(self) -> dict[str, Path]:
        """By path in the release, in alphabetical order."""
        found = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()}
        return dict(sorted(found.items()))

    def refuse_replaced(self) -> None:
        """`ConfigError` where another run wrote the folder since."""
        if not self.folder.exists() or self.folder.stat().st_ino != self.inode:
            raise ConfigError(f"{self.folder} was made anew meanwhile: run the command again")


def release(plan: Plan, assets: Path, recipe: str) -> Release:
    """The release of a recipe in the folder of tables `assets`; `plan` is that of `SELECT` for the recipe.

    `ConfigError` where there is none, where it is out of date (its folder may then be that of a run which came to no
    end), or where a blocking check of it failed or was not run.
    """
    command = f"am apply --recipe {recipe} --select '{SELECT}'"
    made = plan.records.made(DATASET).get(recipe)
    if made is None or made.version is None:
        raise ConfigError(f"recipe {recipe} has no dataset yet; make it first: {command}")
    checks = plan.blocking_checks(DATASET, recipe)
    if failed := [name for name, state in checks.items() if state == "failed"]:
        raise ConfigError(
            f"recipe {recipe}: nothing is pushed, as its dataset failed the blocking checks {', '.join(failed)}:"
            f" see in the UI what they found, mend it, then {command}"
        )
    if unseen := [name for name, state in checks.items() if state == "not run"]:
        raise ConfigError(
            f"recipe {recipe}: nothing is pushed, as the blocking checks {', '.join(unseen)} did not run on this"
            f" version of its dataset; run them first: {command}"
        )
    if steps := plan.steps():
        raise ConfigError(f"recipe {recipe}: its dataset is out of date; bring it up first: {command}\n{_told(steps)}")
    folder = assets / DATASET.to_user_string() / recipe
    of(folder).folder_here(folder)
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder, though the dataset was made: materialize it again in the UI")
    return Release(recipe, made.version, folder, folder.stat().st_ino)


def _told(steps: list[Step]) -> str:
    lines = [f"  {step.asset}[{step.partition}]: {step.because}" for step in steps[:SHOWN]]
    more = [f"  and {counted(len(steps) - SHOWN, 'more partition')}, see am plan"] if len(steps) > SHOWN else []
    return "\n".join(["It would make anew:", *lines, *more])
