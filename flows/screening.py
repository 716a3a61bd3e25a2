"""The step that looks for words in pictures as soon as they are rendered, and refuses, flags or paints over them.

It stands before any model is asked, so that a name in the pixels is not sent anywhere either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from flows.steps import Step, unexpected
from quality.burned_in import READ, BurnedIn, Line
from readers.pixels.render import render
from readers.source import Source
from schemas.case import ImageRef, Mark
from schemas.errors import CaseError
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.view import Box, View
from schemas.work import Drop, Work

MARGIN = 0.2
"""Of a line's height that is painted over around it, and two pixels more.  Ours."""
ROUNDS = 3
"""How often a picture is painted and read again before it is refused."""
MASKED = Finding("burned_in_masked", "words that were burned into the picture are painted over")


def screen_pictures(gates: Sequence[Any], source: Source) -> Step:
    """Look for words in every rendered picture, where the gate ``burned_in`` is on."""
    screens = [_Screen(one, source) for one in gates if isinstance(one, BurnedIn)]

    def step(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            for screen in screens:
                if work.case is not None and work.dropped is None and work.pictures:
                    screen.look(work)
            yield work

    return step


class _Screen:
    def __init__(self, gate: BurnedIn, source: Source) -> None:
        self._gate, self._source = gate, source

    def look(self, work: Work) -> None:
        wanted = [ref for ref in work.pictures if self._gate.wants(ref)]
        try:
            found = self._words(work, wanted)
            for ref in wanted:
                self._treat(work, ref, found)
        except CaseError as error:
            work.drop(Status(error.status), "render", error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - a reader of words that fails must not let a picture through
            work.drop(Status.FAILED, "render", "unexpected_error", unexpected(work.case_id, error))

    def _words(self, work: Work, wanted: Sequence[ImageRef]) -> dict[Any, list[tuple[Line, Box]]]:
        """Lines with their boxes on the source, by the plane where they stand; a plane is read whole and as shown."""
        assert work.case is not None
        whole = {_plane(ref): ref for ref in reversed(work.case.images)}
        found: dict[Any, list[tuple[Line, Box]]] = {}
        for ref in dict.fromkeys(one for shown in wanted for one in (whole.get(_plane(shown), shown), _bare(shown))):
            picture = work.pictures.get(ref) or render(self._source, ref)
            lines = self._gate.lines(picture)
            found.setdefault(_plane(ref), []).extend((line, ref.view.box_to_source(line.box)) for line in lines)
        return found

    def _treat(self, work: Work, ref: ImageRef, found: dict[Any, list[tuple[Line, Box]]]) -> None:
        shown = [(line, box) for line, box in found.get(_plane(ref), []) if _visible(ref.view, box)]
        findings: list[Finding] = []
        if self._gate.options.action == "mask" and (shown or ref.calibrated):
            findings = self._paint(work, ref, [ref.view.box_to_view(box) for _, box in shown])
        else:
            findings = list(self._gate.judged([line for line, _ in shown], ref, "the picture"))
        refusing = [one for one in findings if one.severity is Severity.REFUSE]
        if refusing:
            _refuse(work, ref, refusing[0])
            return
        work.pictures[ref] = replace(work.pictures[ref], findings=(*work.pictures[ref].findings, *findings, READ))

    def _paint(self, work: Work, ref: ImageRef, boxes: list[Box]) -> list[Finding]:
        """Paint over boxes of the view and what lies outside the calibrated regions, until nothing is read any more."""
        outside = outside_of([ref.view.box_to_view(box) for box in ref.calibrated], ref.view)
        painted: list[Box] = [*outside, *(grown(box) for box in boxes)]
        for _ in range(ROUNDS):
            picture = render(self._source, replace(ref, marks=(*ref.marks, *map(fill, painted))))
            bare = replace(ref, marks=tuple(map(fill, painted)))
            again = self._gate.lines(render(self._source, bare) if ref.marks else picture)
            if not again:
                work.pictures[ref] = picture
                work.rows = [_covered(row, ref, painted) for row in work.rows]
                return [MASKED]
            painted += [grown(line.box) for line in again]
        return [Finding("burned_in_remains", "words are still read after painting over them", Severity.REFUSE)]


def fill(box: Box) -> Mark:
    """A box of the view, painted black."""
    x0, y0, x1, y1 = box
    # Corners of a polygon are pixels that it covers.
    return Mark("fill", (x0, y0, x1 - 1, y0, x1 - 1, y1 - 1, x0, y1 - 1), colour=(0, 0, 0))


def grown(box: Box) -> Box:
    """A line's box with its margin, on whole pixels."""
    x0, y0, x1, y1 = box
    more = 2 + MARGIN * (y1 - y0)
    return float(int(x0 - more)), float(int(y0 - more)), float(int(x1 + more) + 1), float(int(y1 + more) + 1)


def outside_of(inner: Sequence[Box], view: View) -> list[Box]:
    """Boxes that together cover the view but for the ``inner`` ones; none where there are no inner ones."""
    if not inner:
        return []
    inner = [(round(x0), round(y0), round(x1), round(y1)) for x0, y0, x1, y1 in inner]
    xs = sorted({0, view.width, *(min(max(x, 0), view.width) for box in inner for x in (box[0], box[2]))})
    ys = sorted({0, view.height, *(min(max(y, 0), view.height) for box in inner for y in (box[1], box[3]))})
    cells = [(x0, y0, x1, y1) for x0, x1 in pairwise(xs) for y0, y1 in pairwise(ys)]
    return [
        (float(x0), float(y0), float(x1), float(y1))
        for x0, y0, x1, y1 in cells
        if not any(a <= x0 and x1 <= c and b <= y0 and y1 <= d for a, b, c, d in inner)
    ]


def _plane(ref: ImageRef) -> Any:
    """What two pictures of the same source pixels have in common; a montage stands for itself."""
    return ref if ref.tiles else (ref.files, ref.array, ref.view.axis, ref.view.index, max(ref.view.frame, 0))


def _bare(ref: ImageRef) -> ImageRef:
    """The picture without marks, whose own letters are no words of the source."""
    return replace(ref, marks=()) if ref.marks else ref


def _visible(view: View, box: Box) -> bool:
    x0, y0, x1, y1 = view.box_to_view(box)
    return min(x1, view.width) - max(x0, 0) > 1 and min(y1, view.height) - max(y0, 0) > 1


def _covered(row: Instruction, ref: ImageRef, painted: Sequence[Box]) -> Instruction:
    """The row with a flag where something was painted over that one of its regions is about."""
    if ref not in row.images:
        return row
    flags = [*row.flags, MASKED.code]
    width, height = ref.view.width, ref.view.height
    for place in row.regions:
        if place.image_index < len(row.images) and row.images[place.image_index] == ref:
            x0, y0, x1, y1 = place.box
            mine = x0 * width, y0 * height, x1 * width, y1 * height
            if any(mine[0] < c and a < mine[2] and mine[1] < d and b < mine[3] for a, b, c, d in painted):
                flags.append("burned_in_mask_on_region")
    return replace(row, flags=tuple(dict.fromkeys(flags)))


def _refuse(work: Work, ref: ImageRef, found: Finding) -> None:
    drop = Drop(Status.QUARANTINED, "gate", found.code, found.detail)
    for row in [row for row in work.rows if ref in row.images]:
        work.refuse(row, drop)
    work.pictures.pop(ref, None)
    if not work.rows:
        work.dropped = drop
