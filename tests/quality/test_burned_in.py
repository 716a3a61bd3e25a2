"""Words in pixels: planted ones are found by the real reader, anatomy and technical marks are let alone."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from quality import burned_in
from quality.burned_in import BurnedIn, BurnedInOptions, Line
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.rendered import Rendered


def film(*words: tuple[int, int, str], size: int = 18) -> bytes:
    """A soft grey film of 320 x 240 with these words in it."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:240, 0:320]
    grey = 60 + 80 * np.exp(-(((x - 160) / 90) ** 2 + ((y - 120) / 70) ** 2)) + rng.normal(0, 4, (240, 320))
    picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for left, top, text in words:
        draw.text((left, top), text, fill=235, font=ImageFont.load_default(size))
    out = io.BytesIO()
    picture.save(out, "png")
    return out.getvalue()


@pytest.fixture
def judge(row: Instruction, case: Case, context: Context, picture: Rendered) -> Any:
    def run(data: bytes, **options: Any) -> list[tuple[str, str]]:
        shown = replace(picture, data=data)
        found = BurnedIn(BurnedInOptions(**options)).check(row, case, [shown], context)
        return [(one.code, str(one.severity)) for one in found]

    return run


def test_planted_names_are_read(judge: Any) -> None:
    named = film((8, 6, "KAUFMAN SCOTT"), (8, 210, "DOB 07.22.1943"))
    assert judge(named) == [("burned_in_text", "refuse")]
    assert judge(named, action="flag") == [("burned_in_text", "flag")]
    assert judge(named, action="identifying") == [("burned_in_text", "refuse")]


def test_a_film_without_words_and_marks_of_the_technique_pass(judge: Any) -> None:
    assert judge(film()) == []
    assert judge(film((8, 6, "L"), (250, 210, "10 cm"), (8, 210, "PORTABLE"))) == []


def test_own_words_may_be_accepted_and_other_words_only_flagged(judge: Any) -> None:
    logo = film((60, 6, "TEACHING FILE"))
    assert judge(logo) == [("burned_in_text", "refuse")]
    assert judge(logo, action="identifying") == [("burned_in_text", "flag")]
    assert judge(logo, accept=("teaching ?file",)) == []


def test_each_picture_is_read_once(
    monkeypatch: pytest.MonkeyPatch, row: Instruction, case: Case, context: Context, picture: Rendered
) -> None:
    calls: list[bytes] = []

    def read(data: bytes) -> list[Line]:
        calls.append(data)
        return [Line(text, score, (0, 0, 9, 9)) for text, score in (("DOE", 0.6), ("ROE", 0.59), ("x", 0.9))]

    monkeypatch.setattr(burned_in, "read", read)
    gate = BurnedIn(BurnedInOptions())
    details = [[one.detail for one in gate.check(row, case, [picture], context)] for _ in range(3)]
    assert details == [["picture 0 shows 1 line of burned-in words"]] * 3
    assert len(calls) == 1
