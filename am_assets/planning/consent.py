"""What planned steps may cost has to be named before any model is asked."""

import math
from collections.abc import Collection

from am_assets.config.files import ConfigError
from am_assets.planning.costs import Estimate


def most_dollars(estimates: Collection[Estimate]) -> float:
    """What they may cost, rounded up to a cent; `ConfigError` where a model has no known price."""
    prices = [estimate.most for estimate in estimates]
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        raise ConfigError("nothing was asked: a model has no known price, see above")
    return math.ceil(sum(known) * 100) / 100


def unnamed(dollars: float, option: str) -> ConfigError:
    """The refusal where nobody can be asked and no budget was named; `option` names one."""
    return ConfigError(f"nothing was asked: what it may cost has to be named, as in {option} {dollars:.2f}")
