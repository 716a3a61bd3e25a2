"""Gate: no words are burned into the pixels, as ultrasound, secondary captures and scanned films have them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from quality.base import GateOptions, refuse
from quality.recognisers import kinds_in
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction
from schemas.rendered import Rendered
from schemas.view import Box

TECHNICAL = (
    r"[LRAPHFSI]{1,3}", r"(?:left|right|ap|pa|lat(?:eral)?|supine|erect|portable|upright|semi|inspiration|expiration)",
    r"[-+]?\d{1,4}(?:[.,]\d+)?\s?(?:mm|cm|hu|kv|ma|mas|ms|hz|mhz|khz|db|fps|%|°|s|t|x)?",
    r"(?:w|l|c|ww|wl|wc|z|se|im|sl|st|fov|tr|te|ti|mi|tis|gain|dr|kvp)[:= ]*[-+]?\d{1,4}(?:[.,]\d+)?\s?"
    r"(?:mm|cm|ms|mhz)?",
)  # fmt: skip
"""What acquisition writes into pictures: sides, projections, scales, windows.  None of it names anybody."""
REMEMBERED = 64
READ = Finding("burned_in_read", "the picture was searched for words", Severity.NOTE)
"""On pictures that were looked at when they were rendered."""


class BurnedInOptions(GateOptions):
    """What to do with words in pixels.  Reading takes about 0.7 s for 512 x 512 on one core: turn it on by source."""

    action: Literal["refuse", "mask", "flag", "identifying", "accept"] = "refuse"
    """``mask``: words are painted over and the picture is read again; ``identifying``: refuse what
    `quality.recognisers` takes for an identifier, flag all other words (names without a title are easily missed so;
    ``refuse`` and ``mask`` are the safe choices); ``accept``: nothing is read, for the ``reason`` given."""
    reason: str = ""
    """Why words may stay: for ``accept``; it goes into the audit."""
    where: Literal["all", "suspects"] = "all"
    """``suspects``: original cross sections (CT, MR, PT, NM) of DICOM are not read."""
    confidence: float = Field(default=0.6, ge=0, le=1)
    """Least score of a line; rapidocr's own default is 0.5, what curved anatomy is read as lies below 0.6."""
    min_chars: int = Field(default=3, ge=1)
    """Letters and digits below which a line is passed over.  Ours."""
    accept: tuple[str, ...] = ()
    """Regular expressions, matched against whole lines without regard to case, of words that may stay."""

    @model_validator(mode="after")
    def _is_reasoned(self) -> "BurnedInOptions":
        if self.action == "accept" and len(self.reason) < 10:
            raise ValueError("burned-in words are accepted only with a written reason; add reason: ...")
        return self


@dataclass(frozen=True, slots=True)
class Line:
    """A line of words in a picture."""

    text: str = field(repr=False)
    score: float
    """Of the reader, in 0..1."""
    box: Box
    """Picture pixels, half-open."""


class BurnedIn:
    """Refuses, masks or flags pictures that show words; off unless a recipe or spec names it.

    Codes: ``burned_in_text``, ``burned_in_declared`` (the header says that there are words and none were read),
    ``burned_in_masked``, ``burned_in_remains``, ``burned_in_mask_on_region``.  Reads with rapidocr (PP-OCR models that
    its package ships; no network), one thread.  A run looks when pictures are rendered (`flows.private_steps`); a
    picture that was not looked at then is read here, and not masked.
    """

    name: ClassVar[str] = "burned_in"
    Options: ClassVar[type[GateOptions]] = BurnedInOptions

    def __init__(self, options: BurnedInOptions) -> None:
        self.options = options
        self._accept = re.compile("|".join(f"(?:{one})" for one in (*TECHNICAL, *options.accept)), re.IGNORECASE)
        self._seen: dict[str, tuple[Line, ...]] = {}

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Read every picture once, however many rows show it."""
        for number, picture in enumerate(pictures):
            if READ not in picture.findings and self.wants(row.images[number]):
                yield from self.judged(self.lines(picture), row.images[number], f"picture {number}")

    def wants(self, ref: ImageRef) -> bool:
        """Whether the picture is to be read at all."""
        if self.options.action == "accept":
            return False
        return self.options.where == "all" or ref.words != "unlikely"

    def lines(self, picture: Rendered) -> tuple[Line, ...]:
        """The lines of words that count."""
        if picture.sha256 not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            self._seen[picture.sha256] = tuple(line for line in read(picture.data) if self._counts(line))
        return self._seen[picture.sha256]

    def judged(self, lines: Sequence[Line], ref: ImageRef, name: str) -> Iterator[Finding]:
        """What is wrong with a picture that shows these lines as they are."""
        action = self.options.action
        identifying = any(kinds_in(line.text) for line in lines)
        if lines:
            detail = f"{name} shows {len(lines)} line{'s' if len(lines) > 1 else ''} of burned-in words"
            stays = action == "flag" or (action == "identifying" and not identifying)
            yield Finding("burned_in_text", detail) if stays else refuse("burned_in_text", detail)
        elif ref.words == "declared":
            detail = f"the header of {name} says that words are burned in, but none were read"
            stays = action in ("flag", "identifying")
            yield Finding("burned_in_declared", detail) if stays else refuse("burned_in_declared", detail)

    def _counts(self, line: Line) -> bool:
        plain = line.text.strip(" .,:;|-_()[]")
        if line.score < self.options.confidence or sum(map(str.isalnum, plain)) < self.options.min_chars:
            return False
        return not self._accept.fullmatch(plain)


def read(data: bytes) -> list[Line]:
    """The lines of words in an encoded picture."""
    import io

    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]  # rapidocr takes blue, green, red
    found = _reader()(pixels)
    if found.boxes is None:
        return []
    corners = np.asarray(found.boxes, dtype=float)
    low, high = corners.min(axis=1), corners.max(axis=1)
    boxes = [(x0, y0, x1 + 1, y1 + 1) for (x0, y0), (x1, y1) in zip(low.tolist(), high.tolist(), strict=True)]
    return [Line(text, float(score), box) for text, score, box in zip(found.txts, found.scores, boxes, strict=True)]


@cache
def _reader() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
