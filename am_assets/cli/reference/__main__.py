"""Writes the pages and the schemas of a checkout."""

from pathlib import Path

from am_assets.cli.reference.pages import pages
from am_assets.cli.reference.schemas import FOLDER, schemas

ROOT = Path(__file__).parents[3]

if __name__ == "__main__":
    (ROOT / "data" / FOLDER).mkdir(exist_ok=True)
    for path, text in [*pages(ROOT / "docs").items(), *((ROOT / "data" / FOLDER / n, t) for n, t in schemas().items())]:
        path.write_text(text)
