import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.bundled import BUNDLED
from am_assets.engines.models.student import student_folder, weights_sha256
from am_assets.training.settings import sequences_per_device, trainer_settings
from am_assets.training.sft import Job, train
from am_assets.training.watching import read_log
from am_assets_tests.training.jobs import a_job, write_rows

DTYPES = ["float32", "bfloat16", "auto"]


def test_training_lowers_the_loss_and_leaves_a_complete_checkpoint(tmp_path, tiny_student):
    said: list[str] = []
    metrics = train(a_job(tmp_path, tiny_student, epochs=5, learning_rate=1e-2), progress=said.append)
    assert (metrics.rows, metrics.left_out, metrics.steps) == (8, 0, 10)
    assert metrics.last_loss < metrics.first_loss
    assert said[0].startswith("step 1 of 10, loss") and said[-1].endswith("0 s left")
    assert weights_sha256(tmp_path / "checkpoint") != weights_sha256(tiny_student)
    assert {path.name for path in tmp_path.iterdir()} == {"rows.parquet", "tokens", "checkpoint"}
    files = {path.name for path in (tmp_path / "checkpoint").iterdir()}
    assert files >= {"model.safetensors", "config.json", "tokenizer.json", "training_log.parquet"}
    log = read_log(tmp_path / "checkpoint")
    assert log["step"].to_list() == list(range(1, 11))
    assert (log["loss"][0], log["loss"][-1]) == (metrics.first_loss, metrics.last_loss)
    assert log["learning_rate"][0] < 1e-2 and log["gradient_norm"].min() > 0
    assert "training_args.bin" not in files


@pytest.mark.parametrize("lora", [None, {"rank": 2}], ids=["whole", "adapters"])
def test_a_checkpoint_stops_at_the_end_of_a_turn_and_at_no_limit_of_its_base(tmp_path, tiny_student, lora):
    if lora:
        pytest.importorskip("peft", reason="the extra `lora` is not installed")
    student = shutil.copytree(tiny_student, tmp_path / "student")
    limits = {"eos_token_id": 3, "max_new_tokens": 2048, "max_length": 4096, "temperature": 0.7, "top_p": 0.9}
    (student / "generation_config.json").write_text(json.dumps(limits))  # without do_sample transformers won't write it
    train(a_job(tmp_path, student, lora=lora), progress=lambda _: None)
    saved = json.loads((tmp_path / "checkpoint" / "generation_config.json").read_text())
    assert 0 in saved["eos_token_id"] and {"max_new_tokens", "max_length"}.isdisjoint(saved)
    assert (saved["do_sample"], saved["temperature"]) == (True, 0.7)


def test_a_checkpoint_has_a_card_that_says_how_it_was_made_and_is_asked(tmp_path, tiny_student):
    job = a_job(tmp_path, tiny_student, max_length=200, system_prompt="Think first.")
    metrics = train(job, progress=lambda _: None)
    card = (job.output / "README.md").read_text()
    head = yaml.safe_load(card.split("---")[1])
    assert (head["base_model"], head["library_name"]) == ("tiny", "transformers")
    assert "end token `<|end|>`" in card and "    Think first.\n" in card and "opens `<think>`" not in card
    assert f"| rows | {metrics.rows} |" in card and f"than 200 tokens | {metrics.left_out} |" in card
    settings = yaml.safe_load(card.split("```yaml")[1].split("```")[0])["training"]
    assert settings == job.policy.model_dump(mode="json")


def test_a_tokenizer_without_pad_and_end_of_text_is_trained_with_the_end_of_a_turn(tmp_path, tiny_student):
    student = shutil.copytree(tiny_student, tmp_path / "student")
    told = json.loads((student / "tokenizer_config.json").read_text())
    told = {name: value for name, value in told.items() if name not in ("pad_token", "eos_token")}
    (student / "tokenizer_config.json").write_text(json.dumps(told))
    assert train(a_job(tmp_path, student), progress=lambda _: None).rows == 8


