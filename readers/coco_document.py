"""The tables of one COCO document, joined, with everything that does not join named by its id."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.errors import CaseError


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the document that cannot be used."""

    where: str
    """``image 7`` or ``annotation 12``."""
    code: str
    detail: str


class Document:
    """A parsed COCO JSON; `CaseError` ``not_coco`` where it lacks the tables."""

    def __init__(self, data: Any) -> None:
        if not isinstance(data, dict) or not isinstance(data.get("images"), list):
            raise CaseError("not_coco", "the JSON has no list of images, so it is no COCO file")
        self._images = [image for image in data["images"] if isinstance(image, dict)]
        self._annotations = [item for item in _list(data, "annotations") if isinstance(item, dict)]
        categories = [item for item in _list(data, "categories") if isinstance(item, dict)]
        self._names = {str(item.get("id")): str(item.get("name", "")).strip() for item in categories}
        self._twice = {name for name, count in Counter(self._names.values()).items() if count > 1}
        licenses = (item for item in _list(data, "licenses") if isinstance(item, dict))
        self._licenses = {str(item.get("id")): str(item.get("url") or item.get("name") or "") for item in licenses}
        self._image_ids = Counter(str(image.get("id")) for image in self._images)
        self._annotation_ids = Counter(str(item.get("id")) for item in self._annotations)

    def orphans(self) -> Iterator[Problem]:
        """Annotations of images that the document does not have, or has twice."""
        for item in self._annotations:
            number = str(item.get("image_id"))
            where = f"annotation {item.get('id')}"
            if number not in self._image_ids:
                yield Problem(where, "unknown_image", f"{where} is about image {number}, which the JSON does not have")
            elif self._image_ids[number] > 1:
                for code, detail in self._notes(item):
                    yield Problem(where, code, detail)

    def images(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]] | Problem]]:
        """Every image with its annotations, or with the reason why it cannot be told which are its own.

        Each annotation carries its category's name as ``category`` (empty where unknown) and what is wrong with
        it as ``problems``, pairs of code and sentence.
        """
        of: dict[str, list[dict[str, Any]]] = {}
        for item in self._annotations:
            name = self._names.get(str(item.get("category_id")), "")
            checked = {**item, "category": name, "problems": self._notes(item)}
            of.setdefault(str(item.get("image_id")), []).append(checked)
        for image in self._images:
            number = str(image.get("id"))
            where = f"image {number}"
            if self._image_ids[number] > 1:
                detail = (
                    f"{self._image_ids[number]} images have the id {number}, so their annotations cannot be told apart"
                )
                yield image, Problem(f"{where} {image.get('file_name', '')}", "doubled_image_id", detail)
            elif not image.get("file_name"):
                yield image, Problem(where, "missing_key", f"{where} names no file")
            else:
                text = self._licenses.get(str(image.get("license")), "")
                yield {**image, "license_text": text}, of.get(number, [])

    def _notes(self, item: dict[str, Any]) -> list[tuple[str, str]]:
        where = f"annotation {item.get('id')}"
        category = str(item.get("category_id"))
        notes = []
        if self._annotation_ids[str(item.get("id"))] > 1:
            notes.append(("doubled_annotation_id", f"the id of {where} stands twice"))
        if "caption" in item and "category_id" not in item:
            return notes
        if category not in self._names:
            notes.append(("unknown_category", f"{where} has category {category}, which the JSON does not have"))
        elif self._names[category] in self._twice:
            notes.append(("category_name_twice", f"{where}: two categories have the name of category {category}"))
        return notes


def _list(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []
