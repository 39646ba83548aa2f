"""Tables of the training stage: the released dataset and the trained student. By recipe."""

import dataframely as dy


class SftDataset(dy.Schema):
    """The released rows, with the columns that readers filter by."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    teacher = dy.String()
    question = dy.String()
    think = dy.String()
    answer = dy.String()
    reference_answer = dy.String(nullable=True)
    test_case = dy.String(nullable=True)
    license = dy.String(nullable=True)
    extra = dy.String(nullable=True, description="of the question, where `release.extra` of the recipe asks for it")


class SftCheckpoint(dy.Schema):
    """One row: the trained student and a summary of its training."""

    student = dy.String(primary_key=True)
    path = dy.String(description="Hugging Face layout, below the assets folder")
    sha256 = dy.String(description="of the weights file")
    rows = dy.UInt32()
    steps = dy.UInt32()
    tokens = dy.UInt64()
    first_loss = dy.Float64()
    last_loss = dy.Float64()
