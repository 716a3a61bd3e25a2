"""COCO detection: ``instances_<split>.json`` of the regions that rows name, once each, with their pictures."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from schemas.spec import Strict
from storage.atomic import write_bytes
from storage.exports.base import Pictures, Row, dumps


class Coco:
    """Boxes in pixels of the published picture, masks as compressed RLE, contours as polygons; points are left out.

    A region that several rows name is one annotation.  Only what rows speak of is here: where rows name some
    of a picture's objects, so does the file.  Pictures into which regions are drawn would give them away, and the part
    that `zoom` enlarges is no object; both are left out.
    """

    name: ClassVar[str] = "coco"
    masks: ClassVar[bool] = True

    class Options(Strict):
        """Options."""

        marking: tuple[str, ...] = ("marked_region", "set_of_mark")
        """Converters whose pictures have regions drawn into them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._categories: dict[str, int] = {}
        self._splits: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Gather one split; the file is written by `finish`, when all categories are known."""
        pictures = Pictures(folder)
        images: dict[str, tuple[int, int, int]] = {}
        annotations: dict[bytes, dict[str, Any]] = {}
        count = 0
        for row in rows:
            drawn = (
                [] if row["provenance"]["converter"] in self.options.marking else [*filter(_is_object, row["regions"])]
            )
            count += bool(drawn)
            for region in drawn:
                view, image = row["view"][region["image_index"]], row["images"][region["image_index"]]
                name = pictures.paths({"images": [image]})[0]
                number = images.setdefault(name, (len(images) + 1, view["width"], view["height"]))[0]
                found = self._annotation(region, number, view["width"], view["height"])
                annotations.setdefault(dumps(found), found)
        self._splits[split] = (
            [{"id": n, "file_name": name, "width": w, "height": h} for name, (n, w, h) in images.items()],
            [{"id": number, **found} for number, found in enumerate(annotations.values(), 1)],
        )
        return count

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Write one file a split, all with the same categories."""
        categories = [{"id": number, "name": name} for name, number in self._categories.items()]
        for split, (images, annotations) in self._splits.items():
            data = {"info": {"description": release}, "images": images, "annotations": annotations}
            write_bytes(folder / f"instances_{split}.json", dumps({**data, "categories": categories}) + b"\n")

    def _annotation(self, region: Mapping[str, Any], image: int, width: int, height: int) -> dict[str, Any]:
        x0, y0, x1, y1 = (edge * size for edge, size in zip(region["box"], (width, height) * 2, strict=True))
        box = [round(value, 2) for value in (x0, y0, x1 - x0, y1 - y0)]
        segmentation, area = _shape(region, width, height)
        category = self._categories.setdefault(region["label"], len(self._categories) + 1)
        return {
            "image_id": image, "category_id": category, "bbox": box, "iscrowd": 0,
            "area": area if segmentation else round(box[2] * box[3], 2), "segmentation": segmentation,
        }  # fmt: skip


def _is_object(region: Mapping[str, Any]) -> bool:
    return bool(region["kind"] != "point" and region["label"] != "crop")


def _shape(region: Mapping[str, Any], width: int, height: int) -> tuple[Any, float]:
    """COCO's ``segmentation`` and the area in pixels; an empty list for a box."""
    if region["rle"]:
        from schemas.masks import decode

        size = (region["size"][0], region["size"][1])
        return {"size": list(size), "counts": region["rle"]}, float(decode(region["rle"], size).sum())
    points = region["points"]
    if not points:
        return [], 0.0
    flat = [round(value * (height if number % 2 else width), 2) for number, value in enumerate(points)]
    corners = list(zip(flat[::2], flat[1::2], strict=True))
    turned = zip(corners, corners[1:] + corners[:1], strict=True)
    return [flat], round(abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in turned)) / 2, 2)
