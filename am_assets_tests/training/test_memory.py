"""What a dry run reckons, held against what PyTorch allocates on a CPU, byte by byte where it can be."""

import pytest

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.training import memory
from am_assets.training.shapes import UnknownShapeError, shape_of

CPU = Preset(device="cpu")
PRECISIONS = [("float32", "float32"), ("bfloat16", "float32"), ("bfloat16", "bfloat16")]


def a_policy(**settings) -> TrainingPolicy:
    return TrainingPolicy(**({"student": "any", "max_length": 256, "batch_size": 2} | settings))


def a_shape(**sizes):
    from transformers import AutoConfig

    return AutoConfig.for_model(
        "llama",
        **{"hidden_size": 128, "num_hidden_layers": 5, "num_attention_heads": 4, "num_key_value_heads": 2,
           "intermediate_size": 512, "vocab_size": 1024} | sizes,
    )  # fmt: skip


@pytest.mark.parametrize("parameters", ["float32", "bfloat16"])
@pytest.mark.parametrize("tied", [True, False])
def test_parameters_gradients_and_optimizer_are_those_of_a_step_to_the_byte(parameters, tied):
    import torch

    shape, policy = a_shape(tie_word_embeddings=tied), a_policy(parameters=parameters)
    model = memory.on_cpu(shape, policy, getattr(torch, parameters))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(input_ids=torch.zeros(1, 4, dtype=torch.long)).logits.float().sum().backward()
    optimizer.step()
    states = [value for one in optimizer.state.values() for value in one.values()]
    real = [sum(one.numel() * one.element_size() for one in tensors)
            for tensors in ([*model.parameters()], [one.grad for one in model.parameters()], states)]  # fmt: skip
    reckoned = memory.state(memory.on_meta(shape, policy).parameters(), policy, CPU)
    assert [reckoned.parameters, reckoned.gradients, reckoned.optimizer] == real


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(("dtype", "parameters"), PRECISIONS)
def test_activations_are_within_a_twentieth_of_the_measured_peak(dtype, parameters, twice):
    """The peak of the allocator, by the profiler, in a step whose gradients have their place already."""
    shape = a_shape()
    policy = a_policy(dtype=dtype, parameters=parameters, gradient_checkpointing=twice)
    reckoned = memory.activations(shape, policy, CPU, 2)
    assert reckoned.kept + max(reckoned.layer, reckoned.loss) == pytest.approx(measured(shape, policy, twice), rel=0.05)


def test_activations_of_adapters_are_within_a_twentieth_too():
    pytest.importorskip("peft")
    shape, policy = a_shape(), a_policy(lora={"rank": 8})
    reckoned = memory.activations(shape, policy, CPU, 2)
    assert reckoned.kept + max(reckoned.layer, reckoned.loss) == pytest.approx(measured(shape, policy, True), rel=0.05)


def measured(shape, policy: TrainingPolicy, twice: bool) -> int:
    import torch

    model = memory.on_cpu(shape, policy, getattr(torch, policy.parameters))
    if twice:
        model.activation_checkpointing_enable()
    for one in model.parameters():
        one.grad = torch.zeros_like(one)
    ids = torch.zeros(2, policy.max_length, dtype=torch.long)
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=memory.is_mixed(policy)):
            loss = -model(input_ids=ids, labels=ids, fused_lm_head=True).log_probs.sum()
        loss.backward()
    now = peak = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return peak


def test_checkpointing_keeps_less_and_a_longer_sequence_more():
    shape = a_shape()
    kept = {
        (twice, length): memory.activations(
            shape, a_policy(max_length=length, gradient_checkpointing=twice, dtype="float32"), CPU, 1
        ).kept
        for twice in (True, False)
        for length in (128, 256)
    }
    assert kept[True, 256] < kept[False, 256] / 3
    assert kept[True, 256] == pytest.approx(2 * kept[True, 128], rel=0.2)


def test_eight_devices_hold_an_eighth_each_under_fsdp2_and_all_of_it_under_ddp():
    shape, policy = a_shape(), a_policy(batch_size=8)
    model = memory.on_meta(shape, policy)
    one, ddp, fsdp2 = (
        memory.state(model.parameters(), policy, Preset(memory_gb=80, devices=devices, spread=spread))
        for devices, spread in ((1, "ddp"), (8, "ddp"), (8, "fsdp2"))
    )
    assert one == ddp
    assert fsdp2.parameters * 8 == one.parameters


def test_the_32b_model_has_the_parameters_that_its_report_names():
    """32.5 billion, 31.0 of them not embeddings (arXiv 2412.15115); here without the padding of the vocabulary."""
    model = memory.on_meta(shape_of("Qwen/Qwen2.5-32B"), a_policy())
    every = sum(one.numel() for one in model.parameters())
    ends = model.get_input_embeddings().weight.numel() + model.get_output_embeddings().weight.numel()
    assert every == 32_763_876_352
    assert (every - ends) / 1e9 == pytest.approx(31.0, abs=0.25)


def test_the_state_of_32b_on_eight_devices_is_what_arithmetic_says():
    """Float32 masters and Adam take about 66 GB a device, bfloat16 with 8-bit Adam about 25."""
    shape, eight = shape_of("Qwen/Qwen2.5-32B"), Preset(devices=8, spread="fsdp2")
    for settings, gigabytes in (
        ({}, 66),
        ({"parameters": "bfloat16", "optimizer": "adamw_8bit"}, 25),
    ):
        policy = a_policy(batch_size=8, **settings)
        held = memory.held(memory.on_meta(shape, policy), policy, eight)
        assert sum(held.device.values()) / 1e9 == pytest.approx(gigabytes, abs=1)


def test_offload_moves_what_stays_to_the_machine():
    policy = a_policy(batch_size=8)
    model = memory.on_meta(a_shape(), policy)
    here, away = (
        memory.held(model, policy, Preset(devices=8, spread="fsdp2", offload=offload)) for offload in (False, True)
    )
    assert sum(away.device.values()) == 0 and here.host == {}
    assert sum(away.host.values()) == 8 * sum(here.device.values())


def test_adapters_have_gradients_and_optimizer_of_their_own_only():
    pytest.importorskip("peft")
    policy = a_policy(lora={"rank": 4, "targets": ["q_proj", "v_proj"]})
    reckoned = memory.state(memory.on_meta(a_shape(), policy).parameters(), policy, CPU)
    adapters = 5 * 4 * ((128 + 128) + (128 + 64))  # layers, rank, and the sizes of q_proj and v_proj
    assert reckoned.gradients == 4 * adapters
    assert reckoned.optimizer == 8 * adapters + 4 * 5 * 2 * 2


def test_a_student_that_is_nowhere_is_named_with_the_way_out():
    with pytest.raises(UnknownShapeError, match=r"nobody/nothing is not on this machine.*download its config.json"):
        shape_of("nobody/nothing")
