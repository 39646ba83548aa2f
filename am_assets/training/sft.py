"""Supervised fine-tuning of the student, in a process of its own.

    python -m am_assets.training.sft '{"rows": "sft_dataset.parquet", "student": "<folder>", "output": "<folder>",
                                       "policy": {"student": "<name>", "learning_rate": 8e-5, ...}}'
    accelerate launch -m am_assets.training.sft '<the same>'          # several GPUs, FSDP, DeepSpeed

Under Dagster it uses Pipes: progress goes to the log of the run, and `Metrics` is a custom message; otherwise it prints
both. `train` is the entry point for tests and notebooks. The format of rows belongs to `dataset.py`, tokenization and
the loss mask to `tokens.py`.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from am_assets.config.files import Section
from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.runtime.orphans import end_with
from am_assets.runtime.threads import share_cores
from am_assets.storage.atomic import written_aside
from am_assets.training import launch
from am_assets.training.adapters import merge, peft_config
from am_assets.training.settings import trainer_settings
from am_assets.training.tokens import tokenize

# Part of a checkpoint's identity: raise when the same rows and policy give other weights.
VERSION = "trl-1"
REPORT_SECONDS = 15


class Job(Section):
    """The input of a training run; all but `policy` are locations and limits of the device."""

    rows: Path  # parquet of SftDataset
    student: Path  # Hugging Face folder, see `engines.student.student_folder`
    output: Path  # the checkpoint, written atomically
    policy: TrainingPolicy
    run: int | None = None  # pid of the process that waits for the checkpoint; training ends with it
    hardware: Preset = Preset()  # how it is spread over devices; one GPU, or the CPU where there is none


@dataclass(frozen=True)
class Metrics:
    rows: int  # trained on
    left_out: int  # longer than max_length
    steps: int
    tokens: int  # seen in all epochs, prompts included, padding not
    first_loss: float
    last_loss: float


def command(job: Job) -> list[str]:
    """The command line of the job, with a file beside the rows where it takes several processes."""
    program = ["-m", "am_assets.training.sft", job.model_dump_json()]
    return launch.command(program, job.policy, job.hardware, job.rows.parent)


def train(job: Job, progress: Callable[[str], None] = print) -> Metrics:
    """Trains the student on the rows and writes the checkpoint in Hugging Face layout to `job.output`.

    The loss is on the assistant's turn only. Rows longer than `max_length` are left out, not truncated. With packing,
    `batch_size` counts packed sequences. On a CPU, runs with the same number of threads give the same bytes.
    `ValueError` if no row fits `max_length`.

    >>> train(Job(rows=rows, student=folder, output=checkpoint, policy=policy)).last_loss
    """
    from datasets import disable_progress_bars
    from transformers import AutoTokenizer, PrinterCallback
    from trl import SFTTrainer

    from am_assets.training.evened import even_out

    disable_progress_bars()
    main_process = os.environ.get("RANK", "0") == "0"
    with written_aside(job.output) if main_process else tempfile.TemporaryDirectory() as folder:
        settings = trainer_settings(job.policy, job.hardware, str(folder))
        tokenizer = AutoTokenizer.from_pretrained(job.student)
        with settings.main_process_first():
            rows, fitting = _tokenized(job, tokenizer)
        trainer = SFTTrainer(
            str(job.student),
            args=settings,
            train_dataset=fitting,
            processing_class=tokenizer,
            peft_config=peft_config(job.policy.lora),
        )
        blank = even_out(trainer)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(progress_callback(progress))
        trainer.train()
        _save(trainer, job, Path(folder))
        history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return Metrics(
        rows=len(fitting),
        left_out=rows - len(fitting),
        steps=trainer.state.global_step,
        tokens=int(history[-1]["num_tokens"]) - blank * int(trainer.state.epoch),
        first_loss=history[0]["loss"],
        last_loss=history[-1]["loss"],
    )


def _save(trainer: Any, job: Job, folder: Path) -> None:
    """Write the model in Hugging Face layout; adapters are merged into it."""
    lora = job.policy.lora
    adapter = folder / "adapter"
    trainer.save_model(str(adapter if lora else folder))
    if lora and trainer.args.should_save:
        merge(job.student, adapter, folder, job.policy.parameters)
        trainer.processing_class.save_pretrained(folder)
        shutil.rmtree(adapter)
    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle with paths of this machine


def _tokenized(job: Job, tokenizer: Any) -> tuple[int, Any]:
    """The number of all rows, and the tokens of those that fit `max_length`; `ValueError` if none does."""
    from datasets import Dataset

    policy = job.policy
    cache = str(job.rows.with_name("tokens"))  # beside the rows: shared by all processes and deleted with the rows
    rows = Dataset.from_parquet(str(job.rows), columns=["question", "think", "answer"], cache_dir=cache)
    tokens = rows.map(
        tokenize,
        fn_kwargs={"tokenizer": tokenizer, "system_prompt": policy.system_prompt},
        remove_columns=rows.column_names,
    )
    fitting = tokens.filter(lambda row: len(row["input_ids"]) <= policy.max_length)
    if not len(fitting):
        raise ValueError(f"{job.rows}: none of {len(tokens)} rows fits training.max_length {policy.max_length}")
    return len(tokens), fitting


def progress_callback(progress: Callable[[str], None]) -> Any:
    """Reports step, loss, speed and time left: at the first and last step, and at most every 15 s in between."""
    from transformers import TrainerCallback

    class Progress(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began, self.reported = time.monotonic(), 0.0

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logs, now, step, steps = kwargs["logs"], time.monotonic(), state.global_step, state.max_steps
            due = now - self.reported >= REPORT_SECONDS or step in (1, steps)
            if "loss" not in logs or not state.is_world_process_zero or not due:
                return
            self.reported, spent = now, now - self.began
            speed, left = logs["num_tokens"] / spent, spent / step * (steps - step)
            progress(f"step {step} of {steps}, loss {logs['loss']:.4f}, {speed:,.0f} tokens/s, {left:,.0f} s left")

    return Progress()


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
            pipes.report_custom_message(asdict(train(job, progress=pipes.log.info)))
    else:
        print(train(job))


if __name__ == "__main__":
    main()
