"""Tables of the pool stage: questions and what was measured of each. By shard."""

import dataframely as dy

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED

PUBLISHED = dy.List(dy.Struct({"teacher": dy.String(), "response": dy.String(nullable=True)}))  # null: excluded


class RawPool(dy.Schema):
    """One row per distinct question of the shard."""

    question_id = dy.String(primary_key=True)
    source = dy.String()
    question = dy.String()
    reference_answer = dy.String(nullable=True)
    test_cases = dy.String(nullable=True, description='JSON {"test_code", "test_entry_point"}')
    constraints = dy.String(nullable=True, description='JSON [{"id", "kwargs"}], IFEval constraints')
    published = PUBLISHED
    copies = dy.UInt32(description="input rows with this question")
    license = dy.String(nullable=True, description="of its rows the strictest; null where no row and no source says it")
    extra = dy.String(nullable=True, description="JSON {path: value} of the columns that `keep` of the source names")
    defect = dy.String(nullable=True, description="why the row can't be used; null for a valid row")


class QuestionFeatures(dy.Schema):
    question_id = dy.String(primary_key=True)
    chars = dy.UInt32()
    words = dy.UInt32()
    ascii_share = dy.Float32(description="letters of the Latin script among all letters")
    language = dy.String(description="ISO 639-1 by py3langid")
    complete = dy.Bool(description="does not end mid-sentence")
    has_url = dy.Bool()
    has_image = dy.Bool()
    has_table = dy.Bool()
    has_check = dy.Bool(description="has a reference, tests or constraints")
    verifiers = dy.List(dy.String(), description="those that verify the answers to it")
    published = dy.UInt32(description="published responses")
    license = dy.String(nullable=True)


class QuestionLabels(dy.Schema):
    question_id = dy.String(primary_key=True)
    category = dy.Enum([*CATEGORIES, UNLABELLED])
    difficulty = dy.Enum([*DIFFICULTIES, UNLABELLED])
    label_model = dy.String()
    label_raw = dy.String(description="the model's answer, unparsed")


class QuestionEmbeddings(dy.Schema):
    question_id = dy.String(primary_key=True)
    vector = dy.List(dy.Float32(), description="unit length; one dimension for the whole pool")
