"""Recognises images and masks that lie in pairs, wherever both lie and whatever words tell them apart."""

from collections import Counter
from typing import Any

import numpy as np

from readers.base import Recognition
from readers.decathlon_json import load_dataset
from readers.mask_classes import read_classes
from readers.path_pattern import PathPattern
from readers.pixels.stored import stored_values
from readers.pixels.window import Values
from readers.roles import Pairs, paired
from readers.source import Source
from readers.survey import is_picture, survey
from schemas.errors import CaseError, UserError
from schemas.taxonomy import canonical_label

_FLAT = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")
_LOOK = 20
_COLOURS = 40
_CLASSES = 200
_NEAR = 24
"""Grey steps from the two commonest values within which lossy files keep nearly all of a two-valued mask."""

Meaning = tuple[dict[str, Any], tuple[str, ...], dict[str, str]]
"""Options that say what masks mean, the words, and hints."""


def recognise_masks(source: Source) -> Recognition | None:
    """The likeliest way in which pictures of this source mark others, where these hold few values as masks do."""
    flat = [path for path in survey(source) if is_picture(path) and path.lower().endswith(_FLAT)]
    for pairs in paired(flat, "id"):
        looked = [stored for path in pairs.labels[:_LOOK] for stored in _stored(source, path)]
        if not looked or not all(map(_is_mask, looked)):
            continue
        meaning, labels, hints = _of_names(pairs) or _of_files(source) or _of_values(looked)
        name = "class" if labels == pairs.extra else "object"
        options = {"image_pattern": pairs.image, "mask_pattern": pairs.label.replace("{extra}", f"{{{name}}}")}
        split = {"split": "shipped"} if "split" in pairs.names else {}
        groups = {"group": "folder"} if "folder" in pairs.names else {}
        said = _classes_above(pairs)
        if said:
            labels, groups = (*said, *labels), {}
            options["image_pattern"] = options["image_pattern"].replace("{folder}", "{label}")
            options["mask_pattern"] = options["mask_pattern"].replace("{folder}", "*")
        where = f"{len(pairs.images)} pictures have a mask named after them"
        why = f"{where}, as {pairs.images[0]} has {pairs.labels[0]}"
        hints = {"label_kind": "multi_label", **hints, **groups, **split}
        return Recognition(0.9, why, {**options, **meaning}, labels, hints)
    return None


def _classes_above(pairs: Pairs) -> tuple[str, ...]:
    """The folders of the images, where they are words of classes and no name stands in two of them."""
    found = [names for names in map(PathPattern(pairs.image).match, pairs.images) if names]
    folders = {names.get("folder", "") for names in found}
    if len({names.get("id") for names in found}) < len(found) or not all(map(canonical_label, folders)):
        return ()
    return tuple(sorted(folders))


def _stored(source: Source, path: str) -> list[Values]:
    try:
        return [stored_values(source, path)[0]]
    except CaseError:
        return []


def _is_mask(stored: Values) -> bool:
    """Few values, or nearly all pixels near the two commonest, as in a mask that was saved as JPEG."""
    grey = stored[..., :3].max(axis=2) if stored.ndim == 3 else stored
    values, counts = np.unique(grey, return_counts=True)
    if values.size <= _COLOURS or values.size < grey.size // 100:
        return values.size <= _CLASSES
    common = values[np.argsort(counts)[-2:]].astype(np.int64)
    near = np.abs(values.astype(np.int64)[:, None] - common).min(axis=1) <= _NEAR
    return bool(counts[near].sum() > 0.9 * grey.size)


def _of_names(pairs: Pairs) -> Meaning | None:
    """One file a class, where the names say so: words of the taxonomy, or few words that many images share."""
    if not pairs.extra:
        return None
    if all(map(canonical_label, pairs.extra)) or (len(pairs.extra) < 0.5 * len(pairs.labels) and len(pairs.extra) < 50):
        return {}, pairs.extra, {}
    return {"binary": "foreground"}, ("foreground",), {}


def _of_files(source: Source) -> Meaning | None:
    """What a table of classes or nnU-Net's ``dataset.json`` says."""
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
    try:
        named = load_dataset(source, "").classes if source.exists("dataset.json") else {}
    except UserError:
        return None
    single = {values[0]: word for word, values in named.items() if len(values) == 1 and values != (0,)}
    return ({"classes": single}, tuple(single.values()), {}) if single else None


def _of_values(looked: list[Values]) -> Meaning:
    """The numbers or colours that masks hold, each a class that a person must name."""
    if any(stored.ndim == 3 and (stored[..., 0] != stored[..., 1]).any() for stored in looked):
        found = Counter[tuple[int, ...]]()
        for stored in looked:
            if stored.ndim == 3:
                colours, counts = np.unique(stored[..., :3].reshape(-1, 3), axis=0, return_counts=True)
                found.update({tuple(map(int, c)): int(n) for c, n in zip(colours, counts, strict=True) if c.any()})
        common = [colour for colour, _ in found.most_common(_COLOURS)]
        named = {",".join(map(str, colour)): f"class_{n}" for n, colour in enumerate(sorted(common), 1)}
        return {"colours": named}, tuple(named.values()), {}
    inside = sorted({int(value) for stored in looked for value in np.unique(stored)} - {0})
    if len(inside) == 1 or max(inside, default=0) > _CLASSES:
        return {"binary": "foreground"}, ("foreground",), {}
    words = tuple(f"class_{value}" for value in inside)
    return {"classes": dict(zip(inside, words, strict=True))}, words, {}
