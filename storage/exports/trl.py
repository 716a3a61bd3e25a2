"""TRL's vision rows: Parquet with ``images`` and structured ``messages``, for `SFTTrainer` and its like."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from schemas.spec import Strict
from storage.atomic import settle, unfinished
from storage.exports.base import Row, pieces

BATCH = 100
TURNS = {
    "_type": "List",
    "feature": {
        "role": {"_type": "Value", "dtype": "string"},
        "content": {
            "_type": "List",
            "feature": {
                "type": {"_type": "Value", "dtype": "string"},
                "text": {"_type": "Value", "dtype": "string"},
            },
        },
    },
}


class Trl:
    """A turn is a list of ``{"type": "image"}`` and ``{"type": "text", "text": ...}``; pictures apart, in order."""

    name: ClassVar[str] = "trl"
    turns: ClassVar[tuple[str, ...]] = ("messages",)
    """Columns of turns."""

    class Options(Strict):
        """Options."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split as ``<split>-00000-of-00001.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path, count, batch = folder / f"{split}-00000-of-00001.parquet", 0, []
        folder.mkdir(parents=True, exist_ok=True)
        schema = _schema(self.turns)
        with pq.ParquetWriter(unfinished(path), schema, compression="zstd") as writer:
            for row in rows:
                items = list(self.items(row))
                count += bool(items)
                batch += items
                if len(batch) >= BATCH:
                    writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
                    batch = []
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
        settle(path)
        return count

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Nothing more: `datasets` finds the splits by the files' names."""

    def items(self, row: Row) -> Iterator[dict[str, Any]]:
        """The lines of one row."""
        yield {**shown(row), "messages": [turn(said["role"], said["content"]) for said in row["messages"]]}


def shown(row: Row) -> dict[str, Any]:
    """The row's id and pictures."""
    return {
        "id": row["id"],
        "images": [{"bytes": image["bytes"], "path": image["path"]} for image in row["images"]],
    }


def turn(role: str, content: str) -> dict[str, Any]:
    """One turn as TRL has it."""
    return {"role": role, "content": _content(content)}


def _content(content: str) -> list[dict[str, Any]]:
    return [
        {"type": "image", "text": None} if text is None else {"type": "text", "text": text} for text in pieces(content)
    ]


def _schema(turns: tuple[str, ...]) -> Any:
    import pyarrow as pa

    text = pa.string()
    part = pa.struct([("type", text), ("text", text)])
    said = pa.list_(pa.struct([("role", text), ("content", pa.list_(part))]))
    images = pa.list_(pa.struct([("bytes", pa.binary()), ("path", text)]))
    schema = pa.schema([("id", text), ("images", images), *((name, said) for name in turns)])
    features = {
        "id": {"_type": "Value", "dtype": "string"},
        "images": {"_type": "List", "feature": {"_type": "Image"}},
        **dict.fromkeys(turns, TURNS),
    }
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
