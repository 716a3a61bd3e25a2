"""The chosen slices of a stack as the pictures of a case: one by one, or side by side."""

from dataclasses import replace

from readers.pixels.montage import montage_ref, montage_regions
from readers.slices import SliceOptions
from schemas.case import ImageRef, Region


def pictures(
    options: SliceOptions, shown: list[ImageRef], marked: list[Region], first: int
) -> tuple[list[ImageRef], list[Region]]:
    """Slices and their regions as the pictures of a case: one by one, or as montages; ``first`` numbers the first."""
    if options.montage is None:
        return shown, [replace(region, image_index=region.image_index + first) for region in marked]
    size = options.wanted
    starts = range(0, len(shown), size)
    together = [montage_ref(shown[start : start + size], options.montage[0]) for start in starts]
    kept = [
        region
        for number, (start, ref) in enumerate(zip(starts, together, strict=True), first)
        for region in montage_regions(marked, ref, start, number)
    ]
    return together, kept
