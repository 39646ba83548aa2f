"""What three hundred kills at random moments lose and repeat.

python -m am_assets_tests.bench.lost_answers [--kills 300] [--requests 8000]
"""

import argparse

from am_assets_tests.kills import BOUND_SECONDS, tolls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--requests", type=int, default=8000, help="of each of four runs side by side")
    asked = parser.parse_args()
    counted = tolls(asked.kills, asked.requests)
    sums = {name: sum(getattr(toll, name) for toll in counted) for name in vars(counted[0])}
    print(f"{sums['kills']} kills, {sums['answers']:,} answers sent")
    print(f"sent again because their first copy was not stored yet: {sums['repeated']:,}")
    print(f"of these sent more than {BOUND_SECONDS:g} s before the kill: {sums['overdue']}")
    print(f"oldest answer that a kill lost: {max(toll.oldest_lost for toll in counted):.2f} s")
    print(f"stored twice: {sums['doubled']}; missing or wrong in the store: {sums['wrong']}")


if __name__ == "__main__":
    main()
