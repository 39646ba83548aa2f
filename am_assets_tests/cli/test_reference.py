"""The reference of a project's files: written out of the models, held here, and what editors check by."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from am_assets.cli.reference.described import schema_of, sections
from am_assets.cli.reference.kinds import KINDS
from am_assets.cli.reference.pages import pages
from am_assets.cli.reference.schemas import FOLDER, schemas

ROOT = Path(__file__).parents[2]
SCHEMAS = {name: json.loads(text) for name, text in schemas().items()}
FILES = [path for path in (ROOT / "data").rglob("*.yaml") if "# yaml-language-server" in path.read_text()]


def test_pages_and_schemas_are_those_of_the_models() -> None:
    written = pages(ROOT / "docs") | {ROOT / "data" / FOLDER / name: text for name, text in schemas().items()}
    stale = [str(path.relative_to(ROOT)) for path, text in written.items() if path.read_text() != text]
    assert not stale, f"python -m am_assets.cli.reference writes {', '.join(stale)}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_says_what_it_means(kind) -> None:
    schema = schema_of(kind.model)
    for section in [schema, *schema.get("$defs", {}).values()]:
        if "properties" in section:
            unsaid = [name for name, field in section["properties"].items() if not field.get("description")]
            assert not unsaid, f"{section['title']}: put a comment beside {', '.join(unsaid)}"
    assert sections(kind.model)[0] is kind.model


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_of_the_demo_fits_the_schema_that_it_names(path: Path) -> None:
    named = path.read_text().splitlines()[0].partition("$schema=")[2]
    schema = json.loads((path.parent / named).read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("recipe", {"dedup": {"treshold": 0.9}}),
        ("recipe", {"dedup": {"threshold": 1.5}}),
        ("recipe", {"verification": {"keep": "longest"}}),
        ("sources", {"use": "openr1-math"}),
        ("sources", {"mine": {"locaton": "a.jsonl", "rank": 1}}),
        ("instruments", {"code": {"memory_mb": 1}}),
        ("endpoints", {"openai/x": [{"concurrency": 0}]}),
        ("experiment", {"question": "?", "base": "demo", "variants": {"a": {"dedup": {"treshold": 1}}, "b": None}}),
    ],
)
def test_a_schema_refuses_what_the_model_refuses(name: str, wrong: dict) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMAS[f"{name}.json"])


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("recipe", {"extends": "demo", "sampling": {"rates": None, "pass_rates": {"round": "a@0123456789ab"}}}),
        ("recipe", {"teacher": {"samples": {"most": 8, "until": "pass"}}}),
        ("sources", {"use": ["openr1-math"], "openr1-math": {"where": "correctness_count > 0"}}),
        ("endpoints", {"openai/x": None, "openai/y": [{"batch": True}]}),
    ],
)
def test_a_schema_takes_what_a_file_may_leave_to_others(name: str, right: dict) -> None:
    jsonschema.validate(right, SCHEMAS[f"{name}.json"])
