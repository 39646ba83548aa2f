"""`am apply`: bring the graph up to date, with progress, and with canceled runs after an interrupt."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from am_assets.cli import app
from am_assets.cli.consent import confirmed_budget
from am_assets.cli.opening import (
    AsJson,
    Every,
    Recipes,
    Select,
    chosen_recipes,
    complain,
    console,
    open_plan,
    opened,
    print_json,
)
from am_assets.runtime.interrupts import ending_on_sigterm
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    from am_assets.planning.elsewhere import Elsewhere
    from am_assets.planning.plan import Plan
    from am_assets.planning.steps import Outcome, Step
    from am_assets.project import Project

STOP_SECONDS = 8.0  # that an apply has after SIGTERM to wait for answers in flight and to cancel its run
PART_SECONDS = 7.0  # that runs on a cluster are waited for, once they are to end
INTERRUPTED = 130  # exit code after ctrl-C, as shells have it
Dollars = Annotated[
    float | None,
    typer.Option("--budget", "-b", min=0, envvar="AM_BUDGET_USD", help="Dollars it may spend on models, unasked."),
]


Leave = Annotated[
    bool | None,
    typer.Option(
        "--leave/--end",
        help="What ctrl-C does to runs on a cluster; unsaid, it asks, or ends them.",
        show_default=False,
    ),
]


@app.command()
def apply(
    recipe: Recipes = None,
    every: Every = False,
    select: Select = None,
    budget: Dollars = None,
    as_json: AsJson = False,
    leave: Leave = None,
) -> None:
    """Bring recipes up to date: one run a partition, only what is missing or stale; after ctrl-C the next goes on.

    What models would cost is shown and has to be confirmed, or named beforehand by --budget."""
    with opened() as here:
        names = chosen_recipes(here, recipe, every)
        with open_plan(here, names, select, with_others=True) as found:
            from am_assets.cli.summary import show, without_rows

            done = carry_out(here, found, names, budget, as_json, leave)
            if as_json:
                print_json(done.to_dict() | {"nothing_kept": without_rows(here, done.outcomes, names)})
            elif not done.interrupted:
                show(here, found, done.outcomes, names)
    done.exit()


@dataclass
class Done:
    """What an apply came to; `under_way` is the step that an interrupt found."""

    outcomes: "list[Outcome]" = field(default_factory=list)
    under_way: "Step | None" = None
    interrupted: bool = False

    def to_dict(self) -> dict[str, Any]:
        rows = [asdict(one.step) | {"result": one.result, "error": one.error} for one in self.outcomes]
        return {"outcomes": rows, "interrupted": asdict(self.under_way) if self.under_way else self.interrupted}

    def exit(self) -> None:
        """End the command where not all was done."""
        if self.interrupted:
            raise typer.Exit(INTERRUPTED)
        if any(outcome.result != "done" for outcome in self.outcomes):
            raise typer.Exit(1)


def carry_out(
    here: "Project", found: "Plan", recipes: list[str], budget: float | None, quiet: bool, leave: bool | None = None
) -> Done:
    """Apply a plan for `recipes` with progress, once nothing stands in its way and its cost is confirmed."""
    from am_assets.cli.board import show_progress
    from am_assets.cli.summary import show_interrupted
    from am_assets.orchestration.resources import run_tags
    from am_assets.planning.elsewhere import elsewhere
    from am_assets.planning.preflight import preflight
    from am_assets.planning.steps import Lost, Placed, Step
    from am_assets.planning.timing import expected_seconds

    steps = found.steps()
    checked = preflight(here, steps, recipes)
    checked.refuse()
    if budget is None:
        budget = confirmed_budget(checked.estimates, can_ask=not quiet)
    expected = expected_seconds(found, here, steps, checked.estimates)
    done, there = Done(), elsewhere(found, here)
    tags = run_tags(here, budget, recipes, "am apply")
    try:
        with ending_on_sigterm(STOP_SECONDS), show_progress(console, steps, expected, quiet=quiet) as board:
            for event in found.apply(tags, there):
                if isinstance(event, Step):
                    done.under_way = event
                    board.start(event)
                elif isinstance(event, Placed):
                    board.locate(event)
                elif isinstance(event, Lost):
                    board.lose(event)
                else:
                    done.under_way = None
                    done.outcomes.append(event)
                    board.finish(event)
    except KeyboardInterrupt:
        done.interrupted = True
        if there and there.under_way:
            _part(there, leave, can_ask=not quiet and console.is_terminal)
        if not quiet:
            show_interrupted(done.outcomes, done.under_way)
    except Exception:
        if there and there.under_way:
            complain(there.left())
        raise
    return done


def _part(there: "Elsewhere", leave: bool | None, can_ask: bool) -> None:
    """End what an apply has on a cluster, or leave it to go on."""
    if not (ours := there.ours()):
        return
    count = counted(len(ours), "run")
    if leave is None:
        leave = can_ask and not typer.confirm(f"End {count} on the cluster?", default=True)
    if leave:
        complain(there.left())
        return
    left = there.end(PART_SECONDS)
    complain(f"{count} on the cluster canceled" + (f"; {left} did not say so yet" if left else ""))
