"""Files and folders of a project that nothing reads, since their names are not quite those of what is read.

Without a word, what they say would be as by default.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

FOLDERS = ("recipes", "experiments")
NAMES = ("instruments", "endpoints", "benchmarks", "hardware", "cluster", "schedule", "alerts", *FOLDERS)  # optional
ALIKE = 0.85  # `endpoint` is, and `endpoints-old` is none


def unread(data: Path) -> Iterator[str]:
    """A message for each of them: `endpoints` without its s, or with another ending.

    >>> list(unread(Path("data")))
    []
    """
    for folder in FOLDERS:
        for path in sorted((data / folder).glob("[!.]*.yml")):
            if not path.with_suffix(".yaml").exists():
                yield f"{path}: nothing reads a .yml: name it {path.stem}.yaml"
    missing = [name for name in NAMES if not (data / _called(name)).exists()]
    for path in sorted(data.glob("[!.]*")):
        if path.is_dir() or path.suffix in (".yaml", ".yml"):
            for meant in get_close_matches(path.stem, missing, n=1, cutoff=ALIKE):
                if (meant in FOLDERS) == path.is_dir():
                    yield f"{path}: nothing reads it: did you mean {_called(meant)}?"


def _called(name: str) -> str:
    return name if name in FOLDERS else f"{name}.yaml"
