"""`am push`: the release of a recipe to a dataset repository of the Hugging Face hub, after a look at what changes."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from am_assets.cli import app
from am_assets.cli.applying import INTERRUPTED
from am_assets.cli.opening import (
    AsJson,
    Recipes,
    complain,
    console,
    one_recipe,
    open_plan,
    opened,
    print_json,
    say,
)
from am_assets.config.files import ConfigError
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    from am_assets.planning.push import Push


@app.command()
def push(
    target: Annotated[str, typer.Argument(help="hf://datasets/OWNER/NAME")],
    recipe: Recipes = None,
    private: Annotated[bool, typer.Option("--private", help="Make the repository, which is new, private.")] = False,
    revision: Annotated[str, typer.Option(help="The branch; made from main where it is not there.")] = "main",
    yes: Annotated[bool, typer.Option("--yes", help="Push without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Push what a recipe released to a dataset of the Hugging Face hub: one commit, tagged with the content version.

    What would change is shown and has to be confirmed. The token is that of HF_TOKEN. Kill it at any time: the same
    command goes on, and files that have arrived are not sent again."""
    from am_assets.engines.hub.repository import HubError
    from am_assets.planning.push import proposed, repository
    from am_assets.planning.release import SELECT, release

    with opened() as here:
        hub, name = repository(target, revision), one_recipe(here, recipe)
        with open_plan(here, [name], SELECT) as plan:
            from am_assets.runtime import progress

            try:
                found = proposed(hub, release(plan, here.assets, name), private)
                if not as_json:
                    _show(found)
                commit = found.standing.head
                if found.todo:
                    _confirm(yes, as_json)
                    with progress.listening(_said if not as_json else lambda *_: None):
                        commit = found.run()
            except HubError as error:
                complain(str(error))
                raise typer.Exit(1) from None
            except KeyboardInterrupt:
                console.print("Interrupted. The same command goes on from here.")
                raise typer.Exit(INTERRUPTED) from None
            if as_json:
                print_json(found.to_dict() | {"commit": commit, "pushed": found.todo})
            elif found.todo:
                say(f"Pushed: {hub.url}, tag {found.tag}.")


def _said(_: str, done: int, total: int, note: str) -> None:
    say(f"{done:,} of {counted(total, 'file')} sent")


def _confirm(yes: bool, as_json: bool) -> None:
    if not yes and (as_json or not (console.is_terminal and sys.stdin.isatty())):
        raise ConfigError("nothing was pushed: confirm it at a terminal, or beforehand by --yes")
    if not yes and not typer.confirm("Push this?"):
        console.print("Nothing was pushed.")
        raise typer.Exit(1)


def _show(found: "Push") -> None:
    """Print what would change, or that nothing would."""
    from am_assets.runtime.quoting import quoted

    hub, change, standing = found.hub, found.change, found.standing
    at = f"{hub.url}, branch {hub.branch}"
    if not found.todo:
        say(f"Nothing to do: {at} holds this release already, tag {found.tag}.")
        return
    if standing.private is None:
        say(f"{at}: new, {'private' if found.private else 'and public unless its owner made private the default'}")
    else:
        say(f"{at}: {'private' if standing.private else 'public'}{', the branch is new' * found.new_branch}")
    for sign, paths in {"+": change.added, "~": change.changed, "-": change.removed}.items():
        for path in paths:
            size = f"  {counted(found.files[path].size, 'byte')}" if path in found.files else ""
            say(f"  {sign} {quoted(path)}{size}")
    if change.same:
        say(f"  unchanged: {counted(len(change.same), 'file')}")
    there = standing.tags.get(found.tag)
    say(f"  tag {found.tag}" + (f" stays at commit {quoted(there)[:12]}, which has the same rows" if there else ""))
