"""How a box is written in a text."""

from collections.abc import Sequence
from functools import cache
from typing import Literal

from converters.asking import Asker
from converters.templating import load_table
from schemas.instruction import Place
from schemas.view import View

BoxStyle = Literal["fraction", "pixels", "per_mille", "ref"]
"""``fraction``: 0..1 with three decimals; ``pixels``: whole view pixels; ``per_mille``: whole numbers 0..999;
``ref``: ``<ref>name</ref><box>[[x0, y0, x1, y1]]</box>`` with 0..999, a box without a name without the first half."""


def numbers(place: Place, style: BoxStyle, view: View) -> str:
    """``[x0, y0, x1, y1]`` of the place's box on its view, as it is written without a name."""
    edges = _edges(place, style, view)
    return f"<box>[{edges}]</box>" if style == "ref" else edges


def _edges(place: Place, style: BoxStyle, view: View) -> str:
    box = place.box
    if style == "fraction":
        return "[{:.3f}, {:.3f}, {:.3f}, {:.3f}]".format(*box)
    if style == "pixels":
        parts = [str(round(edge * side)) for edge, side in zip(box, (view.width, view.height) * 2, strict=True)]
    else:
        parts = [str(round(edge * 999)) for edge in box]
    return f"[{', '.join(parts)}]"


def written(label: str, places: Sequence[Place], style: BoxStyle, view: View) -> str:
    """The boxes of one label as text, several of them in one list for ``ref``."""
    boxes = ", ".join(_edges(place, style, view) for place in places)
    return f"<ref>{label}</ref><box>[{boxes}]</box>" if style == "ref" else boxes


def box_note(ask: Asker, style: BoxStyle, named: bool = True) -> str:
    """The sentence that says how boxes are written.

    Args:
        ask: at work on the case.
        style: of the boxes.
        named: whether the answer holds boxes with their names, as `written` gives them; else only `numbers` are meant.
    """
    return _note(style if named or style != "ref" else "ref_unnamed", ask.language)


@cache
def _note(style: str, language: str) -> str:
    return load_table("boxes").fixed(style, language).fill({})
