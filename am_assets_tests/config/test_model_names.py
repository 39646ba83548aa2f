"""A model's name that nobody could answer to is an error of its file, found at load; its right neighbours are none."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner, Result

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets_tests.desk import MODEL, RECIPE, Desk, at_desk

BUNDLED = "embedded/smollm2-135m-instruct"


@pytest.fixture
def unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk of which only the files count."""
    return at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1/v1"), monkeypatch)


def plan(desk: Desk, *arguments: str) -> Result:
    from am_assets.cli import app
    from am_assets.project import project

    project.cache_clear()
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["plan", *arguments])


def instruments(desk: Desk, **sections: dict) -> None:
    desk.write("instruments.yaml", {**yaml.safe_load((desk.folder / "instruments.yaml").read_text()), **sections})


def endpoints(desk: Desk, **entries: dict | list) -> None:
    desk.write("endpoints.yaml", {**yaml.safe_load((desk.folder / "endpoints.yaml").read_text()), **entries})


WRONG_TEACHERS = {
    "embedded/smollm2-135m-instuct": ["no embedded model", f"did you mean {BUNDLED}", "`gguf:`"],
    "embedded/smollm2": ["no embedded model", f"bundled is {BUNDLED}"],
    "embedded/": ["no embedded model"],
    "embeded/smollm2-135m-instruct": ["no provider embeded", f"did you mean {BUNDLED}"],
    "opnai/gpt-4": ["no provider opnai", "did you mean openai/gpt-4"],
    "OpenAI/gpt-4": ["did you mean openai/gpt-4"],
    " openai/gpt-4": ["did you mean openai/gpt-4"],
    "openai/": ["no provider and no model"],
    "openai": ["no provider and no model"],
    "": ["no provider and no model"],
    "deepseek-reasoner": ["did you mean deepseek/deepseek-reasoner"],
    "gpt-4.1-mni": ["did you mean gpt-4.1-mini"],
    "meta-llama/Llama-3.1-8B-Instruct": ["no provider meta-llama", "openai/<model>"],
    "hf/some-model": ["no provider hf"],
}


@pytest.mark.parametrize("teacher", WRONG_TEACHERS)
def test_a_teacher_that_nobody_could_be_is_told_with_what_was_meant(unasked: Desk, teacher: str) -> None:
    unasked.edit("other", "teacher", model=teacher)
    refused = plan(unasked)
    assert refused.exit_code == 2, refused.output
    for words in ["recipes/other.yaml: teacher.model: ", *WRONG_TEACHERS[teacher]]:
        assert words in refused.output
    assert "plain.yaml" not in refused.output


