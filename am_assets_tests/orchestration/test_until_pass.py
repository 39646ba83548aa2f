"""A teacher that is sampled until an answer passes: what it is asked, to the request, by what `am` is told to do."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
import yaml

from am_assets.engines.sandbox import SandboxUnavailable
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.desk import FREE, RECIPE, Desk, at_desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.services import environment

pytestmark = pytest.mark.slow
LABEL = json.dumps({"category": "math", "difficulty": "easy"})
THINGS = [
    "beans", "pens", "boats", "cats", "drums", "eggs", "ferns", "goats", "hats", "inks", "jars", "kites",
    "lamps", "maps", "nuts", "owls",
]  # fmt: skip
SUMS = {f"Ann has {n} {thing} and gets {n * n} {thing}. How many?": n + n * n for n, thing in enumerate(THINGS, 3)}
HALF = "Write a Python script that reads a number and prints half of it."
TESTS = json.dumps({"inputs": ["4\n"], "outputs": ["2\n"]})
UP_TO = "+verified_set"
ASKING = "+responses"
RIGHT = 0.4  # of the teacher's answers
FOUR = {"most": 4, "until": "pass"}


def luck(question: str, nth: int) -> bool:
    """Whether the nth answer to a question is right."""
    return int(sha256(f"{question} {nth}".encode()).hexdigest()[:8], 16) / 16**8 < RIGHT


def until_first(most: int, least: int = 1) -> Counter:
    """What the optimal stopping rule asks of each question."""
    first = {text: next((n for n in range(1, most + 1) if luck(text, n)), most) for text in SUMS}
    return Counter({text: max(least, count) for text, count in first.items()})


class Class:
    """A project of one shard of sums, with one recipe that is taught until an answer passes."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.labeler = Teacher(lambda *_: answer(LABEL))
        self.teacher = Teacher(self.say)
        desk.rows("asked", [{"question": text, "reference_answer": str(total)} for text, total in SUMS.items()])
        desk.write("sources.yaml", {"asked": desk.source("asked", 0)})
        models = {"labels": {"model": "openai/labeler"}, "reward": {"model": "openai/labeler"}}
        desk.write("instruments.yaml", {**models, "embeddings": {"model": "static"}})
        teacher = {"model": "openai/teacher", "max_tokens": 64, "samples": FOUR}
        without = {"sampling": {"decontamination": {"benchmarks": []}}, "evaluation": {"benchmarks": []}}
        desk.recipe("plain", {**RECIPE, **without, "dedup": {"threshold": 1.0}, "teacher": teacher})
        (desk.folder / "recipes" / "other.yaml").unlink()
        self.prices()

    def prices(self, **teacher: float) -> None:
        reach = {"api_key_env": "TEST_MODEL_KEY"}
        self.desk.write(
            "endpoints.yaml",
            {
                "openai/labeler": {**reach, "api_base": self.labeler.url, **FREE},
                "openai/teacher": {**reach, "api_base": self.teacher.url, **FREE, **teacher},
            },
        )

    def say(self, question: str, nth: int) -> Reply:
        return answer(f"<think>So.</think> <answer>\\boxed{{{SUMS[question] if luck(question, nth) else 1}}}</answer>")

    def asked(self) -> Counter:
        return Counter(self.teacher.asked)

    def apply(self, recipe: str = "plain", select: str = ASKING) -> dict[tuple[str, str], str]:
        return applied(self.desk, "-r", recipe, "-s", select, "--budget", "100")

    def waits(self) -> tuple[str, str] | None:
        """Why the answers have to be made again."""
        return planned(self.desk, "-r", "plain", "-s", ASKING).get(("responses", "asked"))

    def programs(self, *printed: str) -> None:
        """One question for a program, to which the nth answer prints as told."""
        self.desk.rows("asked", [{"question": HALF, "test_code": TESTS}])
        code = "<think>Halve.</think> <answer>```python\nprint({})\n```</answer>"
        self.teacher.script = lambda _, nth: answer(code.format(printed[nth - 1]))

    def estimate(self) -> dict:
        steps = json.loads(am(self.desk, "plan", "--json", "-r", "plain", "-s", ASKING).stdout)["steps"]
        [estimate] = [step["estimate"] for step in steps if step["asset"] == "responses"]
        return estimate

    def table(self, asset: str, partition: str = "asked") -> pl.DataFrame:
        return pl.read_parquet(self.desk.folder / "assets" / asset / f"{partition}.parquet")


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Class]:
    monkeypatch.delenv("AM_BUDGET_USD", raising=False)
    school = Class(at_desk(tmp_path, Teacher(lambda *_: answer("")), monkeypatch))
    yield school
    school.labeler.stop()
    school.teacher.stop()


