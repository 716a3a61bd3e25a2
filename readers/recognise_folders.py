"""Recognises folders named after classes."""

from collections import Counter

from readers.base import Recognition
from readers.source import Source
from readers.survey import common_group, folder, is_picture, is_plain, splits_in, stem, survey


def recognise_folders(source: Source) -> Recognition | None:
    """Pictures in at least two folders whose names are neither splits nor kinds of file."""
    pictures = [path for path in survey(source) if is_picture(path)]
    inside = [path for path in pictures if folder(path)]
    words = Counter(folder(path).rpartition("/")[2] for path in inside)
    classes = [word for word in words if not is_plain(word)]
    share = sum(words[word] for word in classes) / max(len(pictures), 1)
    # Many folders of few files each are patients or series, not classes.
    if len(classes) < 2 or share < 0.8 or len(inside) < 2 * len(classes):
        return None
    splits = splits_in(inside)
    told = f" below {', '.join(sorted(splits))}" if splits else ""
    hints = {"label_kind": "multi_class"}
    pattern = common_group([stem(path) for path in inside])
    if pattern:
        hints["group_pattern"] = pattern
    if splits:
        hints["split"] = "shipped"
    confidence = 0.6 if len(classes) <= 50 else 0.2
    return Recognition(
        confidence,
        f"{len(inside)} pictures lie in {len(classes)} folders named as classes{told}",
        {},
        tuple(sorted(classes)),
        hints,
    )
