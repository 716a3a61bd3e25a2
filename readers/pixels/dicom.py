"""DICOM frames to published pictures."""

from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from readers.pixels.dicom_file import DicomFile, number, numbers, open_dicom, word
from readers.pixels.dicom_frames import Stored, stored_frame
from readers.pixels.dicom_luts import modality_values, through_palette, through_voi_table
from readers.pixels.dicom_overlays import OverlayChoice, overlay_groups, with_overlays
from readers.pixels.dicom_stack import Slice, one_slice, stack
from readers.pixels.dicom_supplement import coloured, in_colours
from readers.pixels.dicom_view import WindowChoice, dicom_view
from readers.pixels.dicom_words import calibrated, words_prior
from readers.pixels.encode import encode_png
from readers.pixels.marks import draw
from readers.pixels.warp import warp
from readers.pixels.window import Pixels, Window, percentile, stored_percentile, to_eight_bits
from readers.slices import evenly
from readers.source import Source
from schemas.case import ImageRef
from schemas.findings import Finding, Severity
from schemas.rendered import Rendered
from schemas.view import View

_PERSONAL = (
    "PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "ReferringPhysicianName", "InstitutionName",
)  # fmt: skip
_LEFT_OUT = Finding("metadata_removed", "the header's names, numbers and dates were left out", Severity.NOTE)


def render_dicom(source: Source, ref: ImageRef) -> Rendered:
    """The picture that ``ref`` describes, as PNG.  Raises `CaseError` as `open_dicom` and `stored_frame` do."""
    file = open_dicom(source, ref.files[0])
    personal = any(word(file.header, keyword) for keyword in _PERSONAL)
    return encode_png(dicom_picture(source, ref), (file.sha256,), (_LEFT_OUT,) if personal else ())


def dicom_picture(source: Source, ref: ImageRef) -> Pixels:
    """The pixels that `render_dicom` publishes."""
    file = open_dicom(source, ref.files[0])
    frame = shown_frame(file, ref.view)
    frame = with_overlays(frame, file, ref.view.frame) if ref.view.overlays else frame
    return draw(warp(frame, ref.view), ref.marks)


