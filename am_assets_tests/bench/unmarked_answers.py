"""Answers that mark no result: how many right ones pass, and how many wrong ones do.

    python -m am_assets_tests.bench.unmarked_answers gsm8k_test.jsonl math500.jsonl

Of each worked solution the mark is taken off: what follows `####`, or the box around a result. Right is then the result
that was marked; wrong is that of the solution before, where it is another one.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from am_assets.config.instruments import Math
from am_assets.verification.mathematics.boxes import boxes
from am_assets.verification.mathematics.equality import compare
from am_assets.verification.verifiers import math

CALCULATED = re.compile(r"<<.*?>>")


def unmarked(path: Path) -> Iterator[tuple[str, str]]:
    """Solutions without their mark, and what it marked."""
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if "solution" not in row:
            solution, _, result = CALCULATED.sub("", row["answer"]).partition("####")
            yield solution.strip(), result.strip()
        elif len(found := boxes(solution := row["solution"])) == 1:
            box = found[0]
            yield solution[: box.start] + box.content + solution[box.end :], box.content


def judged(pairs: list[tuple[str, str]]) -> str:
    rows = [{"key": str(at), "answer": answer, "reference": reference} for at, (answer, reference) in enumerate(pairs)]
    verdicts = pl.concat(math.verify(pl.DataFrame(rows), Math()))["verdict"]
    counts = Counter(verdicts.cast(pl.String).to_list())
    return ", ".join(f"{counts[name]} {name}" for name in ("pass", "unverifiable", "fail"))


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        right = [*unmarked(path)]
        wrong = [
            (answer, before)
            for (answer, own), (_, before) in zip(right[1:], right, strict=False)
            if compare(own, before) is False
        ]
        print(f"{path.name}: of {len(right)} right ones {judged(right)}; of {len(wrong)} wrong ones {judged(wrong)}")


if __name__ == "__main__":
    main()
