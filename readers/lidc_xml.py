"""Nodules as LIDC-IDRI's radiologists outlined them: one XML a CT, one session a radiologist."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from readers.source import Source
from readers.voc import XML_LIMIT, parse
from schemas.errors import CaseError
from schemas.masks import Mask, polygon_mask

WORD = "nodule"
"""The label word of every outlined nodule; those under 3 mm have a point and no outline."""


@dataclass(frozen=True, slots=True)
class Nodule:
    """One nodule as one radiologist saw it."""

    reader: int
    """Place of the session in the file: the same person need not have the same place in another file."""
    outlines: dict[str, list[tuple[bool, tuple[float, ...]]]]
    """SOP instance UID -> outlines on that slice: whether it adds (or cuts a hole), and its pixels x y x y ..."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one XML says."""

    series: str
    """Series instance UID of the CT."""
    readers: int
    nodules: tuple[Nodule, ...]
    points: int
    """Nodules under 3 mm, marked by a point alone."""


def series_of(source: Source, path: str) -> str:
    """The series that an XML is about; empty where it is no LIDC reading."""
    try:
        root = parse(source.read_bytes(path, XML_LIMIT))
    except CaseError:
        return ""
    return _text(root, "SeriesInstanceUid") if _name(root) == "LidcReadMessage" else ""


def read_lidc(source: Source, path: str) -> Reading:
    """The reading in the XML at ``path``; `CaseError` ``bad_outline`` where a coordinate is no number."""
    root = parse(source.read_bytes(path, XML_LIMIT))
    sessions = [each for each in root.iter() if _name(each) == "readingSession"]
    nodules: list[Nodule] = []
    points = 0
    for number, session in enumerate(sessions):
        for marked in (each for each in session if _name(each) == "unblindedReadNodule"):
            outlines = _outlines(marked)
            if any(len(pixels) > 2 for drawn in outlines.values() for _, pixels in drawn):
                nodules.append(Nodule(number, outlines))
            else:
                points += 1
    return Reading(_text(root, "SeriesInstanceUid"), len(sessions), tuple(nodules), points)


def nodule_mask(nodule: Nodule, uid: str, size: tuple[int, int]) -> Mask:
    """The nodule on one slice, ``(height, width)``, without its outline.

    The outline runs over the first pixels outside the nodule (the LIDC collection's own description).
    """
    mask = np.zeros(size, dtype=bool)
    for adds, pixels in nodule.outlines.get(uid, ()):
        inside = polygon_mask([[edge + 0.5 for edge in pixels]], size)
        for x, y in zip(pixels[::2], pixels[1::2], strict=True):
            if 0 <= x < size[1] and 0 <= y < size[0]:
                inside[int(y), int(x)] = False
        mask = mask | inside if adds else mask & ~inside
    return mask


def _outlines(marked: Element) -> dict[str, list[tuple[bool, tuple[float, ...]]]]:
    found: dict[str, list[tuple[bool, tuple[float, ...]]]] = {}
    for roi in (each for each in marked if _name(each) == "roi"):
        edges = [each for each in roi if _name(each) == "edgeMap"]
        try:
            pixels = tuple(float(_text(edge, axis)) for edge in edges for axis in ("xCoord", "yCoord"))
        except ValueError:
            raise CaseError("bad_outline", "an outline of the reading holds a coordinate that is no number") from None
        adds = _text(roi, "inclusion").upper() != "FALSE"
        found.setdefault(_text(roi, "imageSOP_UID"), []).append((adds, pixels))
    # What is added goes before what is cut out.
    return {uid: sorted(drawn, key=lambda each: not each[0]) for uid, drawn in found.items()}


def _name(element: Element) -> str:
    """The tag without its namespace, which differs between files."""
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    return next(((each.text or "").strip() for each in element.iter() if _name(each) == name), "")
