"""Supervised fine-tuning of the student, in a process of its own.

    python -m am_assets.training.sft '{"rows": "<folder>", "student": "<folder>", "output": "<folder>",
                                       "policy": {"student": "<name>", "learning_rate": 8e-5, ...}}'
    accelerate launch -m am_assets.training.sft '<the same>'          # several GPUs, FSDP, DeepSpeed

Under Dagster it uses Pipes: progress goes to the log of the run, and `Metrics` is a custom message; otherwise it prints
both. `train` is the entry point for tests and notebooks. The format of rows belongs to `dataset.py`, tokenization and
the loss mask to `tokens.py`, what a killed training goes on from to `resume.py`.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from am_assets.config.files import ConfigError, Section
from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.loading import misfit
from am_assets.engines.models.student import weights_sha256
from am_assets.runtime.orphans import end_with
from am_assets.runtime.threads import share_cores
from am_assets.runtime.wording import counted
from am_assets.storage.atomic import written_aside
from am_assets.training import launch
from am_assets.training.adapters import merge, peft_config
from am_assets.training.generation import stops_at, writable
from am_assets.training.resume import CheckpointError, Resumable
from am_assets.training.rows import content, response_ids
from am_assets.training.settings import trainer_settings
from am_assets.training.student_card import student_card
from am_assets.training.tokenized import fitting, lengths, packed, tokenized
from am_assets.training.tokens import Template
from am_assets.training.watching import DivergedError, Metrics, Watch, finished, log_of, write_log

# Part of a checkpoint's identity: raise when the same rows and policy give other weights.
VERSION = "trl-4"
# Whose checkpoints are as good, so that they are not trained again: `trl-3` took special tokens that a turn quotes for
# such, `trl-2` had the rows in another order, `trl-1` loss on what follows the end token too, a line break at most. The
# last two knew rows by `earlier.content`.
EARLIER = ["trl-3", "trl-2", "trl-1"]
FAULT = "fault"  # a custom message instead of metrics: why a training ended without a checkpoint


REPORT_TO = "AM_REPORT_TO"  # the environment variable that names one
Reporter = Literal["trackio", "wandb", "tensorboard"]


def reporter() -> Any:
    """Who is told of each step, beside the run's log; None by default. `ConfigError` where it is unknown or missing."""
    name = os.environ.get(REPORT_TO) or None
    if name and name not in get_args(Reporter):
        raise ConfigError(f"{REPORT_TO}: {name} is none of {', '.join(get_args(Reporter))}")
    if name and not find_spec(name):
        raise ConfigError(f"{REPORT_TO}: {name} is not installed: pip install {name}, or unset it")
    return name


def reports_in(folder: Path) -> dict[str, str]:
    """The environment in which reporters keep their files in a folder, unless it is set otherwise."""
    names = ("TENSORBOARD_LOGGING_DIR", "WANDB_DIR", "TRACKIO_DIR")
    return {name: os.environ.get(name, str(folder)) for name in names}


class Job(Section):
    """The input of a training run; all but `policy` are locations, limits of the device and habits of the run."""

    rows: Path  # the folder of a release, or a Parquet file with its column `messages`
    student: Path  # Hugging Face folder, see `engines.student.student_folder`
    output: Path  # the checkpoint, written atomically
    policy: TrainingPolicy
    identity: str | None = None  # of all that the weights depend on; a hash of rows, student and policy if not given
    cache: Path | None = None  # the folder of tokenized datasets; beside the rows if not given
    run: int | None = None  # pid of the process that waits for the checkpoint; training ends with it
    hardware: Preset = Preset()  # how it is spread over devices; one GPU, or the CPU where there is none
    report_to: Reporter | None = None


def command(job: Job, folder: Path, rank: int | None = None) -> list[str]:
    """The command line of the job, with a file in `folder` where it takes several processes; `rank` as of `launch`."""
    program = ["-m", "am_assets.training.sft", job.model_dump_json()]
    return launch.command(program, job.policy, job.hardware, folder, rank)


def train(job: Job, progress: Callable[[str], None] = print) -> Metrics:
    """Trains the student on the rows and writes the checkpoint in Hugging Face layout to `job.output`, with its log.

    The loss is on the assistant's turn and its end token only. Rows longer than `max_length` are left out, not
    truncated. With packing, `batch_size` counts packed sequences. On a CPU, runs with the same number of threads give
    the same bytes, also where they were killed and went on. Nothing is done where the checkpoint is there already; one
    that another process makes is waited for.

    `ValueError` if no row fits `max_length` or the student's chat template can't be trained with; `DivergedError`;
    `CheckpointError` on a full disk.

    >>> train(Job(rows=rows, student=folder, output=checkpoint, policy=policy)).last_loss
    """
    from datasets import disable_progress_bars

    disable_progress_bars()
    resumable, identity = Resumable(job.output), job.identity or _identity(job)
    settings = trainer_settings(job.policy, job.hardware, str(resumable.writing), job.report_to)
    with ExitStack() as stack:
        with settings.main_process_first():
            if settings.should_save:  # the main process
                resumable = stack.enter_context(Resumable.alone(job.output, identity, waiting=progress))
            metrics = finished(job.output, identity)
            if metrics is None:
                data = _data(job)
        if metrics is None:
            metrics = _trained(job, settings, data, resumable, identity, progress)
        if settings.should_save:
            resumable.clear()
    return metrics


