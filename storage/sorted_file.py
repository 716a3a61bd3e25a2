"""Tables sorted by ``order`` in Arrow files: a range of orders is found and read without touching the rest.

A shard takes a few cases out of each of thousands of partitions; opening a Parquet file of sixty nested columns for
each costs ten times as much as mapping an Arrow file.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from storage.atomic import settle, unfinished

BATCH_ROWS = 1024


def write_sorted(path: Path, table: Any, **facts: Any) -> None:
    """Write a table that is sorted by its column ``order``; ``facts`` can be read without the rows."""
    whole = table.combine_chunks()
    batches = whole.to_batches(max_chunksize=BATCH_ROWS)
    firsts = [batch["order"][0].as_py() for batch in batches]
    schema = table.schema.with_metadata({"firsts": json.dumps(firsts), "facts": json.dumps(facts)})
    with pa.ipc.new_file(str(unfinished(path)), schema) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
    settle(path)


class SortedFile:
    """A file that `write_sorted` wrote, mapped into memory."""

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        metadata = self._reader.schema.metadata
        self._firsts: list[str] = json.loads(metadata[b"firsts"])
        self.facts: dict[str, Any] = json.loads(metadata[b"facts"])
        self.schema = self._reader.schema.remove_metadata()

    def between(self, first: str, last: str) -> Any:
        """The rows whose order lies in ``first..last``, both included."""
        parts = []
        for number, begins in enumerate(self._firsts):
            ends = self._firsts[number + 1] if number + 1 < len(self._firsts) else last
            # A case may begin at the end of one batch and go on in the next.
            if begins <= last and ends >= first:
                parts.append(_within(self._reader.get_batch(number), first, last))
        return pa.Table.from_batches([part.replace_schema_metadata(None) for part in parts], self.schema)


def _within(batch: Any, first: str, last: str) -> Any:
    orders = batch["order"]
    begin = pc.sum(pc.less(orders, first)).as_py() or 0
    end = pc.sum(pc.less_equal(orders, last)).as_py() or 0
    return batch.slice(begin, end - begin)
