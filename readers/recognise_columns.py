"""What the columns of a table of images say, by their names and values: labels, boxes, masks, persons, texts."""

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from readers.records import cells
from readers.survey import is_picture
from readers.values import split_name
from schemas.taxonomy import Axis, canonical, modality_of_dicom

_LABEL_WORDS = (
    "label", "finding", "diagnos", "dx", "class", "cls", "target", "category", "disease", "grade", "pathology",
)  # fmt: skip
_TEXTS = {
    "caption": ("caption", "txt", "caption_txt"), "report": ("report",), "findings": ("findings",),
    "impression": ("impression",), "text": ("text",),
}  # fmt: skip
_ROLES = {
    "sex": ("sex", "gender"), "age": ("age",), "view": ("view", "projection"), "laterality": ("laterality",),
    "license": ("license", "licence"),
}  # fmt: skip
_AXES: dict[Axis, tuple[str, ...]] = {
    "modality": ("modality",),
    "anatomy": ("organ", "anatomy", "bodypart", "body_part"),
}
_GROUPS = ("patient", "subject", "lesion_id", "case_id", "study")
"""Words of columns that say what belongs together, the widest first."""
_OF_PERSONS = re.compile(r"(?:^|[_\W])(?:age|sex|gender|birth|dob|weight|height|name|race)", re.IGNORECASE)
_BINARY = frozenset({"0", "1", "-1", "0.0", "1.0", "-1.0"})
_MEASURED = ("offset", "count", "number", "days", "_id", "index")
_EDGES = {
    "x": ("xmin", "x1", "x0", "left"), "y": ("ymin", "y1", "y0", "top"),
    "x2": ("xmax", "x2", "right"), "y2": ("ymax", "y2", "bottom"),
}  # fmt: skip
_CORNER = {"x": ("x", "left"), "y": ("y", "top"), "width": ("width", "w"), "height": ("height", "h")}
_NAMES_OF_BOXES = ("class_name", "classname", "class", "label", "cell_type", "category", "name", "type", "finding")
_OBSERVERS = ("rad_id", "reader", "reader_id", "observer", "annotator", "annotator_id", "rater")
_MARKS = ("mask", "segmentation", "seg")
_FEW = 100


def roles(columns: list[str], values: dict[str, list[str]], options: dict[str, Any]) -> dict[str, str]:
    """Options for persons, views, licences, axes and splits, put into ``options``; and what is a hint for the spec."""
    for role, names in _ROLES.items():
        column = next((c for c in columns if set(c.lower().split("_") + c.lower().split()) & set(names)), "")
        if column and any(values[column]):
            options[role] = column
    for axis, names in _AXES.items():
        column = next((c for c in columns if any(name in c.lower() for name in names)), "")
        said = {value for value in values.get(column, ()) if value}
        if said and sum(bool(known_word(axis, word)) for word in said) >= 0.5 * len(said):
            options[axis] = column
    hints: dict[str, str] = {}
    for column in columns:
        there = [value for value in values[column] if value]
        if there and all(split_name(value) for value in there) and "split" not in options:
            options["split"] = column
            hints["split"] = "shipped"
    whose = [c for word in _GROUPS for c in columns if word in c.lower() and is_group(c) and c not in options.values()]
    group = next((column for column in whose if len(set(values[column])) > 1), "")
    return {**hints, "group": group} if group else hints


def is_group(column: str) -> bool:
    """Whether a column's name says whose a picture is (``patient_id``), and not what is known of him."""
    return any(word in column.lower() for word in _GROUPS) and not _OF_PERSONS.search(column)


def known_word(axis: Axis, word: str) -> str:
    """The canonical word that a cell says, DICOM's code of a modality too; empty where it says none."""
    return canonical(axis, word) or (modality_of_dicom(word.upper()) if axis == "modality" else "")


