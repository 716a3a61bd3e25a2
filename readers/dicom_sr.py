"""Structured reports and key object selections: measurements as sentences, regions, and the slices they point at."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from readers.pixels.dicom_file import items, number, numbers, open_dicom, word
from readers.source import Source

_CIRCLE_POINTS = 64
EVIDENCE = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
"""Where a report lists the objects that it is based on."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A region of a report on one image."""

    finding: str
    sop_uid: str
    frame: int
    """0-based, -1 for a single-frame image."""
    kind: str
    """``contour`` or ``point``."""
    points: tuple[float, ...]
    """``u v`` pairs; DICOM's origin, the corner of the first pixel, is that of `schemas.view`."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says about a series."""

    sentences: tuple[str, ...]
    """One per measurement group: finding, site, and its numbers with units as the report has them."""
    drawn: tuple[Drawn, ...]
    key_images: tuple[tuple[str, int], ...]
    """SOP instance UID and 0-based frame (-1) of images that the report points at outside its image library."""


def evidence_series(dataset: Dataset) -> list[str]:
    """Series instance UIDs that a report or key object selection refers to."""
    return [
        word(series, "SeriesInstanceUID")
        for keyword in EVIDENCE
        for study in items(dataset, keyword)
        for series in items(study, "ReferencedSeriesSequence")
        if word(series, "SeriesInstanceUID")
    ]


def read_report(source: Source, path: str) -> Report:
    """The report at ``path``; only codes and numbers are read, since free text may name a patient."""
    dataset = open_dicom(source, path).dataset
    groups = [item for item, _ in _walk(dataset, ()) if _concept(item) == "Measurement Group"]
    sentences = [sentence for sentence in map(_sentence, groups) if sentence]
    drawn = [region for group in groups for region in _drawn(group)]
    keys = [image for item, names in _walk(dataset, ()) if "Image Library" not in names for image in _images(item)]
    return Report(tuple(sentences), tuple(drawn), tuple(dict.fromkeys(keys)))


def _walk(dataset: Dataset, names: tuple[str, ...], depth: int = 0) -> Iterator[tuple[Dataset, tuple[str, ...]]]:
    """Every content item with the concept names of what it stands in."""
    if depth > 32:
        return
    for item in items(dataset, "ContentSequence"):
        yield item, names
        yield from _walk(item, (*names, _concept(item)), depth + 1)


def _concept(item: Dataset) -> str:
    return _meaning(item, "ConceptNameCodeSequence")


def _meaning(item: Dataset, sequence: str) -> str:
    codes = items(item, sequence)
    return word(codes[0], "CodeMeaning") if codes else ""


def _coded(group: Dataset, concept: str) -> str:
    found = (
        _meaning(item, "ConceptCodeSequence") for item in items(group, "ContentSequence") if _concept(item) == concept
    )
    return next(found, "")


def _sentence(group: Dataset) -> str:
    values = []
    for item in items(group, "ContentSequence"):
        measured = items(item, "MeasuredValueSequence")
        if word(item, "ValueType") != "NUM" or not measured or not numbers(measured[0], "NumericValue"):
            continue
        codes = items(measured[0], "MeasurementUnitsCodeSequence")
        unit = word(codes[0], "CodeValue").replace("{", "").replace("}", " ").strip() if codes else ""
        unit = "" if unit == "1" else unit
        name = " ".join(filter(None, (_concept(item), _coded(item, "Derivation").lower())))
        values.append(f"{name} {number(measured[0], 'NumericValue', 0):g} {unit}".rstrip())
    about = ", ".join(
        filter(None, (_coded(group, "Finding"), _coded(group, "Finding Site"), _coded(group, "Laterality")))
    )
    return f"{about}: {'; '.join(values)}." if about and values else ""


def _drawn(group: Dataset) -> Iterator[Drawn]:
    finding = _coded(group, "Finding")
    for item, _ in _walk(group, ()):
        points = numbers(item, "GraphicData") if word(item, "ValueType") == "SCOORD" else ()
        kind, outline = _outline(word(item, "GraphicType"), points)
        for uid, frame in [image for inner in items(item, "ContentSequence") for image in _images(inner)]:
            if outline:
                yield Drawn(finding, uid, frame, kind, outline)


def _outline(graphic: str, points: tuple[float, ...]) -> tuple[str, tuple[float, ...]]:
    if graphic == "POINT" and len(points) == 2:
        return "point", points
    if graphic == "POLYLINE" and len(points) >= 6 and len(points) % 2 == 0:
        closed = points[:2] == points[-2:]
        return "contour", points[:-2] if closed else points
    if graphic == "CIRCLE" and len(points) == 4:
        radius = math.dist(points[:2], points[2:])
        turns = [2 * math.pi * n / _CIRCLE_POINTS for n in range(_CIRCLE_POINTS)]
        rim = [(points[0] + radius * math.cos(turn), points[1] + radius * math.sin(turn)) for turn in turns]
        return "contour", tuple(value for point in rim for value in point)
    return "", ()


def _images(item: Dataset) -> list[tuple[str, int]]:
    """Images that a content item points at; segmentations and other objects name a segment or are no images."""
    if word(item, "ValueType") != "IMAGE":
        return []
    found = []
    for referred in items(item, "ReferencedSOPSequence"):
        if not numbers(referred, "ReferencedSegmentNumber"):
            frames = numbers(referred, "ReferencedFrameNumber") or (0,)
            found += [(word(referred, "ReferencedSOPInstanceUID"), int(frame) - 1) for frame in frames]
    return found