def test_names_that_somebody_may_answer_to_pass(unasked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    teachers = [
        BUNDLED, "embedded/mine", "openai/anything", "openai/org/model:tag", "gpt-4.1-mini", "claude-sonnet-4-5",
        "deepseek/deepseek-reasoner", "hosted_vllm/x", "ollama/x", "github_copilot/gpt-4", "aihubmix/x", "nadir/x",
        "ft:gpt-4o:mine", "anthropic.claude-v2:1", "by-entry", "by-address", MODEL,
    ]  # fmt: skip
    endpoints(
        unasked,
        **{
            "embedded/mine": [{"gguf": "$SOMEWHERE/a.gguf"}, {"gguf": "b.gguf"}],
            "by-entry": {"model": "openai/gpt-4.1"},
            "by-address": {"api_base": "https://api.groq.com/openai/v1"},
            "hf/some/model": {"concurrency": 2},
        },
    )
    (unasked.folder / "student").mkdir()
    students = [BUNDLED, "Qwen/Qwen2.5-0.5B", "gpt2", "me/smollm2-135m-instruct", str(unasked.folder / "student")]
    for number, teacher in enumerate(teachers):
        student = students[number % len(students)]
        unasked.recipe(f"r{number}", {**RECIPE, "teacher": {"model": teacher}, "training": {"student": student}})
    instruments(unasked, reward={"model": "hf/some/model"}, embeddings={"model": "all-MiniLM-L6-v2"})
    unasked.open(None, None)
    planned = plan(unasked, "-s", "dedup_policy", "--json")
    assert planned.exit_code == 0, planned.output
    assert len(json.loads(planned.output)["steps"]) == len(teachers) + 2


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        (
            {"labels": {"model": "opnai/a"}},
            "labels.model: opnai/a: no provider opnai is known (did you mean openai/a?)",
        ),
        ({"reward": {"model": "embedded/judge"}}, "reward.model: there is no embedded model embedded/judge"),
        ({"reward": {"model": "hf/./no/folder"}}, "reward.model: ./no/folder: no such folder, and no name of the hub"),
        ({"reward": {"model": "hf/"}}, "reward.model: : no such folder"),
        ({"overlap": {"confirm": {"model": "claud/x"}}}, "overlap.confirm.model: claud/x: no provider claud is known"),
        ({"math": {"opinion": {"model": "deepseek-chat"}}}, "(did you mean deepseek/deepseek-chat?)"),
        ({"embeddings": {"model": "minilmm"}}, "embeddings.model: there is no minilmm: bundled is minilm or static"),
        ({"embeddings": {"model": "/no/such/model"}}, "embeddings.model: /no/such/model: no such folder"),
    ],
)
def test_a_wrong_name_in_instruments_is_told_with_its_field(unasked: Desk, sections: dict, says: str) -> None:
    instruments(unasked, **sections)
    refused = plan(unasked)
    assert refused.exit_code == 2, refused.output
    assert f"instruments.yaml: {next(iter(sections))}." in refused.output
    assert says in refused.output


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"embedded/mine": {"context": 512}}, "embedded/mine: there is no embedded model embedded/mine"),
        ({"embedded/mine": [{"gguf": "a.gguf"}, {}]}, "embedded/mine: there is no embedded model embedded/mine"),
        ({"mine": {"model": "opnai/x"}}, "mine: opnai/x: no provider opnai is known"),
        ({"mine": {"model": BUNDLED}}, f"mine: {BUNDLED}: no provider embedded is known"),
        ({"mine": {"api_base": "http://10.0.0.5/v1"}}, "mine: mine: it names no provider and no model"),
        ({"openai/x": [{}, {"model": "vllmm/x"}]}, "openai/x: vllmm/x: no provider vllmm is known"),
    ],
)
def test_a_wrong_name_among_the_endpoints_is_told_with_its_entry(unasked: Desk, entries: dict, says: str) -> None:
    endpoints(unasked, **entries)
    refused = plan(unasked)
    assert refused.exit_code == 2, refused.output
    assert f"endpoints.yaml: {says}" in refused.output


@pytest.mark.parametrize(
    "student", ["embedded/other", "embeded/smollm2-135m-instruct", "smollm2-135m-instruct", "/no/such/folder", "../up"]
)
def test_a_student_that_cannot_be_is_told(unasked: Desk, student: str) -> None:
    unasked.edit("plain", "training", student=student)
    refused = plan(unasked)
    assert refused.exit_code == 2, refused.output
    assert (
        f"plain.yaml: training.student: there is no {student}" in refused.output or "no such folder" in refused.output
    )


def test_a_load_of_ordinary_names_does_not_import_what_takes_seconds(unasked: Desk) -> None:
    import subprocess
    import sys

    code = "from am_assets.project import project; project(); import sys; print('litellm' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_what_passes_by_the_tables_alone_litellm_knows_too() -> None:
    import litellm

    from am_assets.config.providers import chat_providers
    from am_assets.engines.llm.names import _bare

    asks_the_network = {"github_copilot", "chatgpt"}
    elsewhere = {"venice", "nanogpt", "ragflow"}  # listed there and not told by a prefix: found when they are asked
    litellm.suppress_debug_info = True
    for provider in chat_providers() - asks_the_network - elsewhere:
        assert litellm.get_llm_provider(f"{provider}/x")[1]
    for name in _bare():
        assert litellm.get_llm_provider(name)[1]


@pytest.mark.parametrize("key", [None, ""])
def test_a_key_that_is_not_set_or_empty_is_named(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OWN_KEY", raising=False) if key is None else monkeypatch.setenv("OWN_KEY", key)
    with pytest.raises(ConfigError, match=r"environment variable OWN_KEY \(its API key\) is not set, or empty"):
        Endpoint(api_base="http://127.0.0.1:1/v1", api_key_env="OWN_KEY").api_key("openai/m")
