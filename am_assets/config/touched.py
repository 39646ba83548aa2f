"""From where on a benchmark item counts as touched by the rows that a student was trained on: a section of
`evaluation`."""

from typing import Literal

from am_assets.config.files import Section
from am_assets.config.sets import Share


class Touched(Section):
    """Items that any released row touches by these measures are left out of a second set of scores. Its fields are
    those of `sampling.decontamination`; finer cuts, so that scores say something of what it let through. null: off."""

    same_text: bool = True
    same_template: bool = True  # numbers may differ: right for contest problems, wrong for arithmetic drills
    ngram: Literal[8, 13] = 8
    ngram_share: Share | None = 0.25  # 0: any shared n-gram
    wording: Share | None = 0.6
    cosine: Share | None = 0.85
    reworded: Share | None = 0.7
