"""LIDC-IDRI: CT series in DICOM, and beside each an XML with the nodules that up to four radiologists outlined."""

from dataclasses import replace
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from readers.base import Item, Recognition, Refusal
from readers.dicom_seg import SegmentMask
from readers.dicom_series import DicomSeries, SeriesOptions
from readers.lidc_xml import WORD, Nodule, nodule_mask, read_lidc, series_of
from readers.observers import Agreement, needed
from readers.pixels.dicom_file import number
from readers.pixels.dicom_stack import Stack
from readers.source import Source
from readers.survey import survey
from schemas.case import Case
from schemas.findings import Finding, Severity
from schemas.masks import Mask

Drawn = dict[int, Mask]
"""Index in the stack -> where the nodule is on that slice."""


class LidcOptions(SeriesOptions):
    """Options of ``lidc``."""

    agreement: Agreement = "majority"
    """Outlines that share a pixel are one nodule.  ``majority``: the pixels that more than half of the file's sessions
    outlined; ``apart`` keeps every radiologist's own."""


class Lidc(DicomSeries):
    """One case per CT, its regions the nodules of 3 mm and more; smaller ones and non-nodules are counted in a note."""

    name: ClassVar[str] = "lidc"
    Options: ClassVar[type[LidcOptions]] = LidcOptions
    _options: LidcOptions

    def _sort(self, path: str, series: dict[str, Any]) -> Refusal | None:
        if path.lower().endswith(".xml") and (uid := series_of(self._source, path)):
            return self._refer(path, [uid], series, "marks")
        return super()._sort(path, series)

    def read(self, item: Item) -> Case:
        """See `DicomSeries.read`; of ``apart`` outlines nothing can be counted."""
        case = super().read(item)
        return replace(case, complete_regions=False) if self._options.agreement == "apart" else case

    def _marks(self, paths: list[str], ordered: Stack) -> tuple[list[SegmentMask], list[Finding]]:
        found: list[SegmentMask] = []
        noted: list[Finding] = []
        for path in paths:
            reading = read_lidc(self._source, path)
            drawn = [(each.reader, _drawn(each, ordered)) for each in reading.nodules]
            apart = self._options.agreement == "apart"
            for same in [[place] for place in range(len(drawn))] if apart else _same(drawn):
                votes = self._agreed([drawn[place] for place in same], reading.readers)
                segment = len({mark.segment for mark in found}) + 1
                found += [SegmentMask(index, segment, (WORD,), mask) for index, mask in sorted(votes.items())]
            if reading.points:
                detail = f"{reading.points} marks of nodules under 3 mm are points and are left out"
                noted.append(Finding("small_nodules", detail, Severity.NOTE))
        return found, noted

    def _agreed(self, nodules: list[tuple[int, Drawn]], readers: int) -> Drawn:
        """Of the outlines of one nodule, slice by slice, the pixels on which enough radiologists agree."""
        each: dict[int, dict[int, Mask]] = {}
        for reader, drawn in nodules:
            for index, mask in drawn.items():
                own = each.setdefault(index, {})
                own[reader] = own[reader] | mask if reader in own else mask
        enough = needed(self._options.agreement, readers)
        votes = {index: np.sum([mask.astype(np.uint8) for mask in own.values()], axis=0) for index, own in each.items()}
        return {index: count >= enough for index, count in votes.items() if (count >= enough).any()}

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """XML files that are LIDC readings, beside DICOM."""
        xmls = [path for path in survey(source) if path.lower().endswith(".xml")][:20]
        known = [path for path in xmls if series_of(source, path)]
        if not known:
            return None
        why = f"{len(known)} XML files are readings of LIDC-IDRI, each naming its CT series"
        options = {"slices": {"policy": "around_region", "count": 3}}
        hints = {"modality": "CT", "anatomy": "lung", "group": "PatientID", "label_kind": "multi_label"}
        return Recognition(0.99, why, options, (WORD,), hints, {WORD: "lung nodule"})


def _drawn(nodule: Nodule, ordered: Stack) -> Drawn:
    found: Drawn = {}
    for index, mine in enumerate(ordered.slices):
        if mine.uid in nodule.outlines:
            size = (int(number(mine.header, "Rows", 0)), int(number(mine.header, "Columns", 0)))
            mask = nodule_mask(nodule, mine.uid, size)
            if mask.any():
                found[index] = mask
    return found


def _same(drawn: list[tuple[int, Drawn]]) -> list[list[int]]:
    """Which outlines are of one nodule: those that share a pixel, directly or through others."""
    groups: list[list[int]] = []
    for place, (_, mine) in enumerate(drawn):
        kin = [group for group in groups if any(_touch(mine, drawn[other][1]) for other in group)]
        groups = [group for group in groups if group not in kin] + [sorted([place, *chain(*kin)])]
    return sorted(groups)


def _touch(one: Drawn, other: Drawn) -> bool:
    return any((mask & other[index]).any() for index, mask in one.items() if index in other)
