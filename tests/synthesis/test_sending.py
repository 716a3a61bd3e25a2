"""Pictures on their way to a model: resized once, boxed where a stage needs it, and said so in the row."""

import io
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from PIL import Image

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.errors import CaseError
from schemas.recipe import Choice, EngineChoice
from schemas.rendered import Rendered
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.answers import AnswerStore
from synthesis.base import Request
from synthesis.estimate import estimate
from synthesis.openai_engine import OpenAIEngine
from synthesis.openai_options import OpenAIOptions
from synthesis.pictures import boxed, fitted, shrunk
from synthesis.pipeline import open_tasks
from synthesis.sending import Sending

SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip


def jpeg(width, height):
    buffer = io.BytesIO()
    Image.new("L", (width, height), 90).save(buffer, "JPEG")
    data = buffer.getvalue()
    digest = sha256(data).hexdigest()
    return Rendered(data, "image/jpeg", width, height, (digest,), digest, digest)


@pytest.mark.parametrize(
    ("size", "max_pixels", "side", "sent"),
    [
        ((640, 480), 0, 0, (640, 480)),
        ((640, 480), 640 * 480, 640, (640, 480)),
        ((2000, 1000), 500_000, 0, (1000, 500)),  # a quarter of the pixels is half of each side
        ((2000, 1000), 0, 500, (500, 250)),
        ((2000, 1000), 500_000, 500, (500, 250)),
        ((3000, 2), 0, 300, (300, 1)),  # never without a row
        ((100, 100), 10_000, 200, (100, 100)),  # never larger
    ],
)
def test_size_at_which_a_picture_is_sent(size, max_pixels, side, sent):
    assert fitted(*size, max_pixels, side) == sent


def test_a_small_picture_is_sent_byte_for_byte():
    picture = jpeg(64, 48)
    assert shrunk(picture, 10_000, 64) is picture


def test_a_large_picture_is_made_smaller_and_named_by_what_is_sent(picture):
    for large in (jpeg(640, 480), picture(side=600)):
        small = shrunk(large, 0, 320)
        with Image.open(io.BytesIO(small.data)) as opened:
            assert (opened.size, opened.get_format_mimetype()) == ((small.width, small.height), large.media_type)
        assert max(small.width, small.height) == 320
        assert small.sha256 == sha256(small.data).hexdigest() != large.sha256
        assert small.source_sha256 == large.source_sha256


def test_boxes_are_drawn_where_they_are(picture):
    made = boxed(picture((0, 0, 0), 100), [(0.2, 0.4, 0.6, 0.8)])
    image = Image.open(io.BytesIO(made.data))
    assert image.getpixel((20, 40)) == image.getpixel((59, 79)) == (255, 0, 0)
    assert image.getpixel((40, 60)) == image.getpixel((19, 40)) == image.getpixel((60, 79)) == (0, 0, 0)


def test_requests_about_one_picture_share_one_resized_copy():
    large = jpeg(640, 480)
    sending = Sending(EngineChoice(type="openai", image_side=320))
    first, second = (sending.prepared(Request((("user", text),), (large,))) for text in "ab")
    assert first.images[0] is second.images[0]
    assert first.resized == (f"320x240:{first.images[0].sha256}",)
    untouched = Request((("user", "a"),), (jpeg(64, 48),))
    assert sending.prepared(untouched).resized == ()


def test_system_text_behind_the_pictures():
    sending = Sending(EngineChoice(type="openai", picture_first=True))
    messages = (("system", "You look."), ("user", "What?"))
    assert sending.prepared(Request(messages, (jpeg(8, 8),))).messages == (("user", "You look.\n\nWhat?"),)
    assert sending.prepared(Request(messages, ())).messages == messages


class Keeper:
    """A server that keeps pictures under their names, as vLLM does, until it is told to forget them."""

    def __init__(self, say):
        self.say, self.held, self.sent = say, set(), []

    def __call__(self, body, number):
        parts = [part for message in body["messages"] for part in message["content"] if part["type"] == "image_url"]
        bare = [part for part in parts if part["image_url"] is None]
        self.sent.append((len(parts), len(bare)))
        if any(part["uuid"] not in self.held for part in bare):
            return self.say(status=400, body=b'{"error": {"message": "Cache miss for image at index 0"}}')
        self.held |= {part["uuid"] for part in parts}
        return self.say("fine")


@pytest.fixture
def keeper(server, say):
    server.script = Keeper(say)
    return server.script


