"""Deduplicate vectors with semhash at its defaults: `run_semhash.py VECTORS.npy OUT.npz`, in an environment of its own.

Prints the seconds of indexing and deduplication; leaves which rows stay, and the neighbours of every row.
"""

import sys
import time

import numpy as np
from semhash import SemHash


class NoEncoder:
    def encode(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("the vectors are given")


vectors = np.load(sys.argv[1])
rows = [str(number) for number in range(len(vectors))]
started = time.monotonic()
index = SemHash.from_embeddings(embeddings=vectors, records=rows, model=NoEncoder())
result = index.self_deduplicate()
seconds = time.monotonic() - started
stays = np.zeros(len(vectors), dtype=bool)
stays[[int(row) for row in result.selected]] = True
found = index.index.query_threshold(vectors, threshold=0.9)
at = np.concatenate([np.full(len(hits), row) for row, (hits, _) in enumerate(found)])
np.savez(sys.argv[2], stays=stays, rows=at, columns=np.concatenate([hits for hits, _ in found]))
print(seconds)