def test_weights_that_are_not_those_of_the_config_are_refused_where_no_plan_was_made(tmp_path, tiny_student):
    student = shutil.copytree(tiny_student, tmp_path / "student")
    config = json.loads((student / "config.json").read_text())
    (student / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(ValueError, match=r"its weights lack.* model\.layers\.2\."):
        train(a_job(tmp_path, student), progress=lambda _: None)


def test_the_same_job_gives_the_same_bytes_wherever_it_is_written(tmp_path, tiny_student):
    hashes = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        job = a_job(tmp_path / name, tiny_student)
        train(job, progress=lambda _: None)
        hashes.add(weights_sha256(job.output))
    assert len(hashes) == 1


def test_what_fits_on_the_device_does_not_change_what_is_learnt(tmp_path, tiny_student):
    losses = []
    for most in (4, 1):
        job = a_job(tmp_path, tiny_student, epochs=2, learning_rate=1e-3)
        apart = {"hardware": Preset(device="cpu", device_batch=most), "output": tmp_path / f"by {most}"}
        losses.append(train(job.model_copy(update=apart), progress=lambda _: None).last_loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_packing_packs_rows_and_does_not_mix_them(tmp_path, tiny_student):
    """One step over all rows: packed or not, the first loss is the mean over the same tokens in the same contexts."""
    apart = train(a_job(tmp_path, tiny_student, batch_size=8), progress=lambda _: None)
    packed = train(a_job(tmp_path, tiny_student, batch_size=1, packing=True, max_length=2048), progress=lambda _: None)
    assert packed.steps == apart.steps == 1
    assert packed.tokens == apart.tokens
    assert packed.first_loss == pytest.approx(apart.first_loss, rel=1e-4)


def gradient_of_the_first_row(student: Path, positions: list[int]) -> list[float]:
    """How much the loss of the last three of six tokens, collated by trl, moves with the embedding of each token."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(student)
    embedded = model.get_input_embeddings()(torch.tensor([[10, 11, 12, 13, 14, 15]])).detach().requires_grad_()
    logits = model(inputs_embeds=embedded, position_ids=torch.tensor([positions]), use_cache=False).logits
    torch.nn.functional.cross_entropy(logits[0, 3:5], torch.tensor([14, 15])).backward()
    return embedded.grad[0].abs().sum(dim=1).tolist()


def test_the_gradient_of_a_packed_row_does_not_reach_the_row_before(tiny_student):
    packed = gradient_of_the_first_row(tiny_student, [0, 1, 2, 0, 1, 2])
    assert packed[:3] == [0, 0, 0] and min(packed[3:5]) > 0
    assert min(gradient_of_the_first_row(tiny_student, [0, 1, 2, 3, 4, 5])[:5]) > 0  # one row sees all of itself


def test_packing_is_refused_where_rows_would_see_one_another(tmp_path, tiny_student, monkeypatch):
    from transformers import masking_utils

    monkeypatch.setattr(masking_utils, "find_packed_sequence_indices", lambda *_: None)
    with pytest.raises(ValueError, match=r"training.packing: in this llama model.*rows that are packed together see"):
        train(a_job(tmp_path, tiny_student, packing=True, max_length=2048), progress=lambda _: None)
    assert not (tmp_path / "checkpoint").exists()
    train(a_job(tmp_path, tiny_student), progress=lambda _: None)


def test_rows_of_similar_length_share_a_batch_and_none_is_lost(tmp_path, tiny_student):
    job = a_job(tmp_path, tiny_student, batch_size=4, group_by_length=True, epochs=2)
    short, long = pl.read_parquet(job.rows), pl.read_parquet(write_rows(tmp_path / "long", 8, think="Add. " * 50))
    rows = [one for pair in zip(short.iter_slices(1), long.iter_slices(1), strict=True) for one in pair]
    pl.concat(rows).write_parquet(job.rows)
    grouped = train(job, progress=lambda _: None)
    mixed = train(a_copy(job, group_by_length=False), progress=lambda _: None)
    assert (grouped.rows, grouped.steps, grouped.tokens) == (mixed.rows, mixed.steps, mixed.tokens)
    assert read_log(job.output)["loss"].to_list() != read_log(tmp_path / "copy")["loss"].to_list()


def a_copy(job: Job, **policy) -> Job:
    changed = job.policy.model_copy(update=policy)
    return job.model_copy(update={"policy": changed, "output": job.output.with_name("copy")})


def test_rows_too_long_are_left_out_and_counted(tmp_path, tiny_student):
    job = a_job(tmp_path, tiny_student, max_length=100)
    long = write_rows(tmp_path / "long.parquet", 3, think="Add. " * 50)
    pl.concat([pl.read_parquet(job.rows), pl.read_parquet(long)]).write_parquet(job.rows)
    metrics = train(job, progress=lambda _: None)
    assert (metrics.rows, metrics.left_out) == (8, 3)
    with pytest.raises(ValueError, match=r"of 11 rows none fits training.max_length 16"):
        train(a_job(tmp_path, tiny_student, rows=11, max_length=16))
    assert {path.name for path in tmp_path.iterdir()} == {"rows.parquet", "long.parquet", "tokens", "checkpoint"}
    assert weights_sha256(job.output)  # the failure left the checkpoint before it alone


def test_a_batch_is_split_evenly_or_refused():
    assert sequences_per_device(64, devices=1, most=16) == 16
    assert sequences_per_device(64, devices=8, most=3) == 2
    assert sequences_per_device(7, devices=1, most=4) == 1
    with pytest.raises(ValueError, match="batch_size 10 can't be shared by 4 devices"):
        sequences_per_device(10, devices=4, most=16)


@pytest.mark.slow
@pytest.mark.model
def test_the_embedded_student_learns(tmp_path, exported):
    student = student_folder(BUNDLED, exported)
    job = a_job(tmp_path, student, epochs=2, batch_size=8, learning_rate=3e-4, warmup_share=0)
    metrics = train(job, progress=lambda _: None)  # both steps see all rows, the second after an update
    assert (metrics.rows, metrics.steps) == (8, 2)
    assert metrics.last_loss < metrics.first_loss
    assert weights_sha256(tmp_path / "checkpoint") != weights_sha256(student)


@pytest.mark.parametrize(("instructions", "named"), [("avx512_bf16", True), ("amx_bf16", True), ("avx2", False)])
def test_auto_computes_in_bfloat16_on_a_processor_that_has_it(tmp_path, monkeypatch, instructions, named):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, instructions: True})
    policies = {dtype: TrainingPolicy(student="tiny", dtype=dtype) for dtype in DTYPES}
    kinds = {dtype: trainer_settings(policy, Preset(), str(tmp_path)).bf16 for dtype, policy in policies.items()}
    assert kinds == {"float32": False, "bfloat16": True, "auto": named}
