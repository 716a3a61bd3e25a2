"""LLaVA conversations: ``<split>.json`` with ``id``, ``image`` (a path, or paths) and ``conversations``.

A row whose target is a mask has ``masks`` too, one for each ``[SEG]``: label, number of the image (from 0), and the
mask as COCO's run lengths (``size`` as height and width, ``counts``).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from schemas.spec import Strict
from storage.exports.base import Pictures, Row, json_array

SPEAKERS = {"user": "human", "assistant": "gpt"}


class Llava:
    """As LLaVA and its descendants train on; a row without pictures has no key ``image``."""

    name: ClassVar[str] = "llava"
    masks: ClassVar[bool] = True

    class Options(Strict):
        """Options."""

        always_list: bool = False
        """``image`` is a list even of one picture, as PubMedVision has it."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split."""
        pictures = Pictures(folder)
        with json_array(folder / f"{split}.json") as array:
            for row in rows:
                array.add(self._item(row, pictures.paths(row)))
        return array.count

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Nothing describes the splits."""

    def _item(self, row: Row, paths: list[str]) -> dict[str, Any]:
        image = {"image": paths if self.options.always_list or len(paths) > 1 else paths[0]} if paths else {}
        turns = [{"from": SPEAKERS[turn["role"]], "value": turn["content"]} for turn in row["messages"]]
        masks = {"masks": [_mask(each) for each in row["regions"]]} if row["task"] == "referring_segmentation" else {}
        return {"id": row["id"], **image, "conversations": turns, **masks}


def _mask(region: Mapping[str, Any]) -> dict[str, Any]:
    mask = {"size": list(region["size"]), "counts": region["rle"]}
    return {"label": region["label"], "image": region["image_index"], **mask}
