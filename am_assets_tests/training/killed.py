"""A training that is killed again and again at random moments.

    python -m am_assets_tests.training.killed JOB KILLS SEED

Kills so many children in the middle of their steps, lets a last one come to its end, and prints the step that each
child had begun with as JSON. Children are forked from a process that has imported everything and used nothing, so that
a start takes little.
"""

import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator


def training(job: str, report: int) -> None:
    """In the child: train, with each line of progress written to the pipe."""
    import torch

    from am_assets.training import loop
    from am_assets.training.sft import Job, train

    torch.set_num_threads(1)
    loop.REPORT_SECONDS = 0
    train(Job.model_validate_json(job), progress=lambda line: os.write(report, f"{line}\n".encode()) and None)


def child(job: str) -> tuple[int, Iterator[str]]:
    told, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        training(job, report)
        os._exit(0)
    os.close(report)
    return pid, iter(os.fdopen(told))


def main() -> None:
    import datasets  # noqa: F401
    import transformers  # noqa: F401
    import trl.trainer.sft_trainer  # noqa: F401

    job, kills, draw = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
    began = []
    for kill in range(kills + 1):
        pid, lines = child(job)
        first = next(lines, "")
        goes_on = re.match(r"goes on after step (\d+)", first)
        began.append(int(goes_on[1]) if goes_on else 0)
        if kill < kills:
            for _ in range(draw.randint(0, 6)):  # steps, so that a busy machine gets as far
                next(lines, "")
            time.sleep(draw.uniform(0, 0.05))
            os.kill(pid, signal.SIGKILL)
        for _ in lines:
            pass
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
    print(json.dumps(began))


if __name__ == "__main__":
    main()
