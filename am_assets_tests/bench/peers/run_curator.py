"""bespokelabs-curator: one run of `curator.LLM`, with its request files, response files and dataset in a fresh folder.

The backend "openai" is its fastest for such an endpoint: "litellm" takes more than twice as long. Its limits
are those of its guide to online processing, so high that nothing is throttled.
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

os.environ |= {"CURATOR_DISABLE_CACHE": "1", "TELEMETRY_ENABLED": "false", "CURATOR_VIEWER": "0"}
os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENAI_API_KEY": "none", "HF_HUB_OFFLINE": "1"}

# curator counts tokens with a vocabulary from the internet, unless it lies on the disk: litellm has it in its package.
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

from bespokelabs import curator

url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
limits = {"max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**11, "max_concurrent_requests": concurrency}
llm = curator.LLM(
    model_name="scripted",
    backend="openai",
    backend_params={"base_url": url, "api_key": "none", "require_all_responses": True, **limits},
)
prompts = [f"Question number {i}: what is {i} plus {i}?" for i in range(n)]

with tempfile.TemporaryDirectory() as folder:
    start = perf_counter()
    answers = llm(prompts, working_dir=folder).dataset["response"]
    answered = sum(map(bool, answers))
    print(json.dumps({"seconds": perf_counter() - start, "requests": n, "answered": answered}))
