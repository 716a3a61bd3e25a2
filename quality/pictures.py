"""Gate: a picture is large enough, shows something, and is not all but black; from facts of the one decode."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered


class PicturesOptions(GateOptions):
    """Thresholds on the published picture; luma is 0..255.  Sources: FIELD.md section 19."""

    min_side: int = Field(default=21, ge=1)
    """Shorter side in pixels.  BIOMEDICA keeps more than 20; Lingshu 64, PubMedVision 336: set it by source."""
    max_aspect: float = Field(default=20.0, ge=1)
    """Longer by shorter side.  Ours: a picture narrower than that is a strip of a ruler or a colour bar."""
    constant_std: float = Field(default=0.0, ge=0)
    """Luma deviation at or below which a picture counts as constant.  Ours."""
    dark_max: float = Field(default=30.0, ge=0)
    """A picture whose brightest luma is below this is dark."""
    dark_mean: float = Field(default=0.0, ge=0)
    """With ``dark_std``: dark where mean and deviation are both below; 40 and 25 for chest films, 0 is off."""
    dark_std: float = Field(default=0.0, ge=0)


class Pictures:
    """Refuses rows that show a picture nobody can see anything on.

    Codes: ``picture_small``, ``picture_narrow``, ``picture_constant``, ``picture_dark``.
    """

    name: ClassVar[str] = "pictures"
    Options: ClassVar[type[GateOptions]] = PicturesOptions

    def __init__(self, options: PicturesOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Compare each picture's facts with the thresholds."""
        for number, picture in enumerate(pictures):
            yield from self._shape(number, picture)
            # Without a decode the luma facts are only defaults.
            if picture.pixel_digest:
                yield from self._light(number, picture)

    def _shape(self, number: int, picture: Rendered) -> Iterator[Finding]:
        limits = self.options
        short, long = sorted((picture.width, picture.height))
        if short < limits.min_side:
            yield refuse("picture_small", f"picture {number}: a side of {short} pixels is under {limits.min_side}")
        elif long > limits.max_aspect * short:
            yield refuse("picture_narrow", f"picture {number}: {long} x {short} is over {limits.max_aspect:g} to 1")

    def _light(self, number: int, picture: Rendered) -> Iterator[Finding]:
        if picture.std <= self.options.constant_std or picture.minimum == picture.maximum:
            yield refuse("picture_constant", f"picture {number} has the same value everywhere")
        elif self._dark(picture):
            facts = f"maximum {picture.maximum:.0f}, mean {picture.mean:.1f}, deviation {picture.std:.1f}"
            yield refuse("picture_dark", f"picture {number} is dark: {facts}")

    def _dark(self, picture: Rendered) -> bool:
        limits = self.options
        return picture.maximum < limits.dark_max or (picture.mean < limits.dark_mean and picture.std < limits.dark_std)
