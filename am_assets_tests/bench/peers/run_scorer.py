"""Score answers with the scorer of a peer: `run_scorer.py NAME ROWS.jsonl OUT.jsonl`, in an environment of its own.

NAME is math, choice or ifeval (lighteval), livecodebench (nvidia-livecodebench) or evalplus. OUT has for each row its
key and whether the peer lets it pass, or null with the error. Prints the seconds, without those of loading.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def of_lighteval(metric: str) -> Callable[[Row], bool]:
    from lighteval.metrics.metrics import Metrics
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    scorer = getattr(Metrics, metric).value(sample_params={"k": 1, "n": 1}).sample_level_fn

    def score(row: Row) -> bool:
        doc = Doc(query=row["question"], choices=row["choices"], gold_index=row["gold"], task_name="peer")
        return bool(scorer.compute(doc=doc, model_response=ModelResponse(text=[row["answer"]])) == 1)

    return score


def of_ifeval(row: Row) -> bool:
    """In strict mode; the sentence model of NLTK comes from a package, since it would be downloaded."""
    import nltk
    import punkt
    from langdetect import DetectorFactory
    from lighteval.tasks.tasks.ifeval import instructions_utils
    from lighteval.tasks.tasks.ifeval.instructions_registry import INSTRUCTION_DICT

    DetectorFactory.seed = 0
    instructions_utils._get_sentence_tokenizer = punkt.tokenizer_for
    if not isinstance(nltk.word_tokenize, partial):
        nltk.word_tokenize = partial(nltk.word_tokenize, preserve_line=True)
    for name, settings in zip(row["instruction_id_list"], row["kwargs"], strict=True):
        rule = INSTRUCTION_DICT[name](name)
        rule.build_description(**settings)
        if not (row["answer"].strip() and rule.check_following(row["answer"])):
            return False
    return True


def of_evalplus(row: Row) -> bool:
    from evalplus.eval import untrusted_check

    inputs, expected = eval(row["inputs"]), eval(row["expected"])  # literals of our own making
    code, times = row["program"], [0.2] * len(inputs)
    ended, _ = untrusted_check("mbpp", code, inputs, row["entry_point"], expected, 0, times, fast_check=True)
    return bool(ended == "pass")


def each(score: Callable[[Row], bool], rows: list[Row], at_once: int) -> Iterator[Row]:
    def end(row: Row) -> Row:
        try:
            return {"key": row["key"], "passes": score(row)}
        except Exception as error:
            return {"key": row["key"], "passes": None, "error": f"{type(error).__name__}: {error}"[:200]}

    if at_once == 1:
        yield from map(end, rows)
        return
    with ThreadPoolExecutor(at_once) as threads:
        yield from threads.map(end, rows)


def of_livecodebench(rows: list[Row]) -> Iterator[Row]:
    from livecodebench.evaluation.compute_code_generation_metrics import evaluate_generations
    from livecodebench.lm_styles import LMStyle
    from livecodebench.utils.extraction_utils import extract_code

    programs = [[extract_code(row["answer"], LMStyle.OpenAIChat)] for row in rows]
    samples = [{"input_output": row["input_output"]} for row in rows]
    found, _ = evaluate_generations(samples, programs, num_process_evaluate=os.cpu_count() or 1, timeout=6)
    for at, row in enumerate(rows):
        yield {"key": row["key"], "passes": all(one == 1 for one in found[at][0])}


def main(name: str, rows_file: str, out: str) -> None:
    rows = [json.loads(line) for line in Path(rows_file).read_text().splitlines()]
    scorers: dict[str, Callable[[], Callable[[Row], bool]]] = {
        "math": lambda: of_lighteval("pass_at_k_math"),
        "choice": lambda: of_lighteval("gpqa_instruct_pass_at_k"),
        "ifeval": lambda: of_ifeval,
        "evalplus": lambda: of_evalplus,
    }
    if name == "livecodebench":
        started = time.monotonic()
        found = list(of_livecodebench(rows))
    else:
        score = scorers[name]()
        started = time.monotonic()
        found = list(each(score, rows, (os.cpu_count() or 1) if name == "evalplus" else 1))
    seconds = time.monotonic() - started
    Path(out).write_text("".join(json.dumps(row) + "\n" for row in found))
    print(f"{seconds:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
