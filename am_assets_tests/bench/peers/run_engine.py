"""The engine of this project: `ask` at one endpoint, each frame of answers stored in a memo."""

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import litellm  # noqa: F401  (imports are not timed)
import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ask
from am_assets.storage.memo import Memo

url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
prompts = [[{"role": "user", "content": f"Question number {i}: what is {i} plus {i}?"}] for i in range(n)]
columns = {"key": [str(i) for i in range(n)], "messages": [json.dumps(prompt) for prompt in prompts]}
requests = pl.DataFrame(columns).with_columns(sampling=pl.lit(json.dumps({"max_tokens": 64})))
endpoint = Endpoint(api_base=url, concurrency=concurrency)

with tempfile.TemporaryDirectory() as folder:
    memo, answered = Memo(Path(folder)), 0
    start = perf_counter()
    for frame in ask(requests, "openai/scripted", [endpoint]):
        memo.append("bench", frame)
        answered += frame.height
    print(json.dumps({"seconds": perf_counter() - start, "requests": n, "answered": answered}))