@dataclass(frozen=True)
class _Data:
    """Datasets of tokens: of all rows, of those that fit, and of what is trained on, which is the latter or packed."""

    every: Any
    rows: Any
    sequences: Any


def _data(job: Job) -> _Data:
    policy, cache = job.policy, job.cache or job.rows.with_name("tokens")
    if fault := misfit(job.student):
        raise ValueError(fault)
    every = tokenized(job.rows, job.student, policy.system_prompt, cache)
    rows = fitting(every, policy.max_length)
    if not len(rows):
        raise ValueError(
            f"{job.rows}: of {counted(len(every), 'row')} none fits training.max_length {policy.max_length}"
        )
    return _Data(every, rows, packed(rows, policy.max_length) if policy.packing else rows)


def _trained(
    job: Job, settings: Any, data: _Data, resumable: Resumable, identity: str, progress: Callable[[str], None]
) -> Metrics:
    from transformers import AutoTokenizer, PrinterCallback

    from am_assets.training.evened import even_out
    from am_assets.training.loop import ResumableTrainer, Saving, Watching, grouped

    policy = job.policy
    tokenizer = AutoTokenizer.from_pretrained(job.student)
    template = Template(tokenizer, policy.system_prompt)
    end = str(tokenizer.convert_ids_to_tokens(template.end_token()))
    if tokenizer.pad_token is None and tokenizer.eos_token is None:
        tokenizer.pad_token = end
    order = grouped(lengths(data.rows), policy.batch_size, policy.seed) if policy.group_by_length else None
    trainer = ResumableTrainer(
        str(job.student),
        args=settings,
        train_dataset=data.sequences,
        processing_class=tokenizer,
        peft_config=peft_config(policy.lora),
        resumable=resumable,
        order=order,
    )
    writable(trainer.model)
    blank = even_out(trainer)
    watch = Watch(policy.max_loss_rise, lambda: _ids(job.rows, data.every, trainer.rows_of_step()))
    trainer.remove_callback(PrinterCallback)
    for callback in (Watching(watch, progress), Saving(job.hardware.save_seconds, job.hardware.save_steps)):
        trainer.add_callback(callback)
    trainer.resume()
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    metrics = Metrics(
        rows=len(data.rows),
        left_out=len(data.every) - len(data.rows),
        steps=trainer.state.global_step,
        tokens=int(history[-1]["num_tokens"]) - blank * int(trainer.state.epoch),
        first_loss=history[0]["loss"],
        last_loss=history[-1]["loss"],
    )
    with written_aside(job.output) if settings.should_save else tempfile.TemporaryDirectory() as folder:
        _save(trainer, job, Path(folder), template.end_token())
        (Path(folder) / "README.md").write_text(student_card(policy, metrics, end, template.opens()), encoding="utf-8")
        write_log(Path(folder), log_of(history), identity, metrics)
    return metrics


def _identity(job: Job) -> str:
    held = f"{VERSION} {content(job.rows).hash} {weights_sha256(job.student)} {job.policy.identity()}"
    return sha256(held.encode()).hexdigest()[:32]


def _ids(rows: Path, dataset: Any, tokens: set[tuple[int, ...]]) -> list[str]:
    """The response ids of rows with these tokens, or their numbers where the file has no ids."""
    lengths_of = {len(one) for one in tokens}
    near = [at for at, length in enumerate(lengths(dataset).tolist()) if length in lengths_of]
    found = [at for at in near if tuple(dataset[at]["input_ids"]) in tokens]
    ids = response_ids(rows)
    return [f"row {at}" for at in found] if ids is None else ids.gather(found).to_list()


def _save(trainer: Any, job: Job, folder: Path, end: int) -> None:
    """Write the model in Hugging Face layout; adapters are merged into it. All processes have a part in it."""
    lora = job.policy.lora
    adapter = folder / "adapter"
    trainer.save_model(str(adapter if lora else folder))
    if not trainer.args.should_save:
        return
    if lora:
        merge(job.student, adapter, folder, job.policy.parameters)
        trainer.processing_class.save_pretrained(folder)
        shutil.rmtree(adapter)
    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle with paths of this machine
    stops_at(folder, end)


def main() -> None:
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # the student is a local folder by now
    share_cores()  # spinning threads make a step five times slower on a busy machine
    job = Job.model_validate_json(sys.argv[1])
    if job.run is not None:
        end_with(job.run)
    if os.environ.get("RANK", "0") != "0":  # only one process reports
        train(job, progress=lambda _: None)
    elif "DAGSTER_PIPES_CONTEXT" in os.environ:
        from dagster_pipes import open_dagster_pipes

        with open_dagster_pipes() as pipes:
            try:
                pipes.report_custom_message(asdict(train(job, progress=pipes.log.info)))
            except (ValueError, DivergedError, CheckpointError) as error:
                pipes.report_custom_message({FAULT: str(error)})
    else:
        print(train(job))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # the run was interrupted, which is no fault to be traced
        sys.exit(130)
