"""Tables of the selection stage: similarity and benchmark overlap (evidence), and what each recipe selects."""

import dataframely as dy

from am_assets.config.vocabulary import QUESTION_DROPS


class SimilarPairs(dy.Schema):
    """Unordered pairs of distinct questions at or above the floor; `question_id` lies in this shard.

    A question paired with itself marks a dense neighbourhood (a crowd): its pairs with other crowded questions are too
    many to list and are computed from the vectors where they are needed.
    """

    question_id = dy.String(primary_key=True)
    other_id = dy.String(primary_key=True)
    cosine = dy.Float32()


class BenchmarkOverlap(dy.Schema):
    """One row per question of the pool that is similar to any benchmark item: raw measurements, no threshold.

    Each measure names the item with the largest value. Shares are of one item's distinct word n-grams, 0 to 1.
    """

    question_id = dy.String(primary_key=True)
    item_id = dy.String(description="the nearest item by embedding")
    cosine = dy.Float32()
    same_numbers = dy.Bool(description="the same numbers as that item, at least one")
    same_text = dy.Bool(description="equal but for case and punctuation")
    same_template = dy.Bool(description="equal after numbers are masked")
    text_item = dy.String(nullable=True)
    ngram_8 = dy.Float32()
    ngram_8_item = dy.String(nullable=True)
    ngram_13 = dy.Float32()
    ngram_13_item = dy.String(nullable=True)
    wording = dy.Float32(description="word 3-grams, numbers masked; a short item is scored as a longer one")
    wording_item = dy.String(nullable=True)
    # Whether a language model calls the question and its nearest item the same problem, in this order and swapped;
    # null: not asked, or the reply could not be parsed.
    same = dy.Bool(nullable=True)
    same_swapped = dy.Bool(nullable=True)


class BenchmarkHits(dy.Schema):
    """The questions of the pool that touch an item, by each measure: no threshold but a low floor. Of each shard the
    strongest of an item, measure and 0.05 of value are kept."""

    item_id = dy.String(primary_key=True)
    question_id = dy.String(primary_key=True)
    measure = dy.String(primary_key=True, description="as the fields of decontamination are called; reworded: cosine")
    value = dy.Float32(description="1 for equal texts")


class DedupedSet(dy.Schema):
    """Every question of every shard, kept or dropped by one recipe's dedup policy."""

    question_id = dy.String(primary_key=True)
    shard = dy.String(primary_key=True)
    source = dy.String()
    copies = dy.UInt32()
    kept = dy.Bool()
    drop_reason = dy.Enum(QUESTION_DROPS, nullable=True)
    representative = dy.String(nullable=True, description="the kept question that stands for this one")
    cosine = dy.Float32(nullable=True, description="to the representative")
    detail = dy.String(nullable=True)
    decided_by = dy.String(nullable=True, description="the field of the recipe that dropped it; null for none")


class SelectedQuestions(dy.Schema):
    """Every deduplicated question, kept or dropped by one recipe's sampling policy; kept ones go to the teacher."""

    question_id = dy.String(primary_key=True)
    shard = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    kept = dy.Bool()
    drop_reason = dy.Enum(QUESTION_DROPS, nullable=True)
    detail = dy.String(nullable=True, description="the benchmark item, the flag or the rate that decided")
    decided_by = dy.String(
        nullable=True, description="the field of the recipe that dropped it, two rates comma-separated; null for none"
    )
    teacher = dy.String()
    samples = dy.UInt16(
        description="new responses to request from the teacher, at most; 0 where published ones suffice"
    )
