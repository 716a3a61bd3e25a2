"""One Parquet shard: rows of a case adjacent in one row group, each distinct picture once per row group."""

import base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import ReleaseError
from schemas.instruction import arrow_schema
from schemas.manifest import ReleaseFile
from storage.gather import Blobs, Shard, Whole
from storage.sink import HashedSink

GROUP_ROWS = 1000
GROUP_BYTES = 8 << 20
"""Distinct bytes of one row group: beyond, fresh memory costs more than fewer groups save (measured: 8 MB 172 us a
picture of 47 kB, 32 MB 300 us)."""
GROUP_READ_BYTES = 256 << 20
"""Bytes of one row group when read, every picture repeated in every row that shows it: readers such as
`datasets` hold a row group at once."""
DICTIONARY_BYTES = 2_000_000_000
"""A dictionary page cannot be larger than 2 GiB."""
BLOB_LEAVES = ("images.list.element.bytes", "volumes.list.element.bytes")


def write_parquet(shard: Shard, folder: Path) -> ReleaseFile:
    """Write the shard under its planned name in the release ``folder``."""
    with HashedSink(folder, shard.plan.parquet) as sink:
        with open_writer(sink, shard.restricted) as writer:
            images, volumes = _Column(shard, "images"), _Column(shard, "volumes")
            for first, last in _groups(shard, images.read_bytes + volumes.read_bytes):
                table = shard.rows.slice(first, last - first)
                table = table.set_column(table.schema.get_field_index("images"), "images", images.lists(first, last))
                table = table.set_column(table.schema.get_field_index("volumes"), "volumes", volumes.lists(first, last))
                write_group(writer, table)
        return sink.finish(shard.rows.num_rows)


def open_writer(sink: HashedSink, restricted: bool) -> Any:
    """A `pyarrow.parquet.ParquetWriter` of the published schema for `write_group`."""
    writer = pq.ParquetWriter(sink, _write_schema(), **_options())
    writer.add_key_value_metadata(_metadata(restricted))
    return writer


def write_group(writer: Any, table: Any) -> None:
    """Write one row group; the bytes in ``images`` and ``volumes`` are dictionaries."""
    # In one piece: where chunks begin would show in the pages.
    writer.write_table(table.cast(_write_schema()).combine_chunks(), row_group_size=max(1, table.num_rows))


class _Column:
    """The ``images`` or ``volumes`` of the rows, as lists of structs whose bytes are a dictionary."""

    def __init__(self, shard: Shard, name: str) -> None:
        self._shard = shard
        self._blobs: Blobs = getattr(shard, name)
        lists = shard.rows[name].combine_chunks()
        counts = lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
        case = np.repeat(np.arange(shard.cases.num_rows), np.diff(shard.row_start))
        self._start: Whole = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        base = np.repeat(self._blobs.start[case], counts)
        self._entry: Whole = base + lists.flatten().to_numpy().astype(np.int64)
        size = np.where(self._blobs.offset < 0, 0, self._blobs.length)[self._entry]
        total = np.concatenate([[0], np.cumsum(size)])
        self.read_bytes: Whole = total[self._start[1:]] - total[self._start[:-1]]
        """Bytes of each row when read."""
        orders = shard.cases["order"].to_pylist()
        owner = np.repeat(np.arange(shard.cases.num_rows), np.diff(self._blobs.start))
        self._paths = pa.array(
            [f"{orders[c]}.{name}" for c, name in zip(owner, self._blobs.name, strict=True)], pa.string()
        )

    def lists(self, first: int, last: int) -> Any:
        """The column of the rows ``first..last``."""
        start, end = int(self._start[first]), int(self._start[last])
        entry = self._entry[start:end]
        offsets = pa.array((self._start[first : last + 1] - start).astype(np.int32))
        members = [self._bytes(entry), self._paths.take(pa.array(entry))]
        return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(members, ["bytes", "path"]))

    def _bytes(self, entry: Whole) -> Any:
        """The entries' bytes as a dictionary in order of first use; null where withheld."""
        blobs = self._blobs
        withheld = blobs.offset[entry] < 0
        _, where, code = np.unique(blobs.code[entry], return_index=True, return_inverse=True)
        by_use = np.argsort(where)
        rank = np.empty_like(by_use)
        rank[by_use] = np.arange(len(by_use))
        indices = pa.array(rank[code].astype(np.int32), mask=withheld)
        return pa.DictionaryArray.from_arrays(indices, self._fetch(entry[where[by_use]]))

    def _fetch(self, entries: Whole) -> Any:
        """The bytes of distinct entries, as one binary array."""
        blobs = self._blobs
        lengths = np.where(blobs.offset[entries] < 0, 0, blobs.length[entries])
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        if offsets[-1] > DICTIONARY_BYTES:
            raise ReleaseError(
                f"one case of {self._shard.plan.parquet} holds more than 2 GB, which no row group takes; "
                "choose converters that cut slices out of its volumes"
            )
        buffer = pa.allocate_buffer(int(offsets[-1]))
        view = memoryview(buffer)
        for number, entry in enumerate(entries):
            if lengths[number]:
                self._shard.read(blobs, int(entry), view[offsets[number] : offsets[number + 1]])
        return pa.Array.from_buffers(pa.binary(), len(entries), [None, pa.py_buffer(offsets.astype(np.int32)), buffer])


