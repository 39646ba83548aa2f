r"""Verdicts on the labelled pairs by category, beside plain math-verify.

    python -m am_assets_tests.bench.math_accuracy [--wrong]

Right is a pass where the pair is labelled equal and no pass where it is not. Plain math-verify is given the same answer
part and every reference of a pair: as it stands, and (`boxed`) in the \boxed{} that its parser likes best.
"""

import argparse
import logging

import polars as pl

from am_assets.config.instruments import Math
from am_assets.verification.verifiers import math
from am_assets_tests.verification.math_pairs import ADVERSARIAL, judged, pairs


def plain(reference: str, answer: str | None, boxed: bool) -> bool:
    from math_verify import parse, verify

    golds = [rf"\boxed{{{gold}}}" if boxed else gold for gold in math.references(reference)]
    return any(verify(parse(gold), parse(answer or "")) for gold in golds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="list the pairs that this project gets wrong")
    asked = parser.parse_args()
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    table = judged(pairs(), Math())
    for name, boxed in {"plain": False, "boxed": True}.items():
        said = [plain(gold, answer, boxed) for gold, answer in table.select("reference", "answer").iter_rows()]
        table = table.with_columns(pl.Series(name, said))
    judges = {"ours": pl.col("verdict") == "pass", "plain": pl.col("plain"), "boxed": pl.col("boxed")}
    print(f"{'category':<16}{'pairs':>6}" + "".join(f"{name:>8}{'false pass':>12}" for name in judges))
    parts = [(str(name), rows) for (name,), rows in table.group_by("category", maintain_order=True)]
    hostile = pl.col("category").is_in(ADVERSARIAL)
    parts += [("adversarial", table.filter(hostile)), ("other", table.filter(~hostile)), ("all", table)]
    for name, rows in parts:
        figures = [
            rows.select(right=(passed == pl.col("equal")).mean(), false=(passed & ~pl.col("equal")).sum()).row(0)
            for passed in judges.values()
        ]
        print(f"{name:<16}{rows.height:>6}" + "".join(f"{right:>8.1%}{false:>12}" for right, false in figures))
    untold = table.filter(pl.col("verdict") == "unverifiable")
    print(f"unverifiable: {untold.filter('equal').height} equal, {untold.filter(~pl.col('equal')).height} not equal")
    if asked.wrong:
        for row in table.filter(~pl.col("right")).iter_rows(named=True):
            verdict = f"{row['verdict']}: {row['reason']}"
            print(f"{row['id']}: {row['reference']!r} / {row['answer']!r} read {row['extracted']!r}: {verdict}")


if __name__ == "__main__":
    main()
