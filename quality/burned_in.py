"""Gate: no words are burned into the pixels, as ultrasound, secondary captures and scanned films have them."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import Field

from quality.base import GateOptions, refuse
from quality.recognisers import kinds_in
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered

TECHNICAL = (
    r"[LRAPHFSI]{1,3}", r"(?:left|right|ap|pa|lat(?:eral)?|supine|erect|portable|upright|semi|inspiration|expiration)",
    r"[-+]?\d{1,4}(?:[.,]\d+)?\s?(?:mm|cm|hu|kv|ma|mas|ms|hz|mhz|khz|db|fps|%|°|s|t|x)?",
    r"(?:w|l|c|ww|wl|wc|z|se|im|sl|st|fov|tr|te|ti|mi|tis|gain|dr|kvp)[:= ]*[-+]?\d{1,4}(?:[.,]\d+)?\s?"
    r"(?:mm|cm|ms|mhz)?",
)  # fmt: skip
"""What acquisition writes into pictures: sides, projections, scales, windows.  None of it names anybody."""
REMEMBERED = 64


class BurnedInOptions(GateOptions):
    """What to do with words in pixels.  Reading takes about 0.7 s for 512 x 512 on one core: turn it on by source."""

    action: Literal["refuse", "flag", "identifying"] = "refuse"
    """``identifying``: refuse what `quality.recognisers` takes for an identifier, flag all other words.  Names
    without a title are easily missed so; ``refuse`` is the safe choice."""
    confidence: float = Field(default=0.6, ge=0, le=1)
    """Least score of a line; rapidocr's own default is 0.5, what curved anatomy is read as lies below 0.6."""
    min_chars: int = Field(default=3, ge=1)
    """Letters and digits below which a line is passed over.  Ours."""
    accept: tuple[str, ...] = ()
    """Regular expressions, matched against whole lines without regard to case, of words that may stay."""


class BurnedIn:
    """Refuses or flags rows whose pictures show words; off unless a recipe or spec names it.

    Codes: ``burned_in_text``.  Reads with rapidocr (PP-OCR models that its package ships; no network), one thread.
    """

    name: ClassVar[str] = "burned_in"
    Options: ClassVar[type[GateOptions]] = BurnedInOptions

    def __init__(self, options: BurnedInOptions) -> None:
        self.options = options
        self._accept = re.compile("|".join(f"(?:{one})" for one in (*TECHNICAL, *options.accept)), re.IGNORECASE)
        self._seen: dict[str, tuple[int, bool]] = {}

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Read every picture once, however many rows show it."""
        for number, picture in enumerate(pictures):
            lines, identifying = self._once(picture)
            if not lines:
                continue
            detail = f"picture {number} shows {lines} line{'s' if lines > 1 else ''} of burned-in words"
            if self.options.action == "refuse" or (self.options.action == "identifying" and identifying):
                yield refuse("burned_in_text", detail)
            else:
                yield Finding("burned_in_text", detail)

    def _once(self, picture: Rendered) -> tuple[int, bool]:
        if picture.sha256 not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            words = [text for text, score in read(picture.data) if self._counts(text, score)]
            self._seen[picture.sha256] = len(words), any(kinds_in(text) for text in words)
        return self._seen[picture.sha256]

    def _counts(self, text: str, score: float) -> bool:
        plain = text.strip(" .,:;|-_()[]")
        if score < self.options.confidence or sum(map(str.isalnum, plain)) < self.options.min_chars:
            return False
        return not self._accept.fullmatch(plain)


def read(data: bytes) -> list[tuple[str, float]]:
    """The lines of words in an encoded picture, each with the reader's score in 0..1."""
    import io

    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]  # rapidocr takes blue, green, red
    found = _reader()(pixels)
    return list(zip(found.txts or (), map(float, found.scores or ()), strict=True))


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
