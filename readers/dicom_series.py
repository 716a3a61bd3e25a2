"""DICOM series in a folder of anything: one case per series, slices in order of their place in the patient."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from pydicom.dataset import Dataset

from readers.base import Item, Recognition, Refusal
from readers.dicom_rtstruct import contour_masks, referenced_series
from readers.dicom_seg import SegmentMask, segment_masks
from readers.grouping import group_of
from readers.labels import LabelMap
from readers.pixels.dicom import image_refs, stack_slices
from readers.pixels.dicom_file import items, number, read_header, word
from readers.pixels.dicom_stack import Slice, Stack, stack
from readers.pixels.orientation import plane_from_letters
from readers.pixels.sniff import sniff
from readers.slices import StackOptions, choose
from readers.source import Source, printable
from schemas.case import Acquisition, Case, Demographics, Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.identity import digest
from schemas.masks import mask_region
from schemas.spec import DatasetSpec
from schemas.taxonomy import canonical, modality_of_dicom

_LISTED = [
    "SeriesInstanceUID",
    "Modality",
    "Rows",
    "Columns",
    "ReferencedSeriesSequence",
    "ReferencedFrameOfReferenceSequence",
]
_GROUP_FIELDS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "AccessionNumber")
_MARKS = {"SEG": "seg", "RTSTRUCT": "rtstruct"}


class SeriesOptions(StackOptions):
    """How series are found and cut."""

    include: str = "*"
    """Glob over paths; other files are passed by unseen."""
    labels: Literal["none", "seg", "rtstruct"] = "none"
    """``seg``: regions from DICOM-SEG files that refer to the series; ``rtstruct``: from structure sets."""
    min_slices: int = 1
    """Series of fewer images (localisers) are filtered out."""


@dataclass(slots=True)
class _Series:
    files: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)


class DicomSeries:
    """Reads series; the key is the series instance UID, hashed unless access is open.

    ``group.field`` of the spec may be PatientID, StudyInstanceUID, FrameOfReferenceUID or AccessionNumber.
    """

    name: ClassVar[str] = "dicom_series"
    Options: ClassVar[type[SeriesOptions]] = SeriesOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: SeriesOptions) -> None:
        self._spec, self._source, self._options = spec, source, options
        self._labels = LabelMap(spec)

    def items(self) -> Iterator[Item | Refusal]:
        """One item per series, in order of UID; files that belong to none come first, each refused by name."""
        series: dict[str, _Series] = {}
        for path in self._source.walk():
            if not PurePosixPath(path).match(self._options.include):
                continue
            refusal = self._sort(path, series)
            if refusal is not None:
                yield refusal
        for uid in sorted(series):
            found = series[uid]
            if found.files:
                yield Item(self._key(uid), {"files": found.files, "marks": found.marks})
            else:
                yield from (
                    Refusal(printable(path), "series_missing", "it refers to a series that is not here", "filtered")
                    for path in found.marks
                )

    def _sort(self, path: str, series: dict[str, _Series]) -> Refusal | None:
        """Put a file to its series; a refusal where it has none."""
        try:
            header = read_header(self._source, path, _LISTED)
        except CaseError as error:
            status = "filtered" if error.code == "not_dicom" and not path.lower().endswith(".dcm") else error.status
            return Refusal(printable(path), error.code, error.detail, status)
        modality = word(header, "Modality")
        if _MARKS.get(modality) == self._options.labels:
            uids = [word(item, "SeriesInstanceUID") for item in items(header, "ReferencedSeriesSequence")]
            uids += referenced_series(header)
            for uid in dict.fromkeys(filter(None, uids)):
                series.setdefault(uid, _Series()).marks.append(path)
            return None if any(uids) else Refusal(printable(path), "no_reference", "it names no series", "filtered")
        if not number(header, "Rows", 0) or modality == "SEG":
            kind = modality or "DICOM"
            return Refusal(printable(path), "not_an_image", f"a {kind} object, not an image series", "filtered")
        uid = word(header, "SeriesInstanceUID") or f"file:{path}"
        series.setdefault(uid, _Series()).files.append(path)
        return None

    def _key(self, uid: str) -> str:
        if uid.startswith("file:"):
            return printable(uid.removeprefix("file:"))
        return uid if self._spec.access == "open" else digest("series", uid)

    def read(self, item: Item) -> Case:
        """One series; raises `CaseError` where no slice of it can be used."""
        ordered, findings = self._stack(item.data["files"])
        found, noted = self._marks(item.data["marks"], ordered)
        areas = [0.0] * len(ordered.slices)
        for mark in found:
            areas[mark.slice] += float(mark.mask.sum())
        if len(ordered.slices) < self._options.min_slices:
            raise CaseError("too_few_slices", f"the series has only {len(ordered.slices)} images", "filtered")
        chosen = choose(self._options.slices, len(ordered.slices), ordered.spacing, areas)
        slices = [ordered.slices[index] for index in chosen]
        images = image_refs(self._source, slices, self._options.window, self._spec.anatomy)
        header = ordered.slices[chosen[0]].header
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {name: word(header, name) for name in _GROUP_FIELDS}),
            split="",
            images=images,
            regions=self._regions(found, {index: image for image, index in enumerate(chosen)}),
            acquisition=acquisition(header, images[0].view.orientation),
            demographics=demographics(header),
            findings=(*findings, *noted),
        )

    def _stack(self, paths: list[str]) -> tuple[Stack, tuple[Finding, ...]]:
        """All readable files of the series in order; unreadable ones become a finding."""
        slices: list[Slice] = []
        broken: list[CaseError] = []
        for path in paths:
            try:
                slices += stack_slices(path, read_header(self._source, path))
            except CaseError as error:
                broken.append(error)
        if not slices:
            raise broken[0]
        ordered = stack(slices)
        lost = (Finding("unreadable_slice", f"{len(broken)} files of the series cannot be read"),) if broken else ()
        return ordered, (*ordered.findings, *lost)

    def _marks(self, paths: list[str], ordered: Stack) -> tuple[list[SegmentMask], list[Finding]]:
        found: list[SegmentMask] = []
        noted: list[Finding] = []
        for path in paths:
            if self._options.labels == "rtstruct":
                masks, findings = contour_masks(self._source, path, ordered)
                found += masks
                noted += findings
            else:
                found += segment_masks(self._source, path, ordered)
        return found, noted

    def _regions(self, found: list[SegmentMask], shown: dict[int, int]) -> tuple[Region, ...]:
        regions = []
        for mark in found:
            known = next((name for name in mark.words if name in self._spec.labels), next(iter(mark.words), ""))
            label = self._labels.canonical(known)
            if label is None or mark.slice not in shown:
                continue
            region = mask_region(mark.mask, label, known, shown[mark.slice], str(mark.segment))
            regions += [region] if region is not None else []
        return tuple(sorted(regions, key=lambda region: (region.image_index, region.instance)))

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """DICOM by content among the first two hundred files."""
        seen = dicom = 0
        hints: dict[str, str] = {}
        for path in source.walk():
            seen += 1
            if seen > 200:
                break
            if sniff(source.head(path)) == "application/dicom":
                dicom += 1
                hints = hints or _hints(source, path)
        if not dicom:
            return None
        why = f"{dicom} of the first {min(seen, 200)} files are DICOM by content"
        return Recognition(0.5 + 0.45 * dicom / min(seen, 200), why, hints=hints)


def acquisition(header: Dataset, orientation: str = "") -> Acquisition:
    """What the header says about how the images were made, in the words of the taxonomy where it has one."""
    code = word(header, "Modality")
    sides = {"L": "left", "R": "right"}
    side = word(header, "ImageLaterality") or word(header, "Laterality")
    return Acquisition(
        modality=modality_of_dicom(code) or "",
        anatomy=canonical("anatomy", word(header, "BodyPartExamined")) or "",
        view=word(header, "ViewPosition"),
        plane=plane_from_letters(orientation) if code in ("CT", "MR", "PT", "NM") else "",
        laterality=sides.get(side, ""),
        contrast="contrast" if word(header, "ContrastBolusAgent") else "",
        manufacturer=word(header, "Manufacturer"),
    )


def demographics(header: Dataset) -> Demographics:
    """Sex and age as stated; an age of 90 and more is given as 90."""
    sexes: dict[str, Literal["female", "male", "other"]] = {"F": "female", "M": "male", "O": "other"}
    age, years = word(header, "PatientAge"), None
    parts = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
    if len(age) == 4 and age[:3].isdigit() and age[3] in parts:
        years = min(round(int(age[:3]) / parts[age[3]], 2), 90.0)
    found: Any = sexes.get(word(header, "PatientSex"), "")
    return replace(Demographics(), sex=found, age_years=years)


def _hints(source: Source, path: str) -> dict[str, str]:
    try:
        header = read_header(source, path, ["Modality", "BodyPartExamined"])
    except CaseError:
        return {}
    return {
        "modality": modality_of_dicom(word(header, "Modality")) or "",
        "anatomy": word(header, "BodyPartExamined").lower(),
    }
