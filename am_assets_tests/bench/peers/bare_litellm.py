"""The least a script does with litellm: workers over one iterator, each awaiting `litellm.acompletion`."""

import asyncio
import json
import os
import sys
from time import perf_counter

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # the price list from the package, not from the internet

import litellm

url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
prompts = [f"Question number {i}: what is {i} plus {i}?" for i in range(n)]


async def run() -> dict[int, str]:
    answers, numbers = {}, iter(range(n))

    async def work() -> None:
        for i in numbers:
            messages = [{"role": "user", "content": prompts[i]}]
            answer = await litellm.acompletion("openai/scripted", messages, api_base=url, api_key="none")
            answers[i] = answer.choices[0].message.content

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return answers


start = perf_counter()
answers = asyncio.run(run())
print(json.dumps({"seconds": perf_counter() - start, "requests": n, "answered": sum(map(bool, answers.values()))}))
