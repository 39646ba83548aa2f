"""distilabel: batches of prompts to `OpenAILLM.generate_outputs`, as the documentation of the class shows.

`generate_outputs` has no limit of its own on requests in flight, so the size of the batch is the concurrency. This is
distilabel at its fastest: a pipeline of LoadDataFromDicts and TextGeneration, with one replica or two, adds processes,
queues and files around the same calls and takes about twice as long. So nothing is stored here, which is in its favour.
"""

import json
import os
import sys
from time import perf_counter

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

from distilabel.models.llms import OpenAILLM

url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
llm = OpenAILLM(model="scripted", base_url=url, api_key="none")
llm.load()
prompts = [[{"role": "user", "content": f"Question number {i}: what is {i} plus {i}?"}] for i in range(n)]

start = perf_counter()
answers = []
for first in range(0, n, concurrency):
    answers += llm.generate_outputs(inputs=prompts[first : first + concurrency])
answered = sum(bool(answer["generations"][0]) for answer in answers)
print(json.dumps({"seconds": perf_counter() - start, "requests": n, "answered": answered}))