def labels_in(
    columns: list[str], values: dict[str, list[str]], options: dict[str, Any], hints: dict[str, str]
) -> tuple[str, ...]:
    """The label words, their columns put into ``options``; one-hot columns win, since they also say what is absent."""
    taken = [each for value in options.values() for each in (value if isinstance(value, list) else [value])]
    free = [column for column in columns if column not in taken and column != hints.get("group")]
    hot = _flags(free, values)
    if len(hot) >= 2:
        options["one_hot"] = hot
        hints["label_kind"] = "multi_label"
        return tuple(hot)
    for column in free:
        if any(word in column.lower() for word in _LABEL_WORDS):
            listed = {word for value in values[column] for word in cells(value)}
            if 0 < len(listed) <= _FEW:
                options["labels"] = [column]
                several = any(len(cells(value)) > 1 or value.startswith("[") for value in values[column])
                hints["label_kind"] = "multi_label" if several else "multi_class"
                return tuple(sorted(listed))
    return ()


def _flags(columns: list[str], values: dict[str, list[str]]) -> list[str]:
    """Columns of 1, 0, -1 and nothing: those with a 1, and those in one run with them that are all 0 so far.

    A rare finding has no 1 among the records looked at; a column that is named as a measurement is none.
    """

    def is_binary(column: str) -> bool:
        measured = column.lower() == "id" or any(word in column.lower() for word in _MEASURED)
        return not measured and set(values[column]) <= _BINARY | {""} and set(values[column]) != {""}

    runs = [list(run) for binary, run in groupby(columns, is_binary) if binary]
    proven = [run for run in runs if any(set(values[column]) & {"1", "1.0"} for column in run)]
    return [column for run in proven for column in run]


def regions_in(
    columns: list[str], values: dict[str, list[str]], masks: list[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The option ``masks`` or ``boxes`` for columns that place something on the picture, and the words of what."""
    word = _named(columns, _NAMES_OF_BOXES)
    said = {value for value in values.get(word, ()) if value}
    named = {"label": word} if said and len(said) <= _FEW else {"word": "object"}
    words = tuple(sorted(said)) if "label" in named else ("object",)
    corner = _edges(columns, values, _CORNER)
    if masks:
        placed = {"left": corner.pop("x"), "top": corner.pop("y"), **corner} if corner else {}
        return {"masks": {"mask": masks[0], **named, **placed}}, words
    box = _edges(columns, values, _EDGES) or corner
    if not box:
        return {}, ()
    observer = _named(columns, _OBSERVERS)
    return {"boxes": {**box, **named, **({"observer": observer} if observer else {})}}, words


def drawn_columns(drawn: dict[str, Any]) -> set[str]:
    """The columns that boxes or masks take."""
    return {column for option in drawn.values() for role, column in option.items() if role != "word"}


def is_mark(column: str, values: list[str]) -> bool:
    """Whether a column of pictures names masks."""
    parts = re.split(r"[_\W]+", column.lower())
    first = next((value for value in values if value), "")
    return bool(set(parts) & set(_MARKS)) or (is_picture(first) and "mask" in first.lower().split("/")[0])


def texts_in(columns: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """The option ``texts`` for columns named as texts that hold no label words."""
    free = [column for column in columns if column not in options.get("labels", ())]
    texts = {kind: name for kind, known in _TEXTS.items() for name in free if name.lower() in known}
    return {"texts": texts} if texts else {}


def _edges(columns: list[str], values: dict[str, list[str]], known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found = {edge: _named(columns, names) for edge, names in known.items()}
    sound = all(found.values()) and all(any(map(_is_number, values[column])) for column in found.values())
    return found if sound else {}


def _named(columns: list[str], names: tuple[str, ...]) -> str:
    """The first column of these names, whatever its case and underscores."""
    plain = {column.lower().replace("_", ""): column for column in reversed(columns)}
    return next((plain[name.replace("_", "")] for name in names if name.replace("_", "") in plain), "")


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(?:\.\d+)?", value))
