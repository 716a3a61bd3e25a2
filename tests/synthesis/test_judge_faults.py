"""Judges on a server that fails: what recovers is judged, what does not lets nothing through."""

import json

import pytest

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.recipe import Choice, EngineChoice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.pipeline import open_engine, open_tasks, synthesise

SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip
REF = ImageRef(("a.png",), "image/png", View(source_width=40, source_height=40, width=40, height=40))
WRITTEN = {
    "instructions": {
        "question": "What is seen in the middle?", "informative": "A round shadow with a sharp rim is seen.",
        "precise": "A mass.",
    },
    "mcq": {
        "question": "What is seen in the middle?", "right": "a mass",
        "wrong": ["a cyst", "a stone", "a clip", "a tube"],
    },
}  # fmt: skip


def schema_of(body):
    """The keys that a request asks for."""
    return set(body["response_format"]["json_schema"]["schema"]["properties"])


@pytest.fixture
def judged(start_server, say, tmp_path, picture):
    """Has one row of a task written and judged; ``judge(body, number)`` answers the judge's requests."""
    engines = []

    def go(task, checks, judge):
        server, counted = start_server(), []

        def script(body, number):
            if schema_of(body) == set(WRITTEN[task]):
                return say(json.dumps(WRITTEN[task]))
            counted.append(body)
            return judge(body, len(counted) - 1)

        server.script = script
        options = {"retries": 2, "backoff_s": 0.01}
        engine = open_engine(EngineChoice(type="openai", base_urls=[server.url], options=options), tmp_path)
        engines.append(engine)
        case = Case("films", "1", None, "", images=(REF,), labels=(Label("mass", "m"),))
        work = Work("1", case, pictures={REF: picture()})
        (done,) = synthesise(iter([work]), open_tasks([Choice(type=task)]), engine, Context(SPEC), checks)
        return done, counted

    yield go
    for engine in engines:
        engine.close()


def reasons(work):
    return [drop.reason for _, drop in work.refused]


def test_a_verdict_that_comes_after_faults_counts(judged, say):
    faults = [say(status=429, headers={"retry-after": "0"}), say(status=500)]
    yes = say(json.dumps({"verdict": "yes"}))
    work, asked = judged("instructions", {"consistency": {}}, lambda _, number: [*faults, yes][number])
    assert (len(asked), reasons(work), work.lost) == (3, [], [])
    assert work.rows[0].provenance.verdicts[-1].verdict == "yes"


@pytest.mark.parametrize(
    ("reply", "requests"),
    [({"status": 500}, 3), ({"status": 400}, 1), ({"text": "no json"}, 1), ({"finish": "length"}, 1), ({"cut": 9}, 3)],
)
def test_no_verdict_on_consistency_lets_nothing_through(judged, say, reply, requests):
    work, asked = judged("instructions", {"consistency": {}}, lambda *_: say(**{"text": '{"verdict": "yes"}', **reply}))
    assert (work.rows, reasons(work)) == ([], ["not_verified"])
    assert len(asked) == requests


def test_one_of_several_tries_that_fails_for_good_lets_nothing_through(judged, say):
    """Four turns of the options are four requests; the third that comes is refused."""

    def judge(body, number):
        return say(status=400) if number == 2 else say(json.dumps({"answer": "a cyst"}))

    work, asked = judged("mcq", {"image_needed": {"tries": 4}}, judge)
    assert (work.rows, reasons(work)) == ([], ["not_verified"])
    assert len(asked) == 4


def test_samples_that_are_no_json_are_wrong_answers(judged, say):
    """Five options, five turns; right in three, no JSON in two: 3 of 5 is less than 0.8."""

    def judge(body, number):
        return say("nothing") if number > 2 else say(json.dumps({"answer": "a mass"}))

    work, asked = judged("mcq", {"agreement": {"tries": 5, "minimum": 0.8}}, judge)
    assert (len(asked), reasons(work)) == (5, ["no_agreement"])
    work, _ = judged("mcq", {"agreement": {"tries": 5, "minimum": 0.6}}, judge)
    assert reasons(work) == []
    assert work.rows[0].provenance.verdicts[-1].score == 0.6
