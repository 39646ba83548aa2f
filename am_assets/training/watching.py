"""What is seen of a training: the log of its steps, its metrics, and the stop of one that comes to nothing.

`training_log.parquet`, beside the student's weights, has the same bytes each time; rates and times go to the run's log
alone (`loop.py`).
"""

import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from am_assets.engines.models.folders import no_model

VERSION = "1"  # raise when the same training gives another log
LOG_FILE = "training_log.parquet"  # beside the weights, and no part of their hash
LOG = pl.Schema({"step": pl.UInt32, "loss": pl.Float64, "learning_rate": pl.Float64, "gradient_norm": pl.Float64})
RECENT = 100  # steps whose median a loss is compared with
PATIENCE = 16  # steps in a row that have to be above
SHOWN = 50  # ids of rows in a message


class DivergedError(RuntimeError):
    """The loss is no number, or went up and stays there; the message names the step and its rows."""


@dataclass(frozen=True)
class Metrics:
    rows: int  # trained on
    left_out: int  # longer than max_length
    steps: int
    tokens: int  # seen in all epochs, prompts included, padding not
    first_loss: float
    last_loss: float


def log_of(history: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """The steps of a trainer's history, as `LOG`."""
    columns = {"step": "step", "loss": "loss", "learning_rate": "learning_rate", "gradient_norm": "grad_norm"}
    rows = [[entry.get(name) for name in columns.values()] for entry in history if "loss" in entry]
    return pl.DataFrame(rows, schema=LOG, orient="row")


def write_log(student: Path, log: pl.DataFrame, identity: str, metrics: Metrics) -> None:
    about = {"identity": identity, "metrics": json.dumps(asdict(metrics))}
    log.write_parquet(student / LOG_FILE, metadata=about)


def read_log(student: Path) -> pl.DataFrame:
    """The log of a trained student; empty where it was trained before there were logs."""
    file = student / LOG_FILE
    return pl.read_parquet(file) if file.exists() else pl.DataFrame(schema=LOG)


def finished(student: Path, identity: str) -> Metrics | None:
    """The metrics of a student that is there and was trained under this identity."""
    file = student / LOG_FILE
    about = pl.read_parquet_metadata(file) if file.exists() else {}
    there = about.get("identity") == identity and no_model(student) is None
    return Metrics(**json.loads(about["metrics"])) if there else None


class Watch:
    """Stops a training whose loss or gradient is no number, or whose loss stays above `most_rise` times the median of
    the `RECENT` steps before for `PATIENCE` steps in a row; `rows` tells the ids of the rows of a step."""

    def __init__(self, most_rise: float | None, rows: Callable[[], list[str]]):
        self.most_rise, self.rows = most_rise, rows
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.above = 0

    def see(self, step: int, loss: float, gradient_norm: float | None) -> None:
        """`DivergedError` where the training has to stop at this step."""
        if not math.isfinite(loss) or not math.isfinite(gradient_norm or 0.0):
            what = (
                f"the loss is {loss:g}" if not math.isfinite(loss) else f"the norm of the gradient is {gradient_norm:g}"
            )
            advice = "take out a row that is broken (exclude.txt), or lower training.learning_rate"
            raise DivergedError(f"step {step}: {what}. {self._rows()}; {advice}")
        usual = median(self.recent) if len(self.recent) >= PATIENCE else math.inf
        if self.most_rise is not None and loss > self.most_rise * usual:
            self.above += 1
        else:
            self.above = 0
            self.recent.append(loss)
        if self.above >= PATIENCE:
            raise DivergedError(
                f"step {step}: the loss is {loss:.4f}, and for {PATIENCE} steps it was above {self.most_rise:g} times"
                f" its median of {usual:.4f} before. {self._rows()}; lower training.learning_rate, or set"
                " training.max_loss_rise higher (null: never stop)"
            )

    def _rows(self) -> str:
        ids = self.rows()
        more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
        return f"Its rows: {', '.join(ids[:SHOWN])}{more}"
