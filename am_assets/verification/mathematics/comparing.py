r"""Are two values equal? Yes, no, or not to be told; by their kinds, in `RULES`.

The rules are symmetric: each is tried with its two values in either order. Two kinds without a rule are different, but
of words, and of what could not be parsed, nothing is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from am_assets.verification.mathematics import parameters
from am_assets.verification.mathematics.rules import groups, names, relations, terms
from am_assets.verification.mathematics.told import Told
from am_assets.verification.mathematics.values import (
    Congruence,
    Equation,
    Group,
    Matrix,
    Named,
    Numeral,
    Piecewise,
    Range,
    Ratio,
    Region,
    Rounded,
    Term,
    Value,
    Void,
    Words,
)


@dataclass(frozen=True)
class Within:
    """Equality of values, where two real numbers may differ by the relative `tolerance`; None: by nothing."""

    tolerance: float | None = None

    def values(self, one: Value, other: Value) -> Told:
        if Void in (type(one), type(other)):
            return False
        if one == other:
            return True
        for kinds, rule in RULES.items():
            for first, second in ((one, other), (other, one)):
                if isinstance(first, kinds[0]) and isinstance(second, kinds[1]):
                    return rule(first, second, self)
        return False

    def texts(self, one: str, other: str) -> Told:
        return parameters.same(one, other, self.tolerance)

    def together(self, one: Sequence[Value], other: Sequence[Value]) -> Told:
        sides = [[item.text for item in side if isinstance(item, Term)] for side in (one, other)]
        if not any(map(parameters.BOUND.search, chain(*sides))):
            return True
        return parameters.together(sides[0], sides[1]) if len(sides[0]) == len(sides[1]) else None


# The first that fits.
RULES: dict[tuple[Any, Any], Callable[..., Told]] = {
    (Words, Value): terms.words,
    (Rounded, Value): terms.rounded,
    (Piecewise, Piecewise): relations.piecewise,
    (Term, Term): terms.terms,
    (Numeral, Numeral): terms.numerals,
    (Numeral, Term): terms.numeral_and_term,
    (Congruence, Congruence): terms.congruences,
    (Congruence, Term): terms.congruence_and_term,
    (Congruence, Group): groups.congruence_and_group,
    (Ratio, Ratio): terms.ratios,
    (Ratio, Term): terms.ratio_and_term,
    (Equation, Equation): relations.equations,
    (Named, Equation): names.named_and_equation,
    (Named, Named): names.named,
    (Region, Region): relations.regions,
    (Region, Group): relations.region_and_group,
    (Named, Value): names.named_and_bare,
    (Piecewise, Value): relations.piecewise_and_bare,
    (Region, Term): relations.sets,
    (Group, Group): groups.groups,
    (Group, Term): groups.group_and_term,
    (Matrix, Matrix): groups.matrices,
    (Matrix, Group): groups.matrix_and_point,
    (Matrix, Term): groups.matrix_and_term,
    (Range, Range): groups.ranges,
}
