"""The list of verifiers in `docs/verdicts.md`, made from the registry.

python -m am_assets_tests.verification.verifiers.lists     # writes it
"""

import re
from collections.abc import Mapping
from pathlib import Path

from am_assets.verification.verifiers import VERIFIERS, Verifier

PAGE = Path(__file__).parents[3] / "docs" / "verdicts.md"
TABLE = re.compile(r"(?<=\n)\| verifier \|.*?\n(?=\n|\Z)", re.DOTALL)


def written(verifiers: Mapping[str, Verifier] = VERIFIERS) -> str:
    """The page with an up-to-date list."""
    lines = ["| verifier | compares with | table | a failure is dropped as | |", "|---|---|---|---|---|"]
    for name, one in verifiers.items():
        cells = [f"`{name}`", f"`{one.against}`", f"`{one.table}`", f"`{one.drop_reason}`", one.doc]
        lines.append(f"| {' | '.join(cells)} |")
    content, found = TABLE.subn(lambda _: "\n".join(lines) + "\n", PAGE.read_text())
    assert found == 1, f"{PAGE}: no place for the list of verifiers"
    return content


if __name__ == "__main__":
    PAGE.write_text(written())
