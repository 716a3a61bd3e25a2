"""Recognises folders named after classes."""

from collections import Counter

from readers.base import Recognition
from readers.source import Source
from readers.survey import MASK_FOLDERS, common_group, is_picture, is_plain, splits_in, stem, survey
from readers.values import split_name


def recognise_folders(source: Source) -> Recognition | None:
    """Pictures in at least two folders whose names are neither splits nor kinds of file."""
    pictures = [path for path in survey(source) if is_picture(path) and not _of_masks(path)]
    told = {path: _class_of(path) for path in pictures}
    inside = [path for path, (word, _) in told.items() if word]
    words = Counter(told[path][0] for path in inside)
    levels = Counter(told[path][1] for path in inside)
    # Many folders of few files each are patients or series, not classes.
    if len(words) < 2 or len(inside) < 0.8 * len(pictures) or len(inside) < 2 * len(words) or len(levels) > 1:
        return None
    splits = splits_in(inside)
    below = f" with {', '.join(sorted(splits))}" if splits else ""
    hints = {"label_kind": "multi_class"}
    pattern = common_group([stem(path) for path in inside])
    if pattern:
        hints["group_pattern"] = pattern
    if splits:
        hints["split"] = "shipped"
    level = next(iter(levels))
    return Recognition(
        0.6 if len(words) <= 50 else 0.2,
        f"{len(inside)} pictures lie in {len(words)} folders named as classes{below}",
        {} if level == -1 else {"level": level},
        tuple(sorted(words)),
        hints,
    )


def _class_of(path: str) -> tuple[str, int]:
    """The innermost folder that may be a class, and its place from the end among those that are no splits."""
    folders = [name for name in path.split("/")[:-1] if not split_name(name)]
    return next(((name, -back) for back, name in enumerate(reversed(folders), 1) if not is_plain(name)), ("", 0))


def _of_masks(path: str) -> bool:
    return any(name.lower() in MASK_FOLDERS for name in path.split("/")[-2:-1])