def shown_frame(file: DicomFile, view: View) -> Pixels:
    """A frame on its own grid in 8 bits, ``(rows, columns)`` or ``(rows, columns, 3)``, by the view's grey scale."""
    stored = stored_frame(file, view.frame)
    dataset = file.header
    if stored.ndim == 3:
        return _colour(stored, int(number(dataset, "BitsStored", 8)))
    if word(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
        return through_palette(stored, dataset)
    grey = _grey(stored, file, view)
    where = coloured(stored, dataset, view.frame)
    return grey if where is None else in_colours(grey, stored, where, dataset)


def _grey(stored: Stored, file: DicomFile, view: View) -> Pixels:
    dataset = file.header
    padding = padding_mask(stored, file)
    modality = modality_values(stored, dataset)
    if view.window != "lut":
        return to_eight_bits(modality, view, padding)
    shown = through_voi_table(modality * view.slope + view.intercept, dataset, below_zero=view.intercept < 0)
    shown = np.subtract(255, shown) if view.invert else shown
    if padding is not None:
        shown[padding] = 0
    return shown


def padding_mask(stored: Stored, file: DicomFile) -> np.ndarray | None:
    """Where the scanner padded the frame (PixelPaddingValue and its range limit); None where nowhere."""
    values = numbers(file.header, "PixelPaddingValue")
    if not values or stored.dtype.kind == "f":
        return None
    bits = int(number(file.header, "BitsAllocated", 16))
    signed = stored.dtype.kind == "i"
    limits = [_as_stored(v, bits, signed) for v in (*values[:1], *numbers(file.header, "PixelPaddingRangeLimit")[:1])]
    mask = (stored >= min(limits)) & (stored <= max(limits)) if len(limits) > 1 else stored == limits[0]
    return mask if mask.any() else None


def _as_stored(value: float, bits: int, signed: bool) -> int:
    # Headers write a signed padding value as unsigned, and the other way round.
    whole = int(value)
    if signed and whole >= 1 << (bits - 1):
        return whole - (1 << bits)
    return whole + (1 << bits) if not signed and whole < 0 else whole


def stack_slices(path: str, header: Dataset) -> list[Slice]:
    """The slices of one file: itself, or each of its frames."""
    frames = max(int(number(header, "NumberOfFrames", 1)), 1)
    return [one_slice(path, header, frame) for frame in range(frames)] if frames > 1 else [one_slice(path, header)]


def dicom_refs(source: Source, path: str, count: int = 3) -> tuple[tuple[ImageRef, ...], tuple[Finding, ...]]:
    """Pictures of a single file with what is odd about it: itself, or ``count`` frames evenly spread over it."""
    # The pixels are wanted next: the file is parsed once, whole.
    ordered = stack(stack_slices(path, open_dicom(source, path).header))
    slices = [ordered.slices[index] for index in evenly(0, len(ordered.slices) - 1, count)]
    return image_refs(source, slices), ordered.findings


def image_refs(
    source: Source,
    slices: list[Slice],
    window: WindowChoice = "auto",
    anatomy: str = "",
    overlays: OverlayChoice = "leave_out",
) -> tuple[ImageRef, ...]:
    """References to the slices, turned for display, with one common percentile window where they have no other."""
    drawn = [overlays == "draw" and bool(overlay_groups(item.header)) for item in slices]
    views = [
        replace(dicom_view(item.header, item.frame, window, anatomy), overlays=laid)
        for item, laid in zip(slices, drawn, strict=True)
    ]
    views = measured_on(source, [(item.path, view) for item, view in zip(slices, views, strict=True)])
    return tuple(
        ImageRef(
            files=(item.path,),
            media_type="application/dicom",
            view=view,
            bit_depth=int(number(item.header, "BitsStored", 8)),
            channels=int(number(item.header, "SamplesPerPixel", 1)),
            words=words_prior(item.header, overlays=view.overlays),
            calibrated=calibrated(item.header),
        )
        for item, view in zip(slices, views, strict=True)
    )


def measured(source: Source, path: str, view: View) -> View:
    """The ``view`` with its percentile window measured on its own frame, where it has one that is still open."""
    return measured_on(source, [(path, view)])[0]


def measured_on(source: Source, slices: list[tuple[str, View]]) -> list[View]:
    """The slices' views, with open percentile windows filled in from at most five of the slices, evenly spread."""
    views = [view for _, view in slices]
    if not any(needs_measuring(view) for view in views):
        return views
    chosen = sorted({round(i * (len(slices) - 1) / 4) for i in range(5)})
    found = _percentile([_unpadded(source, *slices[i]) for i in chosen])
    return [
        replace(view, window_center=found.center, window_width=found.width) if needs_measuring(view) else view
        for view in views
    ]


def needs_measuring(view: View) -> bool:
    """Whether the view's window is still to be found from pixels."""
    return view.window == "percentile" and view.window_width == 0


def _unpadded(source: Source, path: str, view: View) -> tuple[Stored, View]:
    """The frame's values before slope and intercept, without what the scanner padded and what stands for colours."""
    file = open_dicom(source, path)
    stored = stored_frame(file, view.frame)
    left_out = [
        mask for mask in (padding_mask(stored, file), coloured(stored, file.header, view.frame)) if mask is not None
    ]
    values = modality_values(stored, file.header)
    return values[~np.any(left_out, axis=0)] if left_out else values.ravel(), view


def _percentile(measured: list[tuple[Stored, View]]) -> Window:
    if len({(values.dtype, view.slope, view.intercept) for values, view in measured}) == 1:
        _, view = measured[0]
        return stored_percentile(np.concatenate([values for values, _ in measured]), view.slope, view.intercept)
    return percentile(
        np.concatenate([values.astype(np.float64) * view.slope + view.intercept for values, view in measured])
    )


def _colour(stored: Stored, bits: int) -> Pixels:
    if stored.dtype == np.uint8:
        return np.ascontiguousarray(stored[..., :3])
    return (stored[..., :3] >> max(bits - 8, 0)).astype(np.uint8)
