"""The list of adapters in `docs/adapters.md`, made from the registry.

python -m am_assets_tests.datasets.adapter_lists     # writes them
"""

import re
from collections.abc import Mapping
from pathlib import Path

from am_assets.datasets.adapters import ADAPTERS, Adapter
from am_assets.datasets.rows import Field

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"(?<=\n)\| adapter \|.*?\n(?=\n)", re.DOTALL)


def written(adapters: Mapping[str, Adapter] = ADAPTERS) -> dict[Path, str]:
    """What each file holds when its list is up to date."""
    lists = {"docs/adapters.md": (TABLE, _table(adapters))}
    return {ROOT / name: _replaced(ROOT / name, pattern, text) for name, (pattern, text) in lists.items()}


def _replaced(path: Path, pattern: re.Pattern, text: str) -> str:
    content, found = pattern.subn(lambda _: text, path.read_text())
    assert found == 1, f"{path}: no place for the list of adapters"
    return content


def _table(adapters: Mapping[str, Adapter]) -> str:
    lines = ["| adapter | reads | for |", "|---|---|---|"]
    for name, adapter in adapters.items():
        fields = ", ".join(_field(key, wanted) for key, wanted in adapter.fields.items())
        lines.append(f"| `{name}` | {fields} | {adapter.doc} |")
    return "\n".join(lines) + "\n"


def _field(key: str, wanted: Field) -> str:
    """Bold where it is required; with the names that it is read from, where they are others."""
    paths = " or ".join(f"`{path}`" for path in (wanted.path, *wanted.aliases))
    shown = f"`{key}`" if paths == f"`{key}`" else f"`{key}` from {paths}"
    return f"**{shown}**" if wanted.required else shown


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text)
