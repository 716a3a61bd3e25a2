"""Raster pictures: the reference that a reader puts into a case, and the bytes that are published for it."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from readers.pixels import decode, encode, intensity, marks
from readers.pixels.layout import Layout, corrupt, oriented
from readers.pixels.sniff import HEAD, RASTER, sniff
from readers.pixels.warp import warp
from readers.source import Source, read_rest
from schemas.case import ImageRef
from schemas.errors import CaseError
from schemas.findings import Finding, Severity
from schemas.rendered import Rendered
from schemas.view import IDENTITY, View

FILE_LIMIT = 1 << 30
"""Bytes of one raster file."""

PAGES = 64
"""Pages or animation frames of one file that become images; the rest is left out, and said to be."""

_KEPT_BYTES = 128 << 20
_KEPT_FILES = 4

_NAMES = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png", ".apng"),
    "image/tiff": (".tif", ".tiff", ".svs", ".ome"),
    "image/bmp": (".bmp", ".dib"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
}
_EXTENSIONS = frozenset(extension for names in _NAMES.values() for extension in names)


@dataclass(slots=True)
class _Opened:
    """One file's bytes and header, and its samples once decoded for their range."""

    data: bytes
    layout: Layout
    samples: dict[int, decode.Samples] = field(default_factory=dict)


# A reader looks at a file's header and the renderer, a moment later, at its pixels: the last few files are kept,
# by root, path, size and time, for the two may hold the same source twice.
_Key = tuple[str, str, tuple[int, int]]
_recent: OrderedDict[_Key, _Opened] = OrderedDict()


def raster_refs(source: Source, path: str, orientation: str = "") -> tuple[tuple[ImageRef, ...], tuple[Finding, ...]]:
    """The image (or, of a multi-page file, the images) at ``path``, and what was noticed about the file.

    ``orientation`` is the patient direction of +x and +y of the upright picture.  Raises `CaseError` where the
    file is no raster picture (``empty_file``, ``html_instead_of_image``, ``missing_data``, ``not_an_image``),
    is broken (``corrupt_image``) or too large to decode (``decompression_bomb``).
    """
    refs = refs_or_kind(source, path, orientation)
    if isinstance(refs, str):
        raise decode.not_an_image(refs)
    return refs


def refs_or_kind(source: Source, path: str, orientation: str) -> tuple[tuple[ImageRef, ...], tuple[Finding, ...]] | str:
    """What `raster_refs` gives, or the media type of a file that is no raster picture; the file is opened once."""
    opened = _open_or_kind(source, path)
    if isinstance(opened, str):
        return opened
    pages = min(opened.layout.frames, PAGES)
    refs = tuple(_ref(opened, path, page if pages > 1 else -1, orientation) for page in range(pages))
    return refs, tuple(_notes(path, opened.layout))


def _ref(opened: _Opened, path: str, frame: int, orientation: str) -> ImageRef:
    layout = opened.layout
    window, centre, width = "none", 0.0, 0.0
    size = (layout.width, layout.height)
    if layout.bit_depth > 8 or layout.signed or frame > 0:
        samples = _samples(opened, frame)
        window, centre, width = intensity.choose(samples)
        size = (samples.shape[1], samples.shape[0])
    matrix, wide, high = oriented(layout.orientation, *size)
    view = View(
        source_width=size[0],
        source_height=size[1],
        width=wide,
        height=high,
        matrix=matrix,
        frame=frame,
        orientation=orientation,
        window=window,
        window_center=centre,
        window_width=width,
    )
    return ImageRef((path,), layout.media_type, view, layout.bit_depth, layout.channels)


def _notes(path: str, layout: Layout) -> list[Finding]:
    notes = []
    extension = "." + path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
    if extension in _EXTENSIONS and extension not in _NAMES.get(layout.media_type, ()):
        detail = f"the file's name ends in {extension}, but it holds {layout.media_type}"
        notes.append(Finding("name_disagrees_with_content", detail, Severity.NOTE))
    if layout.frames > 1:
        notes.append(Finding("multi_page", f"the file holds {layout.frames} pages or frames", Severity.NOTE))
    if layout.frames > PAGES:
        notes.append(Finding("pages_left_out", f"only the first {PAGES} of {layout.frames} pages are used"))
    return notes


def render_raster(source: Source, ref: ImageRef, *, decode_pixels: bool = True) -> Rendered:
    """The published bytes of a raster picture, and every fact of its pixels from one decode.

    A JPEG or PNG that needs no change passes through, cut free of metadata; without ``decode_pixels`` it is then
    not even decoded, and the facts of its pixels stay empty.  Everything else becomes a PNG.
    """
    opened = _open(source, ref.files[0])
    digest = hashlib.sha256(opened.data).hexdigest()
    _check_unchanged(ref, opened.layout)
    if opened.layout.passes and _is_plain(ref):
        return _pass_through(opened, digest, decode_pixels)
    picture = _converted(opened, ref)
    findings = [*_metadata_note(opened.layout), *_oddities(picture)]
    samples = _samples(opened, ref.view.frame)
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        findings.append(Finding("not_finite", "the image holds NaN or infinite values, shown as black or white"))
    return encode.encode_png(picture, (digest,), tuple(findings))