@pytest.fixture
def asks(server, tmp_path):
    """Asks one question after another and gives the outcomes; the pictures by their widths."""
    engines = []

    def ask(*widths, **options):
        choice = EngineChoice(type="openai", base_urls=[server.url], model="fake-vlm")
        store = AnswerStore(tmp_path / str(len(engines)))
        engines.append(OpenAIEngine(choice, OpenAIOptions(keeps_pictures=True, backoff_s=0.01, **options), store))
        for number, width in enumerate(widths):
            if width == 0:
                server.script.held.clear()
                continue
            question = Request((("user", f"What {number}?"),), (jpeg(width, 8),))
            yield engines[-1].submit(question).result()

    yield ask
    for engine in engines:
        engine.close()


def test_a_picture_is_sent_once_to_a_server_that_keeps_it(keeper, asks):
    assert {said.texts for said in asks(8, 8, 9, 8)} == {("fine",)}
    assert keeper.sent == [(1, 0), (1, 1), (1, 0), (1, 1)]


def test_what_the_server_has_forgotten_is_sent_again(keeper, asks):
    assert {said.texts for said in asks(8, 8, 0, 8, 8)} == {("fine",)}
    assert keeper.sent == [(1, 0), (1, 1), (1, 1), (1, 0), (1, 1)], "the third asks in vain and brings the picture then"


def test_a_server_that_keeps_nothing_is_soon_sent_everything(keeper, asks):
    widths = [8] + [0, 8] * 30
    assert {said.texts for said in asks(*widths)} == {("fine",)}
    assert sum(bare for _, bare in keeper.sent) == 16
    assert keeper.sent[-10:] == [(1, 0)] * 10


def test_a_request_that_is_refused_with_its_picture_is_refused(server, say, asks):
    server.script = lambda body, number: say(status=400) if number else say("fine")
    first, second = asks(8, 8)
    assert first.texts == ("fine",)
    assert (second.code, len(server.asked)) == ("refused_request", 3)


def test_pictures_have_no_names_where_nobody_keeps_them(server, tmp_path):
    choice = EngineChoice(type="openai", base_urls=[server.url], model="fake-vlm")
    engine = OpenAIEngine(choice, OpenAIOptions(), AnswerStore(tmp_path))
    for text in "ab":
        engine.submit(Request((("user", text),), (jpeg(8, 8),))).result()
    engine.close()
    assert "uuid" not in json.dumps(server.asked)
    assert json.dumps(server.asked).count("base64") == 2


def test_what_is_sent_is_what_the_digest_and_the_answer_say(server, tmp_path):
    large = jpeg(640, 480)
    request = Request((("user", "What?"),), (large,))
    digests = set()
    for side in (0, 320):
        choice = EngineChoice(type="openai", base_urls=[server.url], model="fake-vlm", image_side=side)
        engine = OpenAIEngine(choice, OpenAIOptions(), AnswerStore(tmp_path))
        answer = engine.submit(request).result()
        engine.close()
        digests.add(answer.digest)
        assert bool(answer.resized) == bool(side)
    assert len(digests) == 2
    sizes = [len(json.dumps(body)) for body in server.asked]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("damage", [lambda data: data[:200], lambda data: b"GIF89a", lambda data: b""], ids="thg")
def test_a_picture_that_cannot_be_decoded_costs_its_own_requests_only(server, tmp_path, damage):
    """A recipe with ``decode: false`` lets it through unseen; it ended the run."""
    broken, whole = (replace(jpeg(640, 480), data=damage(jpeg(640, 480).data), sha256="broken"), jpeg(640, 480))
    choice = EngineChoice(type="openai", base_urls=[server.url], image_side=100)
    engine = OpenAIEngine(choice, OpenAIOptions(), AnswerStore(tmp_path))
    futures = [engine.submit(Request((("user", "what"),), (one,))) for one in (broken, whole)]
    assert futures[0].result().code == "corrupt_image"
    assert futures[1].result().texts == ("fine",)
    engine.close()
    with pytest.raises(CaseError, match="cannot be decoded"):
        boxed(broken, [(0.2, 0.4, 0.6, 0.8)])


def test_an_estimate_passes_over_what_cannot_be_sent(tmp_path):
    ref = ImageRef(("a.png",), "image/png", View(source_width=640, source_height=480, width=640, height=480))
    case = Case("films", "1", None, "", images=(ref,), labels=(Label("mass", "m"),))
    work = Work("1", case, pictures={ref: replace(jpeg(640, 480), data=b"GIF89a")})
    tasks = open_tasks([Choice(type="unblinded"), Choice(type="label_captions")])
    found = estimate(iter([work]), tasks, EngineChoice(image_side=100), str(tmp_path), Context(SPEC))
    assert (found.cases, found.requests) == (1, 1)
