"""From where on a benchmark item counts as touched by the rows that a student was trained on: a section of
`evaluation`."""

from typing import Literal

from am_assets.config.files import Section
from am_assets.config.sets import Share


class Touched(Section):
    """Items that any released row touches by these measures are left out of a second set of scores. Its fields are
    those of `sampling.decontamination`; finer cuts, so that scores say something of what it let through. null: off."""

    same_text: bool = True  # equal but for case and spaces
    same_template: bool = True  # numbers may differ: right for contest problems, wrong for arithmetic drills
    ngram: Literal[8, 13] = 8  # words of the n-grams that are counted
    ngram_share: Share | None = 0.25  # 0: any shared n-gram
    wording: Share | None = 0.6  # of 3-grams with numbers masked
    cosine: Share | None = 0.85  # of the embeddings
    reworded: Share | None = 0.7  # the cosine that suffices where the numbers match
