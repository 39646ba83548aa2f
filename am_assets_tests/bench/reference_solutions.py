"""Do the reference solutions of MBPP and HumanEval pass their own tests in the sandbox?

    python -m am_assets_tests.bench.reference_solutions mbpp.jsonl HumanEval.jsonl.gz [backend]

Prints the share that passes of each file, and every problem that does not with its outcome. Both are read as they are
published.
"""

import gzip
import json
import sys
from pathlib import Path

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, open_sandbox


def problems(path: Path) -> list[tuple[str, Job]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found = []
    for row in map(json.loads, text.splitlines()):
        if "canonical_solution" in row:
            job = Job(row["prompt"] + row["canonical_solution"], row["test"], row["entry_point"])
        else:
            job = Job(row["code"], "\n".join([row["test_setup_code"], *row["test_list"]]))
        found.append((str(row["task_id"]), job))
    return found


def main(paths: list[str], backend: str = "auto") -> None:
    with open_sandbox(Code(), backend) as sandbox:
        for path in map(Path, paths):
            rows = problems(path)
            outcomes = list(sandbox.run_many([job for _, job in rows]))
            passed = sum(outcome.status == "pass" for outcome in outcomes)
            print(f"{path.name}: {passed} of {len(rows)} pass in {sandbox.name}")
            for (name, _), outcome in zip(rows, outcomes, strict=True):
                if outcome.status != "pass":
                    print(f"  {name}: {outcome.status}: {outcome.detail.splitlines()[-1:]}")


if __name__ == "__main__":
    main(sys.argv[1:3], *sys.argv[3:])
