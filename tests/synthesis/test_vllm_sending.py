"""Resized pictures on the real vLLM.

What a smaller picture saves, and what `picture_first` spares, does not show here: the tiny model brings every picture
to one size of sixteen tokens, fewer than a block of the prefix cache.
"""

import io
from hashlib import sha256

import pytest
from PIL import Image

from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from synthesis.base import Answer, Request
from synthesis.pipeline import open_engine

pytestmark = pytest.mark.vllm
MESSAGES = (("system", "You describe."), ("user", "Which colour?"))


def large(colour, side=560):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    digest = sha256(buffer.getvalue()).hexdigest()
    return Rendered(buffer.getvalue(), "image/png", side, side, (digest,), digest, digest)


@pytest.mark.parametrize("options", [{}, {"image_side": 112}, {"max_pixels": 112 * 112}, {"picture_first": True}])
def test_the_model_sees_the_picture_however_it_is_sent(vllm, tmp_path, options):
    choice = EngineChoice(type="openai", base_urls=[vllm.url], model="colours", max_tokens=30, **options)
    engine = open_engine(choice, tmp_path)
    for name, colour in (("red", (220, 30, 30)), ("blue", (40, 60, 220))):
        answer = engine.submit(Request(MESSAGES, (large(colour),))).result()
        assert isinstance(answer, Answer)
        assert name in answer.texts[0]
        resized = "image_side" in options or "max_pixels" in options
        assert [said.split(":")[0] for said in answer.resized] == (["112x112"] if resized else [])
    engine.close()
