"""From a DICOM header to the view of one of its frames: geometry for display, rescale, window, inversion."""

import math
from dataclasses import replace
from typing import Literal

from pydicom.dataset import Dataset

from readers.pixels.dicom_file import items, number, numbers, word, words
from readers.pixels.orientation import Direction, dot, hung, square_pixels
from readers.pixels.window import PRESETS, Window, for_anatomy
from schemas.errors import CaseError
from schemas.view import View

WindowChoice = Literal["auto", "file", "percentile"] | str | tuple[float, float]
"""``auto``: the file's own, else a preset for CT, else percentiles; ``file``; ``percentile``; a preset's name; or
(centre, width) in modality units."""

TO_BE_MEASURED = "percentile"
"""Window kind with a width of 0: the renderer's caller has to look at pixels (`readers.pixels.dicom.measured`)."""

Plane = tuple[Direction, Direction, Direction]
"""Position of the first pixel's centre, direction of rising columns, direction of rising rows; millimetres, LPS."""


def frame_groups(dataset: Dataset, frame: int) -> list[Dataset]:
    """Where attributes of a frame may stand, nearest first: its own functional groups, the shared ones, the file."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    own = [per_frame[max(frame, 0)]] if max(frame, 0) < len(per_frame) else []
    return [*own, *items(dataset, "SharedFunctionalGroupsSequence")[:1], dataset]


def macro(groups: list[Dataset], sequence: str, *keywords: str) -> Dataset:
    """The first item of the functional group ``sequence``, or the file itself where it holds the ``keywords``."""
    for group in groups[:-1]:
        found = items(group, sequence)
        if found:
            return found[0]
    return groups[-1]


def plane_geometry(dataset: Dataset, frame: int = -1) -> Plane | None:
    """Place and directions of a frame in the patient; None where the header does not (or nonsensically) say."""
    groups = frame_groups(dataset, frame)
    position = numbers(macro(groups, "PlanePositionSequence"), "ImagePositionPatient")
    cosines = numbers(macro(groups, "PlaneOrientationSequence"), "ImageOrientationPatient")
    if len(position) != 3 or len(cosines) != 6:
        return None
    u, v = _triple(cosines[:3]), _triple(cosines[3:])
    if abs(math.hypot(*u) - 1) > 0.05 or abs(math.hypot(*v) - 1) > 0.05 or abs(dot(u, v)) > 0.05:
        return None
    return _triple(position), u, v


def _triple(values: tuple[float, ...]) -> Direction:
    return values[0], values[1], values[2]


def pixel_spacing(dataset: Dataset, frame: int = -1) -> tuple[float, float]:
    """Millimetres per pixel along columns (u) and rows (v); at the detector for radiographs; 0 where unknown."""
    groups = frame_groups(dataset, frame)
    measures = macro(groups, "PixelMeasuresSequence")
    for holder, keyword in (
        (measures, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
    ):
        found = numbers(holder, keyword)
        if len(found) == 2 and min(found) > 0:
            return found[1], found[0]
    return _ultrasound_spacing(dataset)


def _ultrasound_spacing(dataset: Dataset) -> tuple[float, float]:
    regions = items(dataset, "SequenceOfUltrasoundRegions")
    centimetres = 3
    if len(regions) != 1 or number(regions[0], "PhysicalUnitsXDirection", 0) != centimetres:
        return 0.0, 0.0
    across, down = (abs(number(regions[0], f"PhysicalDelta{axis}", 0)) * 10 for axis in "XY")
    return (across, down) if across > 0 and down > 0 else (0.0, 0.0)


def dicom_view(dataset: Dataset, frame: int = -1, window: WindowChoice = "auto", anatomy: str = "") -> View:
    """The view of one frame, turned for display, with square pixels.

    Where neither file nor choice fix a window, ``window`` is ``percentile`` with a width of 0; then
    `readers.pixels.dicom.measured` fills it in.  Raises `CaseError` ``not_an_image`` without rows and columns,
    ``bad_rescale`` where slope or intercept cannot be read.
    """
    columns, rows = int(number(dataset, "Columns", 0)), int(number(dataset, "Rows", 0))
    if columns < 1 or rows < 1:
        raise CaseError("not_an_image", f"a {word(dataset, 'Modality') or 'DICOM'} object without rows and columns")
    several = number(dataset, "NumberOfFrames", 1) > 1
    view = View(columns, rows, columns, rows, frame=max(frame, 0) if several else -1)
    return _with_grey_scale(_turned(view, dataset, frame), dataset, frame, window, anatomy)


def _turned(view: View, dataset: Dataset, frame: int) -> View:
    spacing, plane = pixel_spacing(dataset, frame), plane_geometry(dataset, frame)
    if plane is not None:
        return square_pixels(hung(view, plane[1], plane[2], spacing))
    ratio = numbers(dataset, "PixelAspectRatio")
    if spacing == (0.0, 0.0) and len(ratio) == 2 and min(ratio) > 0:
        return replace(square_pixels(replace(view, spacing=(ratio[1], ratio[0]))), spacing=(0.0, 0.0))
    return square_pixels(_projection(replace(view, spacing=spacing), words(dataset, "PatientOrientation")))


def _projection(view: View, said: tuple[str, ...]) -> View:
    """A radiograph: mirrored where its header says that it hangs the other way round than a frontal film does."""
    letters = "".join({"H": "S", "F": "I"}.get(part[:1], part[:1]) for part in said) if len(said) == 2 else ""
    if len(letters) != 2 or any(name not in "LRAPSI" for name in letters):
        return view
    a, c = (-1.0, float(view.source_width)) if letters == "RI" or letters == "RS" else (1.0, 0.0)
    e, f = (-1.0, float(view.source_height)) if letters[1] == "S" and letters[0] in "LRAP" else (1.0, 0.0)
    orientation = ("L" if a < 0 else letters[0]) + ("I" if e < 0 else letters[1])
    return replace(view, matrix=(a, 0.0, c, 0.0, e, f), orientation=orientation)


def _with_grey_scale(view: View, dataset: Dataset, frame: int, choice: WindowChoice, anatomy: str) -> View:
    photometric = word(dataset, "PhotometricInterpretation")
    if number(dataset, "SamplesPerPixel", 1) > 1 or photometric == "PALETTE COLOR":
        return view
    groups = frame_groups(dataset, frame)
    values = macro(groups, "PixelValueTransformationSequence")
    slope, intercept = _stated(values, "RescaleSlope", 1.0), _stated(values, "RescaleIntercept", 0.0)
    found = _window(dataset, groups, choice, anatomy)
    inverted = photometric == "MONOCHROME1" or word(dataset, "PresentationLUTShape") == "INVERSE"
    return replace(
        view,
        slope=slope or 1.0,
        intercept=intercept,
        window=found.kind,
        window_center=found.center,
        window_width=found.width,
        invert=inverted,
    )


def _stated(values: Dataset, keyword: str, default: float) -> float:
    """A number that the grey scale hangs on: `CaseError` ``bad_rescale`` where one is stated that cannot be read."""
    found = numbers(values, keyword)
    if not found and words(values, keyword):
        raise CaseError("bad_rescale", f"{keyword} of the file is no number, so nobody knows what its values mean")
    return found[0] if found else default


def _window(dataset: Dataset, groups: list[Dataset], choice: WindowChoice, anatomy: str) -> Window:
    if not isinstance(choice, str):
        return Window("linear", choice[0], choice[1])
    if choice in PRESETS:
        return PRESETS[choice]
    if choice == "percentile":
        return Window(TO_BE_MEASURED, 0.0, 0.0)
    own = file_window(dataset, groups)
    if own is not None:
        return own
    if choice == "auto" and word(dataset, "Modality") == "CT":
        return for_anatomy(anatomy)
    eight_bits = number(dataset, "BitsStored", 16) == 8 and number(dataset, "PixelRepresentation", 0) == 0
    plain = number(groups[-1], "RescaleSlope", 1.0) == 1 and number(groups[-1], "RescaleIntercept", 0.0) == 0
    return Window("none", 0.0, 0.0) if eight_bits and plain else Window(TO_BE_MEASURED, 0.0, 0.0)


def file_window(dataset: Dataset, groups: list[Dataset]) -> Window | None:
    """The first VOI LUT or window that the header states and that makes sense; None where there is none."""
    holder = macro(groups, "FrameVOILUTSequence")
    if items(dataset, "VOILUTSequence"):
        return Window("lut", 0.0, 0.0)
    centers, widths = numbers(holder, "WindowCenter"), numbers(holder, "WindowWidth")
    kind = {"LINEAR_EXACT": "linear_exact", "SIGMOID": "sigmoid"}.get(word(holder, "VOILUTFunction"), "linear")
    for center, width in zip(centers, widths, strict=False):
        if width >= 1 or (width > 0 and kind != "linear"):
            return Window(kind, center, width)
    return None
