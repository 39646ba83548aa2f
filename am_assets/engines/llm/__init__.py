"""Client for language models, through litellm: a table of requests in, a stream of answer tables out.

Labelling, teaching and judging all use it. A request is identified by model, messages, sampling parameters (including
response schema and reasoning options) and sample index. Addresses, concurrency, prices and budgets are runtime settings
(`config/endpoints.py`) and part of no identity. The meaning of an answer belongs to the stage that asks.

    for answers in ask(requests, "openai/gpt-4o-mini", [Endpoint(concurrency=8)], Budget(dollars=5)):
        memo.append("labels", answers)  # columns `ANSWER`

    names       validation of model names, offline
    wire        one request to one endpoint
    replies     parsing of replies and classification of faults
    limits      rate limits and slots of a provider, shared by the processes of this machine
    shared_limits, shared_budget  the same, and a budget, shared by machines through a database
    routing     choice of the endpoint for the next request, with circuit breaking
    structured  structured output: JSON parsing, schema checks, repair
    yes_no      prompts about untrusted texts that are answered by one boolean
    money       budgets and cost accounting
    requester   one request with retries, repair and budget
    stream      `ask`: many requests at once
    batch       `ask_batch`: the same through an offline batch endpoint
    tickets     the on-disk state of pending batches
"""

from am_assets.config.endpoints import Endpoint, load_endpoints
from am_assets.engines.llm.batch import ask_batch
from am_assets.engines.llm.money import Budget
from am_assets.engines.llm.replies import ANSWER, LlmError
from am_assets.engines.llm.stream import ask

__all__ = ["ANSWER", "Budget", "Endpoint", "LlmError", "ask", "ask_batch", "load_endpoints"]
