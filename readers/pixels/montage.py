"""Several pictures set side by side as one, and what is marked on them carried along."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from readers.pixels.encode import encode_png
from readers.pixels.marks import draw
from readers.pixels.render import picture
from readers.pixels.sniff import VOLUMES
from readers.pixels.warp import warp
from readers.source import Source
from schemas.case import ImageRef, Region, Tile
from schemas.masks import mask_region, view_mask
from schemas.rendered import Rendered
from schemas.view import View

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

_WORDIEST = ("declared", "likely", "", "unlikely")


def montage_ref(images: Sequence[ImageRef], columns: int) -> ImageRef:
    """The montage of ``images``, row by row; every cell is as large as the largest of them, which lie at its corner.

    Its view keeps what all tiles have in common (spacing, slope and window, frame) and has the montage's own size.
    """
    width = max(image.view.width for image in images)
    height = max(image.view.height for image in images)
    tiles = tuple(
        Tile(width * (place % columns), height * (place // columns), image) for place, image in enumerate(images)
    )
    across, down = width * min(columns, len(images)), height * -(-len(images) // columns)
    first = images[0]
    shared = {
        name: getattr(first.view, name)
        for name in ("spacing", "slope", "intercept", "window", "window_center", "window_width", "invert", "frame")
        if all(getattr(image.view, name) == getattr(first.view, name) for image in images)
    }
    return replace(
        first,
        files=tuple(dict.fromkeys(file for image in images for file in image.files)),
        view=View(across, down, across, down, overlays=any(image.view.overlays for image in images), **shared),
        words=min((image.words for image in images), key=_WORDIEST.index),
        channels=max(image.channels for image in images),
        tiles=tiles,
    )


def montage_regions(regions: Sequence[Region], ref: ImageRef, first: int, image_index: int) -> Iterator[Region]:
    """Regions of the tiles' images on the montage; one that leaves its tile's view is cut there.

    Args:
        regions: of any images.
        ref: the montage.
        first: index of its first tile's image; the others follow.
        image_index: of the montage.
    """
    for region in regions:
        place = region.image_index - first
        if 0 <= place < len(ref.tiles):
            moved = _moved(region, ref.tiles[place], ref.view, image_index)
            if moved is not None:
                yield moved


def _moved(region: Region, tile: Tile, whole: View, image_index: int) -> Region | None:
    view = tile.image.view
    if region.kind == "mask":
        mask = np.zeros((whole.height, whole.width), dtype=bool)
        mask[tile.y : tile.y + view.height, tile.x : tile.x + view.width] = view_mask(region, view)
        return mask_region(mask, region.label, region.original, image_index, region.instance)
    pairs = [view.to_view(*region.points[at : at + 2]) for at in range(0, len(region.points) - 1, 2)]
    x0, y0, x1, y1 = view.box_to_view(region.box)
    box = (max(x0, 0.0), max(y0, 0.0), min(x1, float(view.width)), min(y1, float(view.height)))
    if box[0] > box[2] or box[1] > box[3]:
        return None
    return replace(
        region,
        image_index=image_index,
        box=(box[0] + tile.x, box[1] + tile.y, box[2] + tile.x, box[3] + tile.y),
        points=tuple(value for x, y in pairs for value in (x + tile.x, y + tile.y)),
    )


def montage_picture(source: Source, ref: ImageRef) -> Pixels:
    """The pixels of a montage: grey where all tiles are, else RGB."""
    shape = (ref.view.source_height, ref.view.source_width)
    canvas = np.zeros(shape if ref.channels == 1 else (*shape, 3), np.uint8)
    for tile in ref.tiles:
        shown = picture(source, tile.image)
        if canvas.ndim == 3 and shown.ndim == 2:
            shown = _in_rgb(shown)
        elif canvas.ndim == 2 and shown.ndim == 3:  # palettes make colours of one channel
            canvas = _in_rgb(canvas)
        canvas[tile.y : tile.y + shown.shape[0], tile.x : tile.x + shown.shape[1]] = shown
    return draw(warp(canvas, ref.view), ref.marks)


def _in_rgb(grey: Pixels) -> Pixels:
    return np.repeat(grey[..., None], 3, axis=2)


def render_montage(source: Source, ref: ImageRef) -> Rendered:
    """The montage as PNG.  Raises `CaseError` as the decoders of its tiles do."""
    kinds = {file: tile.image.media_type for tile in ref.tiles for file in tile.image.files}
    digests = tuple(_digest(source, file, kind) for file, kind in kinds.items())
    return encode_png(montage_picture(source, ref), digests)


def _digest(source: Source, file: str, kind: str) -> str:
    if kind in VOLUMES:
        from readers.pixels.volume_file import load_volume

        return load_volume(source, file).sha256
    return hashlib.sha256(source.read_bytes(file)).hexdigest()