def test_each_question_is_asked_until_its_first_pass_and_no_further(school: Class) -> None:
    assert set(school.apply(select=UP_TO).values()) == {"done"}
    assert school.asked() == until_first(4)
    assert len(SUMS) < school.asked().total() < 4 * len(SUMS)  # neither one each nor the most
    # Verdicts, and comparisons of the answers to a question with one another: none is made twice.
    memo = pl.scan_parquet(school.desk.folder / "memo" / "math" / "*.parquet").select(
        pl.len(), pl.col("key").n_unique()
    )
    made, different = memo.collect().row(0)
    assert made == different
    verified = school.table("verified_set", "plain")
    assert verified.height == school.asked().total()
    assert verified["kept"].sum() == sum(any(luck(text, n) for n in range(1, 5)) for text in SUMS)
    assert planned(school.desk, "-r", "plain", "-s", UP_TO) == {}
    assert school.apply(select=UP_TO) == {}


def test_the_least_is_asked_at_once_and_the_most_later_goes_on_from_there(school: Class) -> None:
    school.desk.edit("plain", "teacher", samples={"least": 2, "most": 3, "until": "pass"})
    school.apply()
    assert school.asked() == until_first(3, least=2)
    school.desk.edit("plain", "teacher", samples={"least": 1, "most": 8, "until": "pass"})
    school.apply()
    assert school.asked() == until_first(8) | until_first(3, least=2)


def test_a_number_of_samples_that_was_asked_before_is_paid_for_already(school: Class) -> None:
    school.desk.edit("plain", "teacher", samples=2)
    school.apply()
    assert school.asked() == Counter(dict.fromkeys(SUMS, 2))
    school.desk.edit("plain", "teacher", samples=FOUR)
    school.apply(select=UP_TO)
    assert school.asked() == until_first(4, least=2)
    verdicts = school.table("responses").join(school.table("math_verdicts"), on="response_id").sort("sample_index")
    for _, answers in verdicts.group_by("question_id"):  # as if it had been so from the beginning
        assert "pass" not in answers["verdict"].to_list()[:-1]


def test_what_no_verifier_can_tell_of_gets_the_least(school: Class) -> None:
    school.programs("1", "1", "1")
    school.desk.rows("asked", [{"question": "Why do leaves turn yellow?"}])
    school.desk.edit("plain", "teacher", samples={"least": 2, "most": 3, "until": "pass"})
    school.apply()
    assert school.asked().total() == 2


def test_what_passes_no_more_is_asked_further_and_what_passes_is_not(school: Class) -> None:
    school.programs("'2 '", "'2'")
    school.apply()
    assert school.asked().total() == 1
    instruments = yaml.safe_load((school.desk.folder / "instruments.yaml").read_text())
    school.desk.write("instruments.yaml", {**instruments, "code": {"whitespace": "exact"}})
    assert school.waits() == ("stale", "code.whitespace of the verifiers in instruments.yaml changed from any to exact")
    school.apply()
    assert school.asked().total() == 2
    school.desk.write("instruments.yaml", {**instruments, "code": {"whitespace": "exact", "max_tests": 9}})
    school.apply()
    assert school.asked().total() == 2
    school.desk.write("instruments.yaml", instruments)
    school.apply(select=UP_TO)
    assert school.asked().total() == 2
    assert school.table("responses").height == 1  # the first is enough again


def test_without_a_sandbox_nothing_is_asked_on_its_account(school: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: object) -> None:
        raise SandboxUnavailable("no engine")

    school.programs("1", "2")
    with monkeypatch.context() as patch:
        patch.setattr("am_assets.verification.verifiers.code.open_sandbox", gone)
        assert school.apply()["responses", "asked"] == "done"
        assert school.asked().total() == 1
        assert school.waits() == ("stale", "1 answer had no sandbox that worked")
    school.apply()
    assert school.asked().total() == 2
    assert school.waits() is None


def test_one_recipe_asks_until_a_pass_beside_another_that_asks_twice(school: Class) -> None:
    school.desk.recipe("twice", {"extends": "plain", "teacher": {"samples": 2}})
    school.apply(select=UP_TO)
    alone = school.table("verified_set", "plain")
    assert school.asked() == until_first(4)
    school.apply("twice", select=UP_TO)
    assert school.asked() == until_first(4, least=2)
    assert school.table("verified_set", "plain").equals(alone)
    assert school.table("verified_set", "twice").height == 2 * len(SUMS)


def test_a_run_for_another_recipe_goes_no_step_further_and_tells_of_it(school: Class) -> None:
    school.desk.recipe("once", {"extends": "plain", "teacher": {"samples": 1}})
    applied(school.desk, "-r", "plain", "-s", "+selected_questions")
    school.apply("once")
    assert school.asked() == Counter(dict.fromkeys(SUMS, 1))
    wrong = sum(not luck(text, 1) for text in SUMS)
    assert school.waits() == ("stale", f"{wrong} requests of recipe plain not asked yet")
    school.apply()
    assert school.asked() == until_first(4)


