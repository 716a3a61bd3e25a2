"""What the numbers or colours of a mask mean, and the mask of every class."""

import csv
import io
from typing import Any

import numpy as np

from readers.pixels.stored import Palette, Values
from readers.source import Source
from readers.text import read_text
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.masks import Mask

Colour = tuple[int, int, int]

_SHARE = 0.6
_NEAR = 8


class MaskClasses:
    """The classes of one dataset's masks.

    Args:
        values: value -> word, for index masks.
        colours: (r, g, b) -> word, for colour masks.
        binary: the word of everything that is not background; then values and colours are not looked at.
    """

    def __init__(self, values: dict[int, str], colours: dict[Colour, str], binary: str = "") -> None:
        self.values = values
        self.colours = colours
        self.binary = binary

    def masks(self, stored: Values, palette: Palette, findings: list[Finding]) -> list[tuple[str, Mask]]:
        """The word and ``(H, W)`` mask of every class present, in the classes' order.

        Raises `CaseError` ``mask_value_unknown`` (quarantined) for a value or colour that is no class.
        """
        if self.binary:
            return [(self.binary, _foreground(stored, findings))]
        if stored.ndim == 3:
            return self._by_colour(stored[..., :3], findings)
        if not self.values and palette and self.colours:
            return self._by_colour(np.asarray(palette, dtype=np.uint8)[stored], findings)
        return self._by_value(stored)

    def _by_value(self, stored: Values) -> list[tuple[str, Mask]]:
        if stored.dtype.kind == "f":
            whole = np.rint(stored)
            if not np.isfinite(stored).all() or np.abs(stored - whole).max(initial=0) > 0.01:
                raise CaseError("mask_value_unknown", "the mask holds numbers that are not whole", "quarantined")
            stored = whole.astype(np.int64)
        there = [int(value) for value in np.unique(stored)]
        unknown = [value for value in there if value not in self.values and value != 0]
        if unknown:
            raise CaseError(
                "mask_value_unknown",
                f"the mask holds {_some(unknown)}, which is no class; name it in the classes or repair the mask",
                "quarantined",
            )
        return [(word, stored == value) for value, word in sorted(self.values.items()) if value in there]

    def _by_colour(self, stored: Values, findings: list[Finding]) -> list[tuple[str, Mask]]:
        known = {_code(np.asarray(colour)): word for colour, word in self.colours.items()}
        codes = _code(stored.astype(np.int64))
        there = np.unique(codes)
        unknown = [int(code) for code in there if int(code) not in known and code != 0]
        if unknown:
            codes = self._snapped(codes, unknown, findings)
            there = np.unique(codes)
        return [(word, codes == code) for code, word in known.items() if code in there]

    def _snapped(self, codes: Values, unknown: list[int], findings: list[Finding]) -> Values:
        """Colours within 8 steps a channel of a class's colour taken as it, as lossy files have them."""
        colours = np.array([(0, 0, 0), *self.colours], dtype=np.int64)
        out = codes.copy()
        for code in unknown:
            colour = np.array([code >> 16, code >> 8 & 255, code & 255])
            distance = np.abs(colours - colour).max(axis=1)
            if distance.min() > _NEAR:
                raise CaseError(
                    "mask_value_unknown",
                    f"the mask holds the colour {tuple(colour.tolist())}, which is no class; name it in the classes",
                    "quarantined",
                )
            out[codes == code] = _code(colours[distance.argmin()])
        findings.append(
            Finding("mask_colours_inexact", "colours of the mask are near, not equal to, those of its classes")
        )
        return out


def read_classes(source: Source, path: str) -> MaskClasses:
    """Classes from a table with the columns index (or value, id, label) and name (or class), or r, g, b and name."""
    rows = csv.DictReader(io.StringIO(read_text(source, path)))
    values: dict[int, str] = {}
    colours: dict[Colour, str] = {}
    for row in rows:
        low = {
            (name or "").strip().lower(): (cell or "").strip() for name, cell in row.items() if isinstance(cell, str)
        }
        word = _first(low, "name", "class", "class_name", "label_name")
        index = _first(low, "index", "value", "id", "label")
        colour = _colour_of(low)
        if not word or not (index or colour):
            raise UserError(
                f"{path}: every line needs a name and an index or a colour; the columns are {', '.join(low)}"
            )
        if index:
            values[_whole(index, path)] = word
        if colour:
            colours[colour] = word
    return MaskClasses(values, colours)


def parse_colour(text: str) -> Colour | None:
    """``(r, g, b)`` of ``255,0,0`` or ``#ff0000``; None where the text is no colour."""
    text = text.strip().strip("()[]")
    if text.startswith("#") and len(text) == 7:
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    parts = text.replace(",", " ").split()
    if len(parts) == 3 and all(part.isdigit() and int(part) < 256 for part in parts):
        return int(parts[0]), int(parts[1]), int(parts[2])
    return None


def _foreground(stored: Values, findings: list[Finding]) -> Mask:
    """Everything that is not background: above half of the largest value, since lossy files have greys between."""
    grey = stored[..., :3].max(axis=2) if stored.ndim == 3 else stored
    present = np.unique(grey)
    if present.size > 2:
        findings.append(
            Finding("mask_not_binary", f"the mask has {present.size} grey values; it was cut at half its range")
        )
        mask = grey > float(present[-1]) / 2
    else:
        mask = grey != 0 if present.size == 1 or present[0] == 0 else grey == present[-1]
    if mask.mean() > _SHARE:
        findings.append(
            Finding("mask_mostly_foreground", f"{mask.mean():.0%} of the mask are foreground; it may be inverted")
        )
    return np.asarray(mask, dtype=bool)


def _code(colours: Any) -> Any:
    return (
        colours[..., 0].astype(np.int64) << 16
        | colours[..., 1].astype(np.int64) << 8
        | colours[..., 2].astype(np.int64)
    )


def _some(values: list[int]) -> str:
    return ", ".join(str(value) for value in values[:5]) + (" and others" if len(values) > 5 else "")


def _first(row: dict[str, str], *names: str) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _colour_of(row: dict[str, str]) -> Colour | None:
    if "r" in row and "g" in row and "b" in row:
        return parse_colour(f"{row['r']},{row['g']},{row['b']}")
    return parse_colour(_first(row, "colour", "color", "rgb", "hex"))


def _whole(text: str, path: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{path}: the index {text!r} is no whole number") from None
