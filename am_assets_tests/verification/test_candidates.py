"""Which responses are a recipe's, and what of them is read."""

import polars as pl

from am_assets.orchestration.schemas import TABLES
from am_assets.verification.candidates import READ, candidates

SELECTED = {"question_id": "q1", "shard": "s", "source": "s", "category": "math", "difficulty": "easy"}


def response(name: str, request: str | None = None, finish: str = "stop", question: str = "q1") -> dict:
    return {
        "response_id": name, "question_id": question, "request_key": request, "teacher": "t", "sample_index": 0,
        "origin": "distilled" if request else "published", "response": "x", "finish_reason": finish,
        "prompt_tokens": 1, "completion_tokens": 1, "cost": 0.0,
    }  # fmt: skip


def request(key: str, *recipes: str, after: str = "") -> dict:
    return {"request_key": key, "after": after, "question_id": "q1", "sample_index": 0, "recipes": list(recipes)}


def found(responses: list[dict], requests: list[dict], published: bool = True, **measured: list[dict]) -> pl.DataFrame:
    features = [
        {
            "response_id": row["response_id"], "question_id": row["question_id"], "template": "paper",
            "well_formed": True, "truncated": False, "think_chars": 2, "answer_chars": 3, "repetition": 0.0,
            "consecutive": 0.0, "prompt_share": 0.0, "think_language": "en", "answer_language": "en",
        }
        for row in responses
    ]  # fmt: skip
    questions = [{"question_id": name, "verifiers": [verifier]} for name, verifier in (("q1", "math"), ("q2", "code"))]
    rows = {
        "question_features": questions, "teacher_requests": requests, "responses": responses,
        "response_features": features, "math_verdicts": [], "code_verdicts": [],
        "instruction_verdicts": [], "answer_consensus": [], "reward_scores": [], "response_screens": [], **measured,
    }  # fmt: skip

    def read(name: str, columns: list[str]) -> pl.DataFrame:
        types = TABLES[name].create_empty().select(columns).schema
        return pl.DataFrame([{column: row.get(column) for column in columns} for row in rows[name]], types)

    return candidates(read, pl.DataFrame([SELECTED]), "ours", published).sort("response_id")


def names(*args, **kwargs) -> list[str]:
    return found(*args, **kwargs)["response_id"].to_list()


def test_no_column_of_text_is_read():
    texts = {
        "question",
        "response",
        "think",
        "answer",
        "messages",
        "reference_answer",
        "test_cases",
        "constraints",
        "judge_raw",
    }
    assert not texts & {column for columns in READ.values() for column in columns}
    assert all(set(columns) <= set(TABLES[name].column_names()) for name, columns in READ.items())


def test_published_responses_count_where_the_teacher_policy_says_so():
    rows = [response("a"), response("b", "k")]
    assert names(rows, [request("k", "ours", "theirs")]) == ["a", "b"]
    assert names(rows, [request("k", "ours")], published=False) == ["b"]


def test_what_another_recipe_asked_and_questions_not_selected_are_no_candidates():
    rows = [response("a", "k"), response("b", question="q2")]
    assert names(rows, [request("k", "theirs")]) == []


def test_a_further_try_counts_only_where_the_first_answer_was_cut_off():
    requests = [request("k", "ours"), request("longer", "ours", after="k")]
    whole, cut = ([response("a", "k", finish), response("b", "longer")] for finish in ("stop", "length"))
    assert names(whole, requests) == ["a"]
    assert names(cut, requests) == ["a", "b"]


def test_each_candidate_stands_beside_what_was_measured_of_it():
    verdict = {"response_id": "a", "verdict": "fail", "reason": "different"}
    table = found([response("a"), response("b")], [], math_verdicts=[verdict])
    assert table.select("math_verdict", "math_reason", "code_verdict").rows() == [
        ("fail", "different", None),
        (None, None, None),
    ]
    assert table.select("verifiers", "response_chars", "source").row(0) == (["math"], 5, "s")


def test_samples_beyond_the_first_pass_are_no_candidates_though_another_recipe_has_them():
    rows = [response(name, key) | {"sample_index": at} for at, (name, key) in enumerate([("a", "k"), ("b", "l")])]
    requests = [
        request("k", "ours", "theirs"),
        request("l", "theirs") | {"sample_index": 1},
        request("l", "ours", after="k") | {"sample_index": 1},
    ]
    verdicts = [[{"response_id": "a", "verdict": said, "reason": ""}] for said in ("pass", "fail", "unverifiable")]
    of = [names(rows, requests, math_verdicts=said) for said in verdicts]
    assert of == [["a"], ["a", "b"], ["a", "b"]]
