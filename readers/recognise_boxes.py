"""Recognises Pascal VOC and COCO annotations."""

from collections import Counter
from typing import Any

from readers.base import Recognition
from readers.records import load_json
from readers.source import Source
from readers.survey import folder, is_picture, splits_in, stem, survey
from readers.values import spdx, split_name
from schemas.errors import CaseError

_LOOK = 200
_NUMBERS = 2_000
"""Label files that are looked through for their classes."""
_JSON_LIMIT = 256 << 20


def recognise_voc(source: Source) -> Recognition | None:
    """XML files whose root is ``annotation`` with boxes of objects."""
    from readers.voc import XML_LIMIT, parse

    xmls = [path for path in survey(source) if path.lower().endswith(".xml")]
    words: Counter[str] = Counter()
    read = 0
    for path in xmls[:_LOOK]:
        try:
            root = parse(source.read_bytes(path, XML_LIMIT))
        except CaseError:
            continue
        if root.tag != "annotation":
            continue
        read += 1
        words.update(
            (thing.findtext("name") or "").strip() for thing in root.iter("object") if thing.find("bndbox") is not None
        )
    if not words:
        return None
    annotations = Counter(folder(path) for path in xmls).most_common(1)[0][0]
    stems = {stem(path) for path in xmls}
    folders = Counter(folder(path) for path in survey(source) if is_picture(path) and stem(path) in stems)
    options: dict[str, Any] = {"annotations": annotations, "images": folders.most_common(1)[0][0] if folders else ""}
    lists = next((folder(p) for p in survey(source) if p.endswith(".txt") and split_name(stem(p)) and "/" in p), "")
    hints = {"label_kind": "multi_label", **({"split": "shipped"} if lists else {})}
    if lists:
        options["image_sets"] = lists
    why = f"{read} of {len(xmls[:_LOOK])} XML files looked at are Pascal VOC annotations with boxes"
    return Recognition(0.95, why, options, tuple(sorted(word for word in words if word)), hints)


def recognise_coco(source: Source) -> Recognition | None:
    """JSON files with the tables images, annotations and categories."""
    files = [path for path in survey(source) if path.lower().endswith(".json")]
    documents = {path: document for path in files[:20] for document in [_document(source, path)] if document}
    if not documents:
        return None
    words: dict[str, None] = {}
    used: set[str] = set()
    for document in documents.values():
        names = {item.get("id"): str(item.get("name", "")).strip() for item in document.get("categories", [])}
        words.update(dict.fromkeys(names.values()))
        used |= {names.get(item.get("category_id"), "") for item in document["annotations"] if isinstance(item, dict)}
    options = {"annotations": sorted(documents), **_images_folder(source, documents)}
    hints = {"label_kind": "multi_label", **_license(documents)}
    if splits_in(documents) or any(split_name(part) for path in documents for part in stem(path).split("_")):
        hints["split"] = "shipped"
    unused = [word for word in words if word not in used]
    if unused:
        hints["ignore_labels"] = ", ".join(unused)
    why = f"{len(documents)} JSON files hold COCO's tables of images, annotations and categories"
    return Recognition(0.97, why, options, tuple(word for word in words if word in used), hints)


def _document(source: Source, path: str) -> dict[str, Any]:
    head = source.head(path, 65536)
    if not (b'"images"' in head or b'"annotations"' in head or b'"categories"' in head or b'"info"' in head):
        return {}
    try:
        if source.size(path) > _JSON_LIMIT:
            return {}
        document = load_json(source, path)
    except CaseError:
        return {}
    tables = ("images", "annotations", "categories")
    sound = isinstance(document, dict) and all(isinstance(document.get(name), list) for name in tables)
    return document if sound else {}


def _images_folder(source: Source, documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The option ``images`` where the images of all documents lie in one folder that is not their JSON's."""
    found: set[str] = set()
    for path, document in documents.items():
        first = next((str(image.get("file_name", "")) for image in document["images"] if isinstance(image, dict)), "")
        beside = f"{folder(path)}/{first}" if folder(path) else first
        if source.exists(beside):
            return {}
        found |= {p.removesuffix(first).strip("/") for p in survey(source) if ("/" + p).endswith("/" + first)}
    return {"images": found.pop()} if len(found) == 1 else {}


def _license(documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    named = {
        spdx(str(item.get("url") or item.get("name") or ""))
        for document in documents.values()
        for item in document.get("licenses") or []
        if isinstance(item, dict)
    } - {""}
    return {"license": named.pop()} if len(named) == 1 else {}


def recognise_yolo(source: Source) -> Recognition | None:
    """Text files of five numbers and more a line, named as pictures are."""
    from readers.yolo import NAME_FILES, names_in

    stems = {stem(path) for path in survey(source) if is_picture(path)}
    texts = [path for path in survey(source) if path.lower().endswith(".txt") and stem(path) in stems]
    sound = [path for path in texts[:50] if _is_yolo(source.head(path, 2000))]
    if not sound or len(sound) < 0.5 * len(texts[:50]):
        return None
    inside = all("labels" in path.split("/") for path in sound)
    options: dict[str, Any] = {} if inside else {"labels": "", "images": ""}
    path = next((p for p in survey(source) if p.rpartition("/")[2] in NAME_FILES), "")
    names = names_in(source, path) if path else {number: f"class_{number}" for number in _numbers(source, texts)}
    words = tuple(names.values())
    if not path or "/" in path:
        options["names"] = path or names
    hints = {"label_kind": "multi_label", **({"split": "shipped"} if splits_in(sound) else {})}
    why = f"{len(sound)} text files are named as pictures and hold YOLO lines of a class and fractions"
    return Recognition(0.9, why, options, words, hints)


def _numbers(source: Source, texts: list[str]) -> list[int]:
    """The class numbers of label files whose classes nothing names."""
    found: set[int] = set()
    for path in texts[:_NUMBERS]:
        lines = source.head(path, 1 << 16).decode("ascii", "replace").split("\n")
        found |= {int(line.split()[0]) for line in lines if line[:1].isdigit() and line.split()[0].isdigit()}
    return sorted(found)


def _is_yolo(head: bytes) -> bool:
    lines = [line.split() for line in head.decode("ascii", "replace").split("\n")[:-1] or [""] if line.strip()]
    return bool(lines) and all(
        len(line) >= 5 and line[0].isdigit() and all(part.replace(".", "", 1).isdigit() for part in line[1:])
        for line in lines[:5]
    )
