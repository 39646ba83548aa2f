"""What goes wrong with a server, and what is said of it. A stand-in plays vllm and sglang: see `standin.py`."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import LlmError, ask
from am_assets.engines.serving import ServerError, lease, server_of, unservable
from am_assets_tests.engines.serving.playing import MODEL, SCRIPT, Standin, endpoint
from am_assets_tests.scripted import requests

LOGS = {
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB": "memory ran out",
    "ValueError: No available memory for the cache blocks.": "memory ran out",
    "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0.": "set `dtype`",
    "RuntimeError: Failed to infer device type": "the GPU that it wants is not there",
    "RuntimeError: Found no NVIDIA driver on your system": "the GPU that it wants is not there",
    "ModuleNotFoundError: No module named 'vllm._C'": "a package is missing",
    "api_server.py: error: unrecognized arguments: --max-modle-len 64": "knows no such argument",
    "OSError: some/model is not a local folder and is not a valid model identifier": "the weights can't be loaded",
}


@pytest.mark.parametrize("log", LOGS)
def test_a_server_that_dies_is_told_with_what_to_change_and_the_end_of_its_log(standin: Standin, log: str):
    standin.says(log="\n".join([*map(str, range(50)), log]))
    with pytest.raises(ServerError) as failed:
        lease(server_of(MODEL, endpoint())).address()
    assert LOGS[log] in str(failed.value) and log in str(failed.value)
    assert "\n49\n" in str(failed.value) and "\n20\n" not in str(failed.value)


def test_a_cause_that_is_not_known_is_told_by_the_exit_status(standin: Standin):
    standin.says(log="something else", exit=7)
    with pytest.raises(ServerError, match="did not start, exit status 7; the end of its log:\nsomething else"):
        lease(server_of(MODEL, endpoint())).address()


def test_after_the_cause_is_mended_the_next_call_starts_it(standin: Standin):
    standin.says(log="CUDA out of memory")
    with pytest.raises(ServerError):
        lease(server_of(MODEL, endpoint())).address()
    standin.says()
    assert lease(server_of(MODEL, endpoint())).address().url


GARBAGE = {
    "truncated": {"garbage": '{"choices": [{"message": {"con'},
    "no choices": {"garbage": json.dumps({"model": "some/model", "choices": []})},
    "a page": {"garbage": "<html><body>Bad gateway</body></html>", "status": 502},
    "500": {"garbage": '{"error": "boom"}', "status": 500},
    "a page with 200": {"garbage": "<!doctype html><p>Welcome"},
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_asked_again_and_never_stored(standin: Standin, kind: str):
    standin.says(**GARBAGE[kind])
    got = pl.concat(ask(requests("a", "b"), MODEL, [endpoint()]))
    assert sorted(got["text"]) == ["answer to a", "answer to b"]


@pytest.mark.parametrize("kind", ["truncated", "a page"])
def test_a_server_that_answers_nothing_but_garbage_stops_the_stream(standin: Standin, kind: str):
    standin.says(**GARBAGE[kind], always=True)
    hopeless = endpoint().model_copy(update={"retries": 1})
    with pytest.raises(LlmError, match=r"0 of 1 request answered.*(not a chat completion|status 502)"):
        list(ask(requests("a"), MODEL, [hopeless]))


def test_a_server_that_answers_for_another_model_is_refused(standin: Standin):
    standin.says(model="some/other-model")
    with pytest.raises(LlmError, match="answers for the model some/other-model, and not for some/model"):
        list(ask(requests("a"), MODEL, [endpoint()]))


REFUSED = {
    "quantization": "it changes what the model is",
    "--kv-cache-dtype": "it changes what the model is",
    "cache_type_k": "it changes what the model is",
    "chat-template": "it changes what the model is",
    "enable-lora": "it changes what the model is",
    "lora_modules": "it changes what the model is",
    "rope-scaling": "it changes what the model is",
    "hf-overrides": "it changes what the model is",
    "tokenizer": "it changes what the model is",
    "override-generation-config": "sampling belongs to the policy",
    "seed": "sampling belongs to the policy",
    "host": "it is set here",
    "api-key": "it is set here",
    "served_model_name": "it is set here",
    "tensor-parallel-size": "it follows from `gpus`",
    "config": "names a file of further arguments",
    "a b": "no name of an argument",
}


@pytest.mark.parametrize("argument", REFUSED)
def test_an_argument_that_changes_answers_is_refused_with_the_reason(argument: str):
    with pytest.raises(ValidationError, match=REFUSED[argument]):
        endpoint(arguments={argument: "x"})


@pytest.mark.parametrize(
    "argument", ["max-model-len", "gpu-memory-utilization", "dtype", "max-num-seqs", "enforce-eager", "n_batch"]
)
def test_an_argument_of_speed_and_memory_is_passed_on(argument: str):
    assert endpoint(arguments={argument: 1}).serve


def test_what_is_served_here_has_no_address_elsewhere():
    for other in ({"api_base": "http://x/v1"}, {"api_key_env": "KEY"}, {"batch": True}, {"gguf": "model.gguf"}):
        with pytest.raises(ValidationError, match=next(iter(other))):
            Endpoint.model_validate({"serve": {"engine": "vllm"}, **other})
    with pytest.raises(ValidationError, match="transformers runs in this environment"):
        endpoint("transformers", python="/opt/python")


def with_gpus(machine: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A machine whose nvidia-smi lists so many."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    lines = "\n".join(f"echo {number}" for number in range(count))
    (machine / "bin" / "nvidia-smi").write_text(f"#!/bin/sh\n{lines}\n")
    (machine / "bin" / "nvidia-smi").chmod(0o755)


def test_gpus_that_are_not_there_are_told_before_anything_starts(standin: Standin, monkeypatch: pytest.MonkeyPatch):
    with_gpus(standin.home, monkeypatch, 1)
    assert list(unservable(MODEL, endpoint(gpus=1))) == []
    (fault,) = unservable(MODEL, endpoint(gpus=1, replicas=2))
    assert "2 GPUs are declared" in fault and "this machine has 1" in fault
    with pytest.raises(ServerError, match=r"serve\.gpus: 2 GPUs"):
        lease(server_of(MODEL, endpoint(gpus=2))).address()
    assert not standin.lines("starts")


def test_each_replica_has_gpus_of_its_own(standin: Standin, monkeypatch: pytest.MonkeyPatch):
    with_gpus(standin.home, monkeypatch, 4)
    list(ask(requests("a", "b"), MODEL, [endpoint(gpus=2, replicas=2)]))
    starts = standin.lines("starts")
    assert sorted(start["gpus"] for start in starts) == ["0,1", "2,3"]
    assert all("--tensor-parallel-size 2" in " ".join(start["argv"]) for start in starts)


def test_sglang_and_an_environment_of_ones_own(standin: Standin):
    got = pl.concat(ask(requests("a"), MODEL, [endpoint("sglang", arguments={"mem-fraction-static": 0.5})]))
    assert got["text"].to_list() == ["answer to a"]
    assert "--mem-fraction-static 0.5" in " ".join(standin.lines("starts")[0]["argv"])
    command, variables = server_of(MODEL, endpoint(python=sys.prefix)).command(1, "secret")
    assert command[0] == f"{sys.prefix}/bin/python" and command[1:3] == ["-m", "vllm.entrypoints.openai.api_server"]
    assert "secret" not in command and variables == {"VLLM_API_KEY": "secret"}


def test_an_engine_that_is_not_installed_is_told(machine: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    (fault,) = unservable(MODEL, endpoint())
    assert "vllm is not on PATH" in fault and "`python`" in fault
    (fault,) = unservable(MODEL, endpoint(python=str(SCRIPT)))
    assert "no interpreter" in fault


def test_folders_that_hold_no_model_are_told_apart(tmp_path: Path):
    def fault(name: str) -> str:
        entry = endpoint("transformers").model_copy(update={"model": str(tmp_path / name)})
        return next(unservable("embedded/mine", entry), "")

    for name in ("empty", "bare", "adapter"):
        (tmp_path / name).mkdir()
    (tmp_path / "bare" / "config.json").write_text("{}")
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen2.5-7B"}')
    assert "no such folder" in fault("absent")
    assert "no config.json" in fault("empty")
    assert "no weights" in fault("bare")
    assert "a LoRA adapter of Qwen/Qwen2.5-7B" in fault("adapter")


def test_llama_serves_no_student():
    (fault,) = unservable("student/Qwen/Qwen2.5-7B", endpoint("llama"))
    assert "a student is a Hugging Face folder" in fault
