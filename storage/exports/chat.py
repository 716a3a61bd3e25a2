"""Chat messages as JSON lines: OpenAI's fine-tuning files, and Qwen-VL's with paths."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from schemas.spec import Strict
from storage.exports.base import Pictures, Row, pieces, write_lines


class OpenAi:
    """``{"messages": [...]}`` a line; a picture is an ``image_url`` with its bytes as a data address."""

    name: ClassVar[str] = "openai"

    class Options(Strict):
        """Options."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split."""
        lines = ({"messages": _messages(row, map(self._picture, row["images"]))} for row in rows)
        return write_lines(folder / f"{split}.jsonl", lines)

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Nothing describes the splits."""

    def _picture(self, image: Mapping[str, Any]) -> dict[str, Any]:
        kind = "png" if image["path"].endswith(".png") else "jpeg"
        data = base64.b64encode(image["bytes"]).decode()
        return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}


class Qwen(OpenAi):
    """The same with ``{"type": "image", "image": "images/..."}``, as qwen-vl-utils reads it."""

    name: ClassVar[str] = "qwen"

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split and its pictures."""
        pictures = Pictures(folder)

        def lines() -> Iterator[dict[str, Any]]:
            for row in rows:
                parts = ({"type": "image", "image": path} for path in pictures.paths(row))
                yield {"messages": _messages(row, parts)}

        return write_lines(folder / f"{split}.jsonl", lines())


def _messages(row: Row, pictures: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Turns with their pictures where the placeholders stand; an answer stays plain text."""
    waiting = iter(pictures)
    return [
        turn
        if turn["role"] == "assistant"
        else {
            "role": turn["role"],
            "content": [
                next(waiting) if text is None else {"type": "text", "text": text} for text in pieces(turn["content"])
            ],
        }
        for turn in row["messages"]
    ]
