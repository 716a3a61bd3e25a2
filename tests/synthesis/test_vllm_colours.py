"""The real vLLM: every answer must be about its own picture, also under a JSON schema, and nothing is asked twice.

The tiny model names the colour of the picture that it is shown, so an answer under the wrong request is seen at once.
"""

import json
import random

import pytest

from schemas.case import Case, ImageRef, Label, Region
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import EngineChoice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.base import Answer, Request
from synthesis.pipeline import open_engine, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions

pytestmark = pytest.mark.vllm

COLOURS = {
    "red": (220, 30, 30), "green": (30, 180, 40), "blue": (40, 60, 220), "white": (245, 245, 245),
    "black": (10, 10, 10), "yellow": (240, 220, 40),
}  # fmt: skip
COLOUR_SCHEMA = {
    "type": "object", "properties": {"color": {"enum": list(COLOURS)}}, "required": ["color"],
    "additionalProperties": False,
}  # fmt: skip
SAYS_COLOURS = {"mentions": []}
"""The tiny model says what colour a picture has, and never what is annotated."""
SPEC = DatasetSpec.model_validate(
    {
        "name": "smears", "title": "Smears", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "microscopy", "anatomy": "blood", "clinical_task": "diagnosis",
    }
)  # fmt: skip


def pictures_of(picture, count, seed):
    """(colour word, picture) pairs; every picture is of another shade or size."""
    draw = random.Random(seed)
    for _ in range(count):
        name = draw.choice(list(COLOURS))
        shade = tuple(min(255, max(0, channel + draw.randint(-15, 15))) for channel in COLOURS[name])
        yield name, picture(shade, draw.randint(40, 300))


@pytest.fixture
def engine(vllm, tmp_path):
    opened = open_engine(
        EngineChoice(type="openai", base_urls=[vllm.url], model="colours", max_tokens=120, concurrency=48), tmp_path
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("schema", [None, COLOUR_SCHEMA], ids=["text", "json"])
def test_right_picture_to_right_request_over_500_concurrent_requests(engine, picture, schema):
    words = "Answer in JSON." if schema else "Describe this clinical picture."
    asked = [
        (name, engine.submit(Request((("user", f"Case {number}. {words}"),), (image,), schema)))
        for number, (name, image) in enumerate(pictures_of(picture, 500, seed=1))
    ]
    said = [(name, future.result()) for name, future in asked]
    assert all(isinstance(answer, Answer) for _, answer in said)
    if schema:
        assert [json.loads(answer.texts[0])["color"] for _, answer in said] == [name for name, _ in said]
    else:
        assert [answer.texts[0] for _, answer in said] == [f"The picture is {name}." for name, _ in said]


def works(picture, count):
    view = View(source_width=90, source_height=90, width=90, height=90)
    for number, (name, image) in enumerate(pictures_of(picture, count, seed=2)):
        ref = ImageRef((f"{number}.png",), "image/png", view)
        case = Case(
            "smears", f"{number}-{name}", None, "", images=(ref,), labels=(Label("neutrophil", "N"),),
            regions=(Region("neutrophil", "N", "box", 0, (0, 0, 20, 20)),),
        )  # fmt: skip
        yield Work(case.key, case, pictures={ref: image})


def test_the_task_unblinded_end_to_end_and_a_rerun_that_asks_nothing(engine, vllm, picture):
    tasks = [Unblinded(UnblindedOptions(style="short"))]
    before = vllm.requests_answered()
    done = list(synthesise(works(picture, 240), tasks, engine, Context(SPEC), SAYS_COLOURS))
    assert vllm.requests_answered() - before == 240
    for work in done:
        colour = work.case_id.split("-")[1]
        caption, question = work.rows
        assert caption.messages[1].content == f"The picture is {colour}."
        assert question.messages[1].content == f"It is {colour}."
        assert (caption.provenance.model, caption.provenance.image_shown) == ("colours", True)
    again = list(synthesise(works(picture, 240), tasks, engine, Context(SPEC), SAYS_COLOURS))
    assert [work.rows for work in again] == [work.rows for work in done]
    assert vllm.requests_answered() - before == 240
    assert engine.counts.asked == 240


def test_several_samples_of_one_request(engine, picture):
    request = Request((("user", "Describe this picture."),), (picture(COLOURS["blue"]),), samples=4, temperature=0.7)
    answer = engine.submit(request).result()
    assert answer.samples == len(answer.texts) == 4
    assert set(answer.texts) == {"The picture is blue."}


def test_a_picture_that_is_none_is_refused_and_not_retried(engine, picture):
    from dataclasses import replace

    broken = replace(picture(), data=b"no picture", sha256="0" * 64)
    failure = engine.submit(Request((("user", "Describe."),), (broken,))).result()
    assert (failure.code, engine.counts.retries) == ("refused_request", 0)


def test_an_answer_that_does_not_end_is_a_failure(engine, picture):
    failure = engine.submit(Request((("user", "Describe."),), (picture(),), max_tokens=2)).result()
    assert failure.code == "truncated"


def test_a_wrong_model_is_named_before_anything_is_asked(vllm, tmp_path):
    choice = EngineChoice(type="openai", base_urls=[vllm.url], model="color")
    with pytest.raises(UserError, match="has no model 'color'; did you mean 'colours'"):
        open_engine(choice, tmp_path)