def _groups(shard: Shard, read_bytes: Whole) -> Iterator[tuple[int, int]]:
    """Row ranges of the row groups; a case is never cut."""
    distinct = shard.cases["bytes"].to_numpy()
    read = np.add.reduceat(read_bytes, shard.row_start[:-1]) if len(read_bytes) else read_bytes
    begin = size = expanded = 0
    for case in range(shard.cases.num_rows):
        first, last = int(shard.row_start[case]), int(shard.row_start[case + 1])
        over = size + distinct[case] > GROUP_BYTES or expanded + read[case] > GROUP_READ_BYTES
        if first > begin and (over or last - begin > GROUP_ROWS):
            yield begin, first
            begin, size, expanded = first, 0, 0
        size += int(distinct[case])
        expanded += int(read[case])
    yield begin, int(shard.row_start[-1])


@cache
def _write_schema() -> Any:
    """`arrow_schema` with the bytes as dictionaries, which Parquet stores as they are."""
    blob = pa.struct([("bytes", pa.dictionary(pa.int32(), pa.binary())), ("path", pa.string())])
    fields = [
        pa.field(field.name, pa.list_(blob)) if field.name in ("images", "volumes") else field
        for field in arrow_schema()
    ]
    return pa.schema(fields)


def _metadata(restricted: bool) -> dict[str, str]:
    """What readers need to see the fixed schema: the features of `datasets` and Arrow's own, not the dictionaries."""
    schema = arrow_schema()
    if restricted:
        # Without pixels there is nothing to decode, and `datasets` would look for the path on the reader's disk.
        features = schema.metadata[b"huggingface"].replace(
            b'{"_type": "Image"}', b'{"_type": "Image", "decode": false}'
        )
        schema = schema.with_metadata({**schema.metadata, b"huggingface": features})
    metadata = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    return {**metadata, "ARROW:schema": base64.b64encode(schema.serialize()).decode()}


@cache
def _options() -> dict[str, Any]:
    leaves = [leaf for leaf in _leaves() if leaf not in BLOB_LEAVES]
    return {
        "store_schema": False,
        "use_dictionary": [*BLOB_LEAVES, *(leaf for leaf in leaves if leaf != "id")],
        "dictionary_pagesize_limit": DICTIONARY_BYTES,
        "compression": {**dict.fromkeys(leaves, "zstd"), **dict.fromkeys(BLOB_LEAVES, "none")},
        "write_statistics": leaves,
    }


def _leaves() -> list[str]:
    """Parquet's paths of all leaf columns of the fixed schema."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, arrow_schema()) as writer:
        writer.write_table(arrow_schema().empty_table())
    schema = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [schema.column(index).path for index in range(len(schema))]
