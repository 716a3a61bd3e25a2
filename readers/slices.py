"""Which slices of a stack become pictures."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from readers.pixels.window import PRESETS
from schemas.spec import Strict

Policy = Literal["all", "every_mm", "middle", "evenly", "largest_region", "around_region", "key"]


class SliceOptions(Strict):
    """How a stack is cut into pictures."""

    policy: Policy = "evenly"
    """``all``; ``every_mm``: one every ``mm`` millimetres; ``middle``; ``evenly``: ``count``, evenly spaced;
    ``largest_region``: the one with the most labelled pixels; ``around_region``: ``count``, evenly spaced between the
    first and the last labelled slice; ``key``: those that reports point at.  Where there are no regions, or no
    report points at a slice, the last three take the middle."""
    count: int = Field(default=3, ge=1)
    mm: float = Field(default=10.0, gt=0)
    montage: tuple[int, int] | None = None
    """[columns, rows]: the slices are shown together as one picture, row by row, in patient order; ``evenly`` and
    ``around_region`` then take as many as it holds, and what more others choose fills further montages."""

    @field_validator("montage")
    @classmethod
    def _holds_some(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and (min(value) < 1 or value[0] * value[1] < 2):
            raise ValueError(f"a montage of {value[0]} columns and {value[1]} rows shows no two slices")
        return value

    @property
    def wanted(self) -> int:
        """Slices that ``evenly`` and ``around_region`` take."""
        return self.count if self.montage is None else self.montage[0] * self.montage[1]


class StackOptions(Strict):
    """Options that readers of DICOM series and volumes share."""

    slices: SliceOptions = SliceOptions()
    window: str | tuple[float, float] = "auto"
    """``auto``: the file's own, else a preset for CT by anatomy, else the 0.5 to 99.5 percentiles of positive
    values; ``file``; ``percentile``; a preset's name; or [centre, width] in modality units."""

    @field_validator("window")
    @classmethod
    def _known(cls, value: str | tuple[float, float]) -> str | tuple[float, float]:
        names = ["auto", "file", "percentile", *PRESETS]
        if isinstance(value, str) and value not in names:
            raise ValueError(f"there is no window {value!r}; known are {', '.join(names)}, or [centre, width]")
        if not isinstance(value, str) and value[1] < 1:
            raise ValueError(f"a window's width must be at least 1, not {value[1]:g}")
        return value


def choose(
    options: SliceOptions, count: int, spacing_mm: float, areas: Sequence[float] = (), keys: Sequence[int] = ()
) -> list[int]:
    """Indices of the slices to show, rising.

    Args:
        options: the policy.
        count: slices in the stack.
        spacing_mm: millimetres from slice to slice, 0 where unknown (then ``every_mm`` takes one millimetre).
        areas: labelled pixels per slice; empty where there are no regions.
        keys: slices that reports point at.
    """
    if count < 1:
        return []
    labelled = [index for index, area in enumerate(areas) if area > 0]
    if options.policy == "all":
        return list(range(count))
    if options.policy == "every_mm":
        step = max(round(options.mm / (spacing_mm or 1.0)), 1)
        return list(range(min(step // 2, count - 1), count, step))
    if options.policy == "key" and keys:
        return sorted(set(keys))
    if options.policy == "evenly":
        return evenly(0, count - 1, options.wanted)
    if options.policy == "largest_region" and labelled:
        return [max(labelled, key=lambda index: areas[index])]
    if options.policy == "around_region" and labelled:
        return evenly(labelled[0], labelled[-1], options.wanted)
    return [count // 2]


def evenly(first: int, last: int, count: int) -> list[int]:
    """Up to ``count`` indices in ``[first, last]``, each the middle of one of as many equal parts."""
    length = last - first + 1
    parts = min(count, length)
    return [first + (2 * i + 1) * length // (2 * parts) for i in range(parts)]
