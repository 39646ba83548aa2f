"""Cost accounting: what answers cost, estimates beforehand, and budgets.

A budget is a runtime setting and part of no identity or version.

    budget = Budget(dollars=5, within=SPENT)
    budget.reached(0.01)  # None, or the reason why 0.01 dollars more may not be spent
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from am_assets.engines.llm.replies import Reply
from am_assets.runtime.wording import counted

CHARS_A_TOKEN = 4  # a rough mean, to estimate the tokens of a prompt
MAX_TEMPLATE_TOKENS = 32  # that a chat template adds per message; a byte of content is at most one token


def max_prompt_tokens(contents: Sequence[str]) -> int:
    """An upper bound of the prompt tokens of one request with messages of these contents."""
    return sum(len(content.encode()) + MAX_TEMPLATE_TOKENS for content in contents)


def max_total_tokens(requests: pl.DataFrame) -> tuple[int, int]:
    """Upper bounds of all prompt and completion tokens of `requests` (messages and sampling, as JSON).

    At least the sum of what is reserved for each; repairs of answers that do not fit their schema are not included.
    """
    messages = pl.col("messages").str
    prompts = (
        messages.len_bytes().cast(pl.Int64) + messages.count_matches('"role":', literal=True) * MAX_TEMPLATE_TOKENS
    )
    limits = pl.col("sampling").str.json_path_match("$.max_tokens").cast(pl.Int64, strict=False)
    tokens_in, tokens_out = requests.select(prompts.sum(), limits.sum().alias("limits")).row(0)
    return tokens_in, tokens_out


@dataclass
class Budget:
    """Dollars that may be spent (no limit where None) and were spent; spending counts for the budget `within` too."""

    dollars: float | None = None
    within: "Budget | None" = None
    spent: float = 0.0

    def add(self, cost: float) -> None:
        """Record `cost` dollars as spent."""
        self.spent += cost
        if self.within:
            self.within.add(cost)

    @property
    def limited(self) -> bool:
        return self.dollars is not None or (self.within is not None and self.within.limited)

    def reached(self, more: float) -> str | None:
        """The reason why `more` dollars can't be spent, else None; requests that cost nothing are always allowed."""
        if self.dollars is not None and more and self.spent + more > self.dollars:
            return (
                f"The budget of ${self.dollars:.4f} is reached: ${self.spent:.4f} spent, the next may cost ${more:.4f}"
            )
        return self.within.reached(more) if self.within else None

    def settle(self) -> None:
        """Nothing is in flight any more: what was kept for it is free."""
        if self.within:
            self.within.settle()


SPENT = Budget()  # by this process


@dataclass
class Meter:
    """Counters of one stream, for its progress line and its budget."""

    total: int
    budget: Budget
    done: int = 0
    failed: int = 0
    in_flight: int = 0
    reserved: list[float] = field(default_factory=list)  # upper bounds in dollars of the requests in flight
    tokens: int = 0
    cost: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def paid(self, reply: Reply) -> None:
        """Count the tokens and the cost of a reply."""
        self.tokens += sum(reply.tokens)
        self.cost += reply.cost
        self.budget.add(reply.cost)

    @property
    def mean_tokens(self) -> int:
        return self.tokens // self.done if self.done else 0

    @property
    def mean_cost(self) -> float:
        return self.cost / self.done if self.done else 0.0

    def over_budget(self, at_most: float) -> str | None:
        """The reason why a request of at most `at_most` dollars can't start beside those in flight, else None."""
        return self.budget.reached(sum(self.reserved) + at_most) if self.budget.limited else None

    def left(self) -> str:
        """A sentence on what was not answered, for the error at the end."""
        left = self.total - self.done
        price = f"about ${left * self.mean_cost:.4f}" if self.done else "an amount not known yet"
        asked = counted(self.total, "request")
        return f"{self.done:,} of {asked} answered and stored; the other {left:,} would cost {price}"

    def line(self) -> str:
        """The progress line."""
        seconds = time.monotonic() - self.started
        left = self.total - self.done - self.failed
        eta = f"{left * seconds / self.done:,.0f} s left" if self.done else "no answer yet"
        return (
            f"{self.done:,} answered, {self.failed:,} failed, {self.in_flight:,} in flight,"
            f" {self.tokens / max(seconds, 1e-9):,.0f} tokens/s, ${self.cost:.4f} so far,"
            f" ${self.cost + left * self.mean_cost:.4f} in the end, {eta}"
        )
