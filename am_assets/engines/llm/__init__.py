"""Language models, through litellm: requests in, answers out, as one bounded stream.

Labels, teaching and judging all ask here. A request is identified by model, messages, sampling (response schema and
reasoning options included) and sample index. Where the model is reached, how many requests run at once, what a token
costs and what may be spent is runtime configuration and no part of any identity. What an answer means is the asking
stage's business.

    endpoints   where a model is reached, its limits and prices (`data/endpoints.yaml`)
    names       whether a model's name is one that anybody could answer to
    wire        one request to one endpoint
    replies     what comes back: an answer, or a fault and what kind of fault
    limits      requests, tokens and slots of a provider, shared by the processes of this machine
    routing     which endpoint takes the next request; those that fail are left alone for a while
    structured  answers that must fit a schema
    yes_no      a question about texts that nobody vouches for, answered by one boolean
    money       what was spent, what is left, what it will come to
    requester   one request until it is answered: retries, repair, money
    stream      all of it together: `ask`
    batch       the same requests through an offline batch endpoint: `ask_batch`
    tickets     what a batch under way leaves on disk
"""

from am_assets.config.endpoints import Endpoint, load_endpoints
from am_assets.engines.llm.batch import ask_batch
from am_assets.engines.llm.money import Budget
from am_assets.engines.llm.replies import ANSWER, LlmError
from am_assets.engines.llm.stream import ask

__all__ = ["ANSWER", "Budget", "Endpoint", "LlmError", "ask", "ask_batch", "load_endpoints"]
