"""The verifier: what it is asked, what its verdicts do, and that nothing unproven passes."""

import json

import pytest

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.errors import UserError
from schemas.ledger import Status
from schemas.recipe import EngineChoice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis import prompt_file
from synthesis.pipeline import check_checks, open_engine, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions
from synthesis.verify import Criterion, load_criteria, score_of

SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip
SAID = json.dumps({"description": "A mass.", "question": "What is in the middle?", "answer": "Something round."})
NAMES = ["stands_alone", "no_new_terms", "no_leak", "one_answer", "sound", "fits_picture"]
BONUS = ["needs_picture", "complete", "precise", "well_written", "no_forbidden_words", "same_words"]


def verdicts(**changes):
    return json.dumps({**dict.fromkeys(NAMES + BONUS, "yes"), **changes})


def works(picture, count):
    view = View(source_width=40, source_height=40, width=40, height=40)
    for number in range(count):
        ref = ImageRef((f"{number}.png",), "image/png", view)
        case = Case("films", str(number), None, "", images=(ref,), labels=(Label("mass", "m"),))
        yield Work(str(number), case, pictures={ref: picture((number, 0, 0))})


@pytest.fixture
def run(start_server, tmp_path, picture):
    """Runs the task and the verifier, each on a server of its own."""
    engines = []

    def go(writer, judge, count=1, **options):
        writing, judging = start_server(), start_server()
        writing.script, judging.script = writer, judge
        engine = open_engine(EngineChoice(type="openai", base_urls=[writing.url], options={"retries": 0}), tmp_path)
        engines.append(engine)
        judge_choice = {"type": "openai", "base_urls": [judging.url], "options": {"retries": 0}}
        checks = {"verifier": {"engine": judge_choice, **options}}
        task = Unblinded(UnblindedOptions(style="short", rows=("question",)))
        done = list(synthesise(works(picture, count), [task], engine, Context(SPEC), checks))
        return done, writing, judging

    yield go
    for engine in engines:
        engine.close()


def test_a_row_that_passes_carries_every_verdict(run, say):
    (work,), _, judging = run(lambda *_: say(SAID), lambda *_: say(verdicts()))
    (row,) = work.rows
    found = {verdict.check: (verdict.verdict, verdict.score) for verdict in row.provenance.verdicts}
    assert {name: found[f"verify_{name}"] for name in NAMES + BONUS} == dict.fromkeys(NAMES + BONUS, ("yes", 1.0))
    assert found["verify"] == ("fake-vlm", 1.0)
    (asked,) = judging.asked
    prompt = asked["messages"][1]["content"]
    assert [part["type"] for part in prompt] == ["image_url", "text"]
    assert "mass: present." in prompt[1]["text"]
    assert "Answer: Something round." in prompt[1]["text"]
    assert "same_kind" not in prompt[1]["text"], "that is for multiple choice only"
    properties = asked["response_format"]["json_schema"]["schema"]["properties"]
    assert list(properties) == NAMES + BONUS
    assert properties["sound"]["enum"] == ["yes", "no"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (verdicts(sound="no"), "verifier_refused"),
        (verdicts(well_written="no"), "verifier_score"),
        (verdicts(sound="perhaps"), "not_verified"),
        ("no json", "not_verified"),
    ],
)
def test_a_row_that_does_not_pass_is_quarantined(run, say, said, reason):
    (work,), *_ = run(lambda *_: say(SAID), lambda *_: say(said))
    ((_, drop),) = work.refused
    assert (work.rows, drop.status, drop.stage, drop.reason) == ([], Status.QUARANTINED, "synthesis", reason)


def test_the_threshold_can_be_lowered(run, say):
    (work,), *_ = run(lambda *_: say(SAID), lambda *_: say(verdicts(well_written="no")), threshold=0.9)
    assert work.rows[0].provenance.verdicts[-1].score == pytest.approx(10 / 11)


def test_a_judge_that_fails_lets_nothing_through(run, say):
    (work,), *_ = run(lambda *_: say(SAID), lambda *_: say(status=500))
    assert [drop.reason for _, drop in work.refused] == ["not_verified"]


def test_rows_that_no_model_wrote_are_not_judged_and_order_is_kept(run, say):
    done, _, judging = run(lambda *_: say(SAID), lambda *_: say(verdicts()), count=30)
    assert [work.case_id for work in done] == [str(number) for number in range(30)]
    assert len(judging.asked) == 30
    done, _, judging = run(lambda *_: say("no json"), lambda *_: say(verdicts()), count=3)
    assert judging.asked == []


def test_score_by_hand():
    criteria = [
        Criterion(name="a", text="", weight=3), Criterion(name="b", text="", weight=1),
        Criterion(name="c", text="", essential=True),
    ]  # fmt: skip
    assert score_of(criteria, {"a": "yes", "b": "no", "c": "no"}) == 0.75
    assert score_of(criteria[2:], {"c": "no"}) == 1.0
    pitfall = Criterion(name="d", text="", weight=0, penalty=2)
    assert score_of([*criteria, pitfall], {"a": "yes", "b": "yes", "c": "yes", "d": "no"}) == 0.5, "(3 + 1 - 2) of 4"
    assert score_of([*criteria, pitfall], {"a": "no", "b": "yes", "c": "yes", "d": "no"}) == 0.0, "never below 0"


def test_seven_essentials_as_in_the_paper_and_the_consistency_of_adamllm():
    criteria = load_criteria(prompt_file.built_in("verifier")).criteria
    assert sum(one.essential for one in criteria) == 8
    (consistent,) = [one for one in criteria if one.tasks == ["instructions"]]
    assert consistent.verdicts == ("yes", "no", "open")


def test_a_template_cannot_judge(start_server, tmp_path):
    engine = open_engine(EngineChoice(type="openai", base_urls=[start_server().url]), tmp_path)
    with pytest.raises(UserError, match="needs an engine that can judge"):
        synthesise(iter([]), [], engine, Context(SPEC), {"verifier": {"engine": {"type": "template"}}})
    engine.close()


def test_the_judge_is_looked_for_before_the_run(start_server):
    check_checks({})
    check_checks({"verifier": {"engine": {"type": "openai", "base_urls": [start_server().url]}}})
    with pytest.raises(UserError, match="unknown key 'verfier'; did you mean 'verifier'"):
        check_checks({"verfier": {}})
    with pytest.raises(UserError, match="no model server answers"):
        check_checks({"verifier": {"engine": {"type": "openai", "base_urls": ["http://127.0.0.1:9"]}}})
    with pytest.raises(UserError, match="needs an engine that can judge"):
        check_checks({"verifier": {"engine": {"type": "template"}}})
