"""LLaMA-Factory's ShareGPT layout: ``<split>.json`` with ``messages`` and ``images``, and ``dataset_info.json``."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from schemas.instruction import IMAGE
from schemas.spec import Strict
from storage.atomic import write_bytes
from storage.exports.base import Pictures, Row, dumps, json_array


class LlamaFactory:
    """Train with ``dataset_dir`` and ``media_dir`` set to the folder, ``dataset`` to ``<name-version>_<split>``."""

    name: ClassVar[str] = "llama_factory"

    class Options(Strict):
        """Options."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split; a row with another number of placeholders than pictures would stop training."""
        pictures = Pictures(folder)
        with json_array(folder / f"{split}.json") as array:
            for row in rows:
                if sum(turn["content"].count(IMAGE) for turn in row["messages"]) == len(row["images"]):
                    array.add({"messages": row["messages"], "images": pictures.paths(row)})
        return array.count

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Write ``dataset_info.json``."""
        info = {f"{release}_{split}": _described(split) for split in splits}
        write_bytes(folder / "dataset_info.json", dumps(info) + b"\n")


def _described(split: str) -> dict[str, Any]:
    return {
        "file_name": f"{split}.json",
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }
