"""Compilers and runtimes of Java and JavaScript on this machine, for bubblewrap. An image has its own."""

import shutil
from pathlib import Path

SHOWN = Path("/usr")  # which a sandbox sees anyway
JAVAS_SETTINGS = "/etc"  # where Linux distributions put them, linked to from the folder of a Java


def found() -> tuple[list[Path], list[Path]]:
    """The folders of the commands that were found, and what a sandbox has to be shown for them to run."""
    commands, needed = [], []
    if java := shutil.which("javac"):
        folder = Path(java).resolve().parent
        commands.append(folder)
        needed += [folder.parent, *sorted(Path(JAVAS_SETTINGS).glob("java*"))]
    if node := shutil.which("node"):
        path = Path(node).resolve()
        commands.append(path.parent)
        needed.append(path)
    return commands, [path for path in needed if SHOWN not in path.parents]
