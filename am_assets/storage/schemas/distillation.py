"""Tables of the distillation stage: requests to the teacher, responses and their features. By shard."""

import dataframely as dy

from am_assets.config.vocabulary import TEMPLATES


class TeacherRequests(dy.Schema):
    """The union of all recipes' teacher requests for one shard: one row per response that may be asked for."""

    request_key = dy.String(primary_key=True, description="hash of everything that identifies the answer")
    after = dy.String(
        primary_key=True,
        description="the request whose answer has to fall short before this one is sent: at the same sample by ending"
        ' truncated, at an earlier one by not passing, nor any before it; else ""',
    )
    question_id = dy.String()
    teacher = dy.String()
    sample_index = dy.UInt16()
    messages = dy.String(description="JSON, as sent")
    sampling = dy.String(description="JSON: temperature, top_p, max_tokens, stop, reasoning options")
    recipes = dy.List(dy.String(), description="the recipes that request it")


class Responses(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    request_key = dy.String(nullable=True, description="null for a published response")
    teacher = dy.String()
    origin = dy.Enum(["published", "distilled"])
    sample_index = dy.UInt16()
    response = dy.String()
    finish_reason = dy.String()
    prompt_tokens = dy.UInt32()
    completion_tokens = dy.UInt32()
    cost = dy.Float64(description="US dollars")


class ResponseFeatures(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    answer = dy.String(nullable=True, description="the think part stays in the response alone")
    template = dy.Enum(TEMPLATES, nullable=True, description="null where the parts can't be separated")
    well_formed = dy.Bool(description="both parts and nothing else")
    truncated = dy.Bool()
    think_chars = dy.UInt32()
    answer_chars = dy.UInt32()
    # Shares, 0 to 1.
    repetition = dy.Float32(description="of word 8-grams: repeated ones")
    consecutive = dy.Float32(
        description="of words: those in a phrase that stands three times in a row or more, from the second time on"
    )
    prompt_share = dy.Float32(description="of the answer's word 8-grams: those that occur in the question")
    think_language = dy.String(description="ISO 639-1 by py3langid; und where undetermined")
    answer_language = dy.String(description="of the whole response where it has no answer part")