def test_a_run_that_is_killed_in_a_later_round_asks_nothing_again_that_was_answered(school: Class) -> None:
    def slow_later(question: str, nth: int) -> Reply:
        reply = school.say(question, nth)
        reply.seconds = 0.0 if nth == 1 else 30.0
        return reply

    school.teacher.script = slow_later
    arguments = ["apply", "-r", "plain", "-s", ASKING, "--budget", "100"]
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", *arguments]
    run = subprocess.Popen(command, env=environment(school.desk.folder), stdout=subprocess.DEVNULL)
    while len(school.teacher.asked) <= len(SUMS) and run.poll() is None:
        time.sleep(0.05)
    run.kill()
    run.wait()
    begun = school.asked()
    assert begun.total() > len(SUMS)  # it died in the second round
    school.teacher.asked.clear()
    school.teacher.script = lambda question, nth: school.say(question, nth + 1)
    assert set(school.apply().values()) == {"done"}
    assert Counter(dict.fromkeys(SUMS, 1)) + school.asked() == until_first(4)


def test_a_budget_that_ends_in_a_round_is_kept_and_the_next_apply_goes_on(school: Class) -> None:
    school.prices(output_price=2000)  # five tokens of an answer are a cent, of which 64 are reserved: 13 cents
    school.desk.edit("plain", "teacher", max_tokens=6)
    outcomes = applied(school.desk, "-r", "plain", "-s", ASKING, "--budget", "0.20")
    assert outcomes["responses", "asked"] == "failed"
    assert len(SUMS) < school.asked().total() <= 20
    school.apply()
    assert school.asked() == until_first(4)


def test_a_plan_knows_what_is_likely_and_what_is_the_most(school: Class) -> None:
    school.prices(output_price=2000)
    before = school.estimate()
    assert (before["requests"], before["most_requests"], before["exact"]) == (64, 64, False)
    assert any("as if none did" in line for line in before["basis"])
    school.apply(select=UP_TO)
    answers = school.asked().total()
    rate = sum(any(luck(text, n) for n in range(1, 5)) for text in SUMS) / answers
    more = {f"Tom loses {n} of {2 * n} {thing}. How many?": n for n, thing in enumerate(THINGS[:10], 30)}
    school.desk.add_source("more", [{"question": text, "reference_answer": str(n)} for text, n in more.items()])
    applied(school.desk, "-r", "plain", "-s", "+teacher_requests")
    after = school.estimate()
    likely = 10 * sum((1 - rate) ** n for n in range(4))
    assert (after["requests"], after["most_requests"], after["exact"]) == (round(likely), 40, False)
    assert after["dollars"] == pytest.approx(round(likely * 5) * 2000 / 1e6)
    assert after["most"] == pytest.approx(40 * 64 * 2000 / 1e6)
    assert any(f"{rate:.0%} of {answers} verified answers did" in line for line in after["basis"])
    assert f"about {round(likely)}, at most 40" in am(school.desk, "plan", "-r", "plain", "-s", ASKING).stdout


def test_a_preview_tells_what_more_samples_would_ask_of_what_did_not_pass(school: Class) -> None:
    school.desk.edit("plain", "teacher", samples={"most": 2, "until": "pass"})
    school.apply(select=UP_TO)
    passed = sum(luck(text, 1) or luck(text, 2) for text in SUMS)
    rate = passed / school.asked().total()
    told = json.loads(am(school.desk, "preview", "-r", "plain", "--set", "teacher.samples.most=4", "--json").stdout)
    [asked] = told["would_ask"]["responses"]
    left = len(SUMS) - passed
    assert (asked["requests"], asked["most_requests"]) == (round(left * (2 - rate)), left * 2)
    assert (told["responses"]["all"]["gained"], told["responses"]["all"]["lost"]) == (0, 0)


def test_explain_says_that_it_is_asked_until_one_passes(school: Class) -> None:
    school.apply()
    told = am(school.desk, "explain", next(iter(SUMS)), "-r", "plain").stdout
    assert "1 to 4, until one passes" in told


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        ({"least": 5, "most": 4, "until": "pass"}, "least 5 is above most 4"),
        ({"most": 4}, "until"),
        ({"most": 4, "until": "kept"}, "until"),
        ({"most": 65, "until": "pass"}, "most"),
        (65, "less than or equal to 64"),
        ("pass", "number"),
    ],
)
def test_samples_that_make_no_sense_are_refused(school: Class, samples: object, fault: str) -> None:
    school.desk.edit("plain", "teacher", samples=samples)
    refused = am(school.desk, "plan", "-r", "plain")
    assert refused.exit_code == 2
    assert "teacher.samples" in refused.output
    assert fault in refused.output
