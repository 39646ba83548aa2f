"""The lists of adapters in `docs/data.md` and `data/sources.yaml`, made from the registry.

python -m am_assets_tests.datasets.adapter_lists     # writes them
"""

import re
from collections.abc import Mapping
from pathlib import Path

from am_assets.datasets.adapters import ADAPTERS, Adapter
from am_assets.datasets.reader import Column

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"(?<=\n)\| adapter \|.*?\n(?=\n)", re.DOTALL)
COMMENT = re.compile(r"(?<=#   adapter    the form of the rows: )[\w, ]*")


def written(adapters: Mapping[str, Adapter] = ADAPTERS) -> dict[Path, str]:
    """What each file holds when its list is up to date."""
    lists = {"docs/data.md": (TABLE, _table(adapters)), "data/sources.yaml": (COMMENT, ", ".join(adapters))}
    return {ROOT / name: _replaced(ROOT / name, pattern, text) for name, (pattern, text) in lists.items()}


def _replaced(path: Path, pattern: re.Pattern, text: str) -> str:
    content, found = pattern.subn(lambda _: text, path.read_text())
    assert found == 1, f"{path}: no place for the list of adapters"
    return content


def _table(adapters: Mapping[str, Adapter]) -> str:
    lines = ["| adapter | reads | for |", "|---|---|---|"]
    for name, adapter in adapters.items():
        columns = ", ".join(_column(key, column) for key, column in adapter.columns.items())
        lines.append(f"| `{name}` | {columns} | {adapter.doc} |")
    return "\n".join(lines) + "\n"


def _column(key: str, column: Column) -> str:
    shown = f"`{key}`" if column.path == key else f"`{key}` from `{column.path}`"
    return f"**{shown}**" if column.required else shown


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text)
