"""DICOM series in a folder of anything: one case per series, slices in order of their place in the patient."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from pydicom.dataset import Dataset

from readers.base import Item, Recognition, Refusal
from readers.dicom_facts import acquisition, demographics, identifiers
from readers.dicom_rtstruct import contour_masks, referenced_series, roi_names
from readers.dicom_seg import SegmentMask, segment_masks, segment_words
from readers.dicom_sr import EVIDENCE, Drawn, Report, evidence_series, read_report
from readers.grouping import group_of
from readers.labels import LabelMap
from readers.montages import pictures
from readers.pixels.dicom import image_refs, stack_slices
from readers.pixels.dicom_file import items, number, open_dicom, read_header, word
from readers.pixels.dicom_overlays import OverlayChoice
from readers.pixels.dicom_stack import Slice, Stack, stack
from readers.slices import StackOptions, choose
from readers.source import Source, printable
from schemas.case import Case, Region, RegionKind, Text
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.identity import digest
from schemas.masks import mask_region
from schemas.spec import DatasetSpec
from schemas.taxonomy import canonical, modality_of_dicom

_LISTED = [
    "SeriesInstanceUID", "Modality", "Rows", "Columns", "ReferencedSeriesSequence",
    "ReferencedFrameOfReferenceSequence", *EVIDENCE,
]  # fmt: skip
_LOOK_AT = 200
_DICOMDIR = "1.2.840.10008.1.3.10"
_GROUP_FIELDS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "AccessionNumber")
_MARKS_READ = 20
"""Segmentations or structure sets whose labels are read for a draft."""
_MARKS = {"SEG": "seg", "RTSTRUCT": "rtstruct"}


class SeriesOptions(StackOptions):
    """How series are found and cut."""

    include: str = "*"
    """Glob over paths; other files are passed by unseen."""
    labels: Literal["none", "seg", "rtstruct"] = "none"
    """``seg``: regions from DICOM-SEG files that refer to the series; ``rtstruct``: from structure sets."""
    reports: bool = False
    """Read structured reports and key object selections that refer to the series: measurements become texts, drawn
    regions become regions, and ``slices.policy: key`` shows the slices that they point at."""
    overlays: OverlayChoice = "leave_out"
    """Overlay planes (60xx): ``leave_out``, named in a finding; ``draw``: in white, after the window.  They may
    hold names: turn the gate ``burned_in`` on with it."""
    min_slices: int = 1
    """Series of fewer images (localisers) are filtered out."""


@dataclass(slots=True)
class _Series:
    files: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


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
        missing: list[str] = []
        for uid in sorted(series):
            found = series[uid]
            if found.files:
                yield Item(self._key(uid), {"files": found.files, "marks": found.marks, "reports": found.reports})
            else:
                missing += [*found.marks, *found.reports]
        used = {path for found in series.values() if found.files for path in (*found.marks, *found.reports)}
        for path in sorted(set(missing) - used):
            yield Refusal(printable(path), "series_missing", "it refers to a series that is not here", "filtered")

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
            return self._refer(path, [*uids, *referenced_series(header)], series, "marks")
        if modality in ("SR", "KO") and self._options.reports:
            return self._refer(path, evidence_series(header), series, "reports")
        if not number(header, "Rows", 0) or modality == "SEG":
            return _no_image(path, header)
        uid = word(header, "SeriesInstanceUID") or f"file:{path}"
        series.setdefault(uid, _Series()).files.append(path)
        return None

    @staticmethod
    def _refer(path: str, uids: list[str], series: dict[str, _Series], what: str) -> Refusal | None:
        named = list(dict.fromkeys(filter(None, uids)))
        for uid in named:
            getattr(series.setdefault(uid, _Series()), what).append(path)
        return None if named else Refusal(printable(path), "no_reference", "it names no series", "filtered")

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
        reports = [read_report(self._source, path) for path in item.data["reports"]]
        place = {(mine.uid, mine.frame): index for index, mine in enumerate(ordered.slices)}
        keys = [place[key] for report in reports for key in report.key_images if key in place]
        chosen = choose(self._options.slices, len(ordered.slices), ordered.spacing, areas, keys)
        slices = [ordered.slices[index] for index in chosen]
        options = self._options
        images = image_refs(self._source, slices, options.window, self._spec.anatomy, options.overlays)
        shown = {index: image for image, index in enumerate(chosen)}
        header = ordered.slices[chosen[0]].header
        marked = [*self._regions(found, shown), *self._drawn(reports, place, shown)]
        together, regions = pictures(self._options.slices, list(images), marked, 0)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {name: word(header, name) for name in _GROUP_FIELDS}),
            split="",
            images=tuple(together),
            regions=tuple(regions),
            texts=tuple(Text("findings", said, title="Measurements") for one in reports for said in one.sentences),
            complete_regions=bool(item.data["marks"]),
            acquisition=acquisition(header, images[0].view.orientation),
            demographics=demographics(header),
            identifiers=identifiers(header),
            series=tuple(dict.fromkeys(mine.path for mine in ordered.slices)),
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
        ordered = stack(slices, self._options.overlays)
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

    def _drawn(self, reports: list[Report], place: dict[tuple[str, int], int], shown: dict[int, int]) -> list[Region]:
        """What reports draw on the slices that are shown."""
        regions = []
        for drawn in [one for report in reports for one in report.drawn]:
            label = self._labels.canonical(drawn.finding)
            image = shown.get(place.get((drawn.sop_uid, drawn.frame), -1))
            if label is not None and image is not None:
                regions.append(_region(drawn, label, image))
        return regions

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """DICOM by content among the first two hundred files; segmentations and structure sets name the labels."""
        paths = list(islice(source.walk(), _LOOK_AT))
        headers = list(_headers(source, paths))
        images = [header for _, header in headers if number(header, "Rows", 0) and word(header, "Modality") != "SEG"]
        if not headers:
            return None
        marks: dict[str, list[str]] = {}
        for path, header in headers:
            marks.setdefault(word(header, "Modality"), []).append(path)
        kind = next((kind for kind in _MARKS if kind in marks), "")
        # Each patient's may name other structures.
        found = [_label_words(source, path) for path in marks[kind][:_MARKS_READ]] if kind and images else []
        words = tuple(dict.fromkeys(name for names in found for name in names))
        options: dict[str, Any] = {"labels": _MARKS[kind]} if words else {}
        if words:
            options["slices"] = {"policy": "around_region", "count": 3}
        why = f"{len(headers)} of the first {len(paths)} files are DICOM by content"
        hints = _hints(images[0]) if images else {}
        return Recognition(0.5 + 0.45 * len(headers) / len(paths), why, options, words, hints)


def _headers(source: Source, paths: list[str]) -> Iterator[tuple[str, Dataset]]:
    for path in paths:
        try:
            yield path, read_header(source, path, ["Modality", "BodyPartExamined", "Rows"])
        except CaseError:
            continue


def _label_words(source: Source, path: str) -> tuple[str, ...]:
    try:
        dataset = open_dicom(source, path).dataset
    except CaseError:
        return ()
    segments = [names[0] for names in segment_words(dataset).values() if names]
    return tuple(dict.fromkeys([*segments, *filter(None, roi_names(dataset).values())]))


def _region(drawn: Drawn, label: str, image: int) -> Region:
    u, v = drawn.points[::2], drawn.points[1::2]
    kind: RegionKind = "point" if drawn.kind == "point" else "contour"
    twice = sum(u[i - 1] * v[i] - u[i] * v[i - 1] for i in range(len(u)))
    box = min(u), min(v), max(u), max(v)
    return Region(label, drawn.finding, kind, image, box, points=drawn.points, area=abs(twice) / 2)


def _no_image(path: str, header: Dataset) -> Refusal:
    if getattr(header, "file_meta", {}).get("MediaStorageSOPClassUID") == _DICOMDIR:
        return Refusal(printable(path), "dicomdir", "an index of DICOM files, which are read themselves", "filtered")
    kind = word(header, "Modality") or "DICOM"
    return Refusal(printable(path), "not_an_image", f"a {kind} object, not an image series", "filtered")


def _hints(header: Dataset) -> dict[str, str]:
    part = word(header, "BodyPartExamined")
    modality = modality_of_dicom(word(header, "Modality")) or ""
    return {"modality": modality, "anatomy": canonical("anatomy", part) or "", "group": "PatientID"}