def raster_picture(source: Source, ref: ImageRef) -> intensity.Pixels:
    """The pixels that `render_raster` publishes; see `decode.decode_passing` on how long they last."""
    opened = _open(source, ref.files[0])
    _check_unchanged(ref, opened.layout)
    if opened.layout.passes and _is_plain(ref):
        return _passing(opened.layout)
    return _converted(opened, ref)


def _converted(opened: _Opened, ref: ImageRef) -> intensity.Pixels:
    pixels = intensity.as_grey(intensity.to_8bit(_samples(opened, ref.view.frame), ref.view))
    return marks.draw(warp(pixels, ref.view), ref.marks)


def _passing(layout: Layout) -> decode.Samples:
    pixels = decode.decode_passing(layout)
    if pixels.shape[:2] != (layout.height, layout.width):
        raise corrupt("decodes to another size than its header says")
    return pixels


def read_samples(source: Source, path: str, frame: int = -1) -> decode.Samples:
    """Grey or RGB samples of a raster file in its stored depth, as on the source plane (no EXIF orientation)."""
    return _samples(_open(source, path), frame)


def _pass_through(opened: _Opened, digest: str, decode_pixels: bool) -> Rendered:
    layout = opened.layout
    clean = layout.clean
    common: dict[str, Any] = {
        "data": clean,
        "media_type": layout.media_type,
        "width": layout.width,
        "height": layout.height,
        "source_sha256": (digest,),
        "sha256": digest if clean is opened.data else hashlib.sha256(clean).hexdigest(),
    }
    notes = _metadata_note(layout)
    if not decode_pixels:
        return Rendered(**common, pixel_digest="", findings=tuple(notes))
    pixels = _passing(layout)
    known = encode.facts(pixels)
    return Rendered(
        **common,
        pixel_digest=known.pixel_digest,
        phash=known.phash,
        minimum=known.minimum,
        maximum=known.maximum,
        mean=known.mean,
        std=known.std,
        findings=(*notes, *_oddities(pixels, known)),
    )


def _open(source: Source, path: str) -> _Opened:
    opened = _open_or_kind(source, path)
    if isinstance(opened, str):
        raise decode.not_an_image(opened)
    return opened


def _open_or_kind(source: Source, path: str) -> _Opened | str:
    key = (source.root, path, source.stamp(path))
    if key in _recent:
        _recent.move_to_end(key)
        return _recent[key]
    with source.stream(path) as file:
        head = file.read(HEAD)
        kind = sniff(head)
        if kind not in RASTER:
            return kind
        data = read_rest(file, path, head, FILE_LIMIT)
    opened = _recent[key] = _Opened(data, decode.read_layout(data, kind))
    while len(_recent) > 1 and (len(_recent) > _KEPT_FILES or sum(len(o.data) for o in _recent.values()) > _KEPT_BYTES):
        _recent.popitem(last=False)
    return opened


def _samples(opened: _Opened, frame: int) -> decode.Samples:
    if frame not in opened.samples:
        opened.samples = {frame: decode.decode(opened.data, opened.layout, frame)}
    return opened.samples[frame]


def _check_unchanged(ref: ImageRef, layout: Layout) -> None:
    view = ref.view
    if view.frame <= 0 and (view.source_width, view.source_height) != (layout.width, layout.height):
        raise CaseError("file_changed", "the image's size is not what it was when the case was read; run again")


def _is_plain(ref: ImageRef) -> bool:
    view = ref.view
    same = (view.width, view.height) == (view.source_width, view.source_height)
    plain = view.matrix == IDENTITY and same and view.window == "none"
    return plain and not (view.invert or ref.marks or view.frame > 0)


def _metadata_note(layout: Layout) -> list[Finding]:
    named = [kind for kind in layout.removed if kind not in ("TIFF tags", "application segment", "other chunk")]
    if not named:
        return []
    return [Finding("metadata_removed", f"{', '.join(named)} was cut out of the file", Severity.NOTE)]


def _oddities(pixels: intensity.Pixels, known: encode.Facts | None = None) -> list[Finding]:
    height, width = pixels.shape[:2]
    found = []
    if width < 16 or height < 16:
        found.append(Finding("tiny_image", f"the image has only {width}x{height} pixels"))
    low, high = (known.minimum, known.maximum) if known else (float(pixels.min()), float(pixels.max()))
    if low == high:
        found.append(Finding("constant_image", "all pixels of the image are equal"))
    return found
