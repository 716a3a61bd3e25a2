"""Boxes and run-length masks that stand in columns."""

from typing import Any

import numpy as np

from readers.boxes import box_region
from readers.labels import LabelMap
from readers.records import Record, words
from readers.table_options import Boxes, Runs, TableOptions
from schemas.case import Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.masks import Mask, mask_region
from schemas.view import Box, View

Made = tuple[list[Region], list[Finding]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


def regions_of(record: Record, options: TableOptions, labels: LabelMap, view: View, index: int) -> Made:
    """The record's regions on the image ``index`` that is shown by ``view``, and what was wrong with them."""
    regions: list[Region] = []
    findings: list[Finding] = []
    if options.boxes is not None:
        made, notes = _box(record, options.boxes, labels, view, index)
        regions, findings = regions + made, findings + notes
    if options.runs is not None:
        regions += _runs(record, options.runs, labels, view, index)
    return regions, findings


def _box(record: Record, columns: Boxes, labels: LabelMap, view: View, index: int) -> Made:
    numbers = [words(record.fields.get(name)) for name in (columns.x, columns.y)]
    if not all(numbers):
        return [], []  # a record without a box says that there is no object
    word = columns.word or words(record.fields.get(columns.label))
    name = labels.canonical(word)
    if name is None:
        return [], []
    return box_region(
        _edges(record, columns, view),
        view,
        name,
        word,
        index,
        words(record.fields.get(columns.instance or columns.observer)),
        f"record {record.line}",
    )


def _edges(record: Record, columns: Boxes, view: View) -> Box:
    def number(column: str) -> float:
        text = words(record.fields.get(column))
        try:
            return float(text)
        except ValueError:
            raise CaseError("bad_box", f"record {record.line}: the column {column!r} holds no number") from None

    x, y = number(columns.x), number(columns.y)
    if columns.width:
        width, height = number(columns.width), number(columns.height)
        if columns.centre:
            x, y = x - width / 2, y - height / 2
        x2, y2 = x + width, y + height
    else:
        x2, y2 = number(columns.x2), number(columns.y2)
    if columns.one_based:
        x, y = x - 1, y - 1
    if columns.normalised:
        wide, high = view.source_width, view.source_height
        return x * wide, y * high, x2 * wide, y2 * high
    return x, y, x2, y2


def _runs(record: Record, columns: Runs, labels: LabelMap, view: View, index: int) -> list[Region]:
    text = words(record.fields.get(columns.column))
    if text in columns.empty:
        return []
    word = columns.word or words(record.fields.get(columns.label))
    name = labels.canonical(word)
    if name is None:
        return []
    mask = runs_mask(text, view.source_width, view.source_height, columns)
    region = mask_region(mask, name, word, index)
    return [region] if region is not None else []


def runs_mask(text: str, width: int, height: int, columns: Runs) -> Mask:
    """The ``(height, width)`` mask of run lengths in text; `CaseError` ``bad_mask`` where they leave the image."""
    try:
        numbers = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise CaseError("bad_mask", "a run-length mask holds something that is no number") from None
    if numbers.size % 2 or (numbers < 0).any():
        raise CaseError("bad_mask", "a run-length mask is no list of pairs of a start and a length")
    starts, lengths = numbers[::2], numbers[1::2]
    starts = _absolute(starts, lengths) if columns.relative else starts - 1
    ends = starts + lengths
    if (starts < 0).any() or (ends > width * height).any():
        raise CaseError("bad_mask", "a run-length mask leaves its image; check its size and the order of its runs")
    flat = np.zeros(width * height + 1, dtype=np.int32)
    np.add.at(flat, starts, 1)
    np.add.at(flat, ends, -1)
    inside = np.cumsum(flat[:-1]) > 0
    return inside.reshape(height, width) if columns.row_major else inside.reshape(width, height).T


def _absolute(gaps: Numbers, lengths: Numbers) -> Numbers:
    """Starts out of gaps, each counted from the end of the run before."""
    done = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return np.asarray(np.cumsum(gaps) + done, dtype=np.int64)
