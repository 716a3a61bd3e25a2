"""Recognises images and masks that lie in pairs."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from readers.base import Recognition
from readers.mask_classes import read_classes
from readers.pixels.stored import stored_values
from readers.source import Source
from readers.survey import MASK_FOLDERS, folder, is_picture, stem, survey
from schemas.errors import CaseError, UserError

_SUFFIXES = (
    "",
    "_mask",
    "_seg",
    "_segmentation",
    "_gt",
    "_label",
    "_Segmentation",
    "-mask",
    "_lesion",
    "_anno",
    "_manual1",
)
_FLAT = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")


def recognise_masks(source: Source) -> Recognition | None:
    """A folder named for masks whose files are named as the images of a folder beside it."""
    of: dict[str, list[str]] = defaultdict(list)
    for path in survey(source):
        if is_picture(path) and path.lower().endswith(_FLAT):
            of[folder(path)].append(path)
    best: tuple[int, str, str, str] = (0, "", "", "")
    for masks, paths in of.items():
        if masks.rpartition("/")[2].lower() not in MASK_FOLDERS and masks.rpartition("/")[2].lower() != "masks":
            continue
        for images, pictures in of.items():
            if images != masks and folder(images) == folder(masks):
                best = max(best, _match(images, pictures, masks, paths))
    if best[0] < 1:
        return None
    pairs, images, masks, suffix = best
    options: dict[str, Any] = {
        "image_pattern": f"{images}/{{id}}{_extension(of[images])}",
        "mask_pattern": f"{masks}/{{id}}{suffix}{_extension(of[masks])}",
    }
    meaning, labels, hints = _meaning(source, of[masks])
    why = f"{pairs} of {len(of[images])} pictures in {images} have a mask of the same name in {masks}"
    return Recognition(0.9, why, {**options, **meaning}, labels, {"label_kind": "multi_label", **hints})


def _match(images: str, pictures: list[str], masks: str, paths: list[str]) -> tuple[int, str, str, str]:
    stems = {stem(path) for path in pictures}
    counts = {
        suffix: sum(name.endswith(suffix) and name.removesuffix(suffix) in stems for name in map(stem, paths))
        for suffix in _SUFFIXES
    }
    suffix = max(counts, key=lambda each: (counts[each], len(each)))
    pairs = counts[suffix]
    return (pairs, images, masks, suffix) if pairs >= 0.5 * len(paths) else (0, "", "", "")


def _extension(paths: list[str]) -> str:
    found = Counter("." + path.rpartition(".")[2] for path in paths)
    return found.most_common(1)[0][0] if len(found) == 1 else ".*"


def _meaning(source: Source, masks: list[str]) -> tuple[dict[str, Any], tuple[str, ...], dict[str, str]]:
    """Options that say what the masks' numbers mean, the words, and hints."""
    for path in survey(source):
        if path.count("/") <= 1 and path.lower().endswith(".csv") and "class" in path.lower():
            try:
                classes = read_classes(source, path)
            except (UserError, CaseError):
                continue
            words = tuple(dict.fromkeys([*classes.values.values(), *classes.colours.values()]))
            ignored = [word for word in words if word.lower() == "background"]
            kept = tuple(word for word in words if word not in ignored)
            return {"classes": path}, kept, {"ignore_labels": ", ".join(ignored)} if ignored else {}
    values: set[int] = set()
    for path in masks[:20]:
        try:
            stored, _ = stored_values(source, path)
        except CaseError:
            continue
        if stored.ndim == 3:
            return {"colours": {"255,0,0": "class_1"}}, ("class_1",), {}
        values |= {int(value) for value in np.unique(stored)[:64]}
    inside = sorted(values - {0})
    if len(inside) == 1 or max(inside, default=0) > 200:
        return {"binary": "foreground"}, ("foreground",), {}
    words = tuple(f"class_{value}" for value in inside)
    return {"classes": dict(zip(inside, words, strict=True))}, words, {}
