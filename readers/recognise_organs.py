"""Recognises volumes with one binary mask per organ, in a folder below the volume or beside it."""

from collections import defaultdict
from typing import Any

from readers.base import Recognition
from readers.pixels.volume_file import read_volume
from readers.roles import is_label, modality_in, patterns
from readers.source import Source
from readers.survey import MASK_FOLDERS, folder, stem
from readers.volume_labels import present_values
from schemas.errors import CaseError
from schemas.taxonomy import canonical_label

_FOLDERS = MASK_FOLDERS | {"structures", "segmentations", "organs", "rois"}
_TRIED = 3
"""Masks that are looked into."""


def recognise_organs(source: Source, volumes: list[str]) -> Recognition | None:
    """A claim with drafted options, or None."""
    of: dict[str, list[str]] = defaultdict(list)
    for path in volumes:
        of[folder(path)].append(path)
    met = [(image, mask) for where in of for image, masks in [_case(source, of, where)] for mask in masks]
    pairs = patterns(met, "case", whole=True) if met else None
    if pairs is None or len(pairs.extra) < 2 or "{extra}" not in pairs.label:
        return None
    options: dict[str, Any] = {
        "image": pairs.image,
        "masks": pairs.label.replace("{extra}", "{label}"),
        "slices": {"policy": "largest_region"},
    }
    more = f" and {len(pairs.images) - 1} more have" if len(pairs.images) > 1 else " has"
    hints = {"label_kind": "multi_label", **({"group": "case"} if "case" in pairs.names else {})}
    hints |= {"modality": modality_in(pairs.images[0])} if modality_in(pairs.images[0]) else {}
    why = f"{pairs.images[0]}{more} one binary volume per structure: {', '.join(pairs.extra[:3])}"
    return Recognition(0.9, why, options, pairs.extra, hints)


def _case(source: Source, of: dict[str, list[str]], where: str) -> tuple[str, list[str]]:
    """The image of the masks in a folder, and the masks; nothing where it holds none."""
    beside = of[where]
    name = where.rpartition("/")[2].lower()
    if len(beside) > 1 and (name in _FOLDERS or set(name.split("_")) & _FOLDERS or _are_organs(beside)):
        shown = [path for path in of.get(folder(where), ()) if not is_label(path)] if where else []
        image = _same_grid(source, shown, beside)
        if image:
            return image, beside
    organs = [path for path in beside if canonical_label(stem(path))]
    shown = [path for path in beside if path not in organs and not is_label(path)]
    if len(organs) > 1 and shown:
        image = _same_grid(source, shown, organs)
        return (image, organs) if image else ("", [])
    return "", []


def _are_organs(paths: list[str]) -> bool:
    return sum(bool(canonical_label(stem(path))) for path in paths) > 0.5 * len(paths)


def _same_grid(source: Source, images: list[str], masks: list[str]) -> str:
    """The first of the images that is as large as the masks, where these are binary; else empty."""
    try:
        shapes = {mask: read_volume(source, mask) for mask in masks[:_TRIED]}
        if any(len([value for value in present_values(mask.voxels) if value]) > 1 for mask in shapes.values()):
            return ""
        shape = next(iter(shapes.values())).voxels.shape
        return next((path for path in images if read_volume(source, path).voxels.shape == shape), "")
    except CaseError:
        return ""
