"""What answers cost: counted by request, shown while they come in, and held to a budget.

A budget is a runtime setting and no part of any identity or version.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from am_assets.engines.llm.replies import Reply

MAX_TEMPLATE_TOKENS = 32  # around a message: no tokenizer makes more than a token of a byte, but templates add some


def max_prompt_tokens(contents: Sequence[str]) -> int:
    """What the messages of one request can come to at most."""
    return sum(len(content.encode()) + MAX_TEMPLATE_TOKENS for content in contents)


def max_total_tokens(requests: pl.DataFrame) -> tuple[int, int]:
    """Tokens in and out that `requests` (messages and sampling, as JSON) can come to at most together: not less than
    what is reserved for each of them, and without the repair of one that does not fit its schema."""
    messages = pl.col("messages").str
    prompts = (
        messages.len_bytes().cast(pl.Int64) + messages.count_matches('"role":', literal=True) * MAX_TEMPLATE_TOKENS
    )
    limits = pl.col("sampling").str.json_path_match("$.max_tokens").cast(pl.Int64, strict=False)
    tokens_in, tokens_out = requests.select(prompts.sum(), limits.sum().alias("limits")).row(0)
    return tokens_in, tokens_out


@dataclass
class Budget:
    """Dollars that may be spent, and were. No limit where `dollars` is None; what is spent counts `within` another."""

    dollars: float | None = None
    within: "Budget | None" = None
    spent: float = 0.0

    def add(self, cost: float) -> None:
        self.spent += cost
        if self.within:
            self.within.add(cost)

    @property
    def limited(self) -> bool:
        return self.dollars is not None or (self.within is not None and self.within.limited)

    def reached(self, more: float) -> str | None:
        """Says so where `more` dollars can't be spent; free requests go on at the end of a budget."""
        if self.dollars is not None and more and self.spent + more > self.dollars:
            return (
                f"The budget of ${self.dollars:.4f} is reached: ${self.spent:.4f} spent, the next may cost ${more:.4f}"
            )
        return self.within.reached(more) if self.within else None


SPENT = Budget()  # by this process


@dataclass
class Meter:
    """The state of one stream, for the people who watch it."""

    total: int
    budget: Budget
    done: int = 0
    failed: int = 0
    in_flight: int = 0
    reserved: list[float] = field(default_factory=list)  # dollars that each started request may cost at most
    tokens: int = 0
    cost: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def paid(self, reply: Reply) -> None:
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
        """Why a request that may cost `at_most` dollars can't start beside those in flight."""
        return self.budget.reached(sum(self.reserved) + at_most) if self.budget.limited else None

    def left(self) -> str:
        left = self.total - self.done
        price = f"about ${left * self.mean_cost:.4f}" if self.done else "an amount not known yet"
        return (
            f"{self.done:,} of {self.total:,} requests are answered and stored; the other {left:,} would cost {price}"
        )

    def line(self) -> str:
        seconds = time.monotonic() - self.started
        left = self.total - self.done - self.failed
        eta = f"{left * seconds / self.done:,.0f} s left" if self.done else "no answer yet"
        return (
            f"{self.done:,} answered, {self.failed:,} failed, {self.in_flight:,} in flight,"
            f" {self.tokens / max(seconds, 1e-9):,.0f} tokens/s, ${self.cost:.4f} so far,"
            f" ${self.cost + left * self.mean_cost:.4f} in the end, {eta}"
        )
