"""Rows of a release by an SQL condition: shards are written anew, in the same formats, with nothing else changed."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import UserError
from schemas.manifest import ReleaseFile
from storage.parquet_shard import GROUP_BYTES, GROUP_ROWS, open_writer, write_group
from storage.sink import HashedSink
from storage.tar import CLOSING, header, padding


def matching_ids(shard: Path, where: str) -> set[str]:
    """Ids of the rows of a Parquet shard for which the condition holds; only the columns it names are read.

    Args:
        shard: local file.
        where: polars SQL over the published columns, e.g. ``modality = 'CT' and task in ('mcq', 'open')``,
            ``array_contains(labels, 'nodule')``, ``provenance.converter = 'count'``.

    Raises:
        UserError: the condition is not SQL, names an unknown column, or is not true or false.
    """
    import polars as pl

    try:
        found = pl.scan_parquet(shard).filter(pl.sql_expr(where)).select("id").collect()
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"the condition {where!r} cannot be used: {reason}") from None
    return set(found["id"].to_list())


def select_parquet(shard: Path, ids: set[str], folder: Path, path: str) -> ReleaseFile:
    """Write the rows of ``shard`` whose id is in ``ids`` as ``folder/path``, each picture once per row group."""
    source = pq.ParquetFile(shard)
    restricted = b'"decode": false' in source.schema_arrow.metadata[b"huggingface"]
    wanted, rows = pa.array(sorted(ids), pa.string()), 0
    with HashedSink(folder, path) as sink:
        with open_writer(sink, restricted) as writer:
            for table in _groups(source, wanted):
                for name in ("images", "volumes"):
                    column = _encoded(table[name].combine_chunks())
                    table = table.set_column(table.schema.get_field_index(name), name, column)
                write_group(writer, table)
                rows += table.num_rows
        return sink.finish(rows)


def select_tar(shard: Path, ids: set[str], folder: Path, path: str) -> ReleaseFile:
    """Write the cases of a tar that have a row in ``ids``, with those rows only, as ``folder/path``."""
    rows = 0
    with HashedSink(folder, path) as sink:
        for members in _samples(shard):
            name, data = members[-1]
            sample = json.loads(data)
            sample["rows"] = [row for row in sample["rows"] if row["id"] in ids]
            if sample["rows"]:
                rows += len(sample["rows"])
                members[-1] = name, json.dumps(sample, ensure_ascii=False, separators=(",", ":")).encode()
                for member, content in members:
                    sink.write(header(member, len(content)) + content + padding(len(content)))
        sink.write(CLOSING)
        return sink.finish(rows)


def _groups(source: Any, wanted: Any) -> Iterator[Any]:
    """The wanted rows in tables of a row group's size; what is left of several groups is put together."""
    import pyarrow.compute as pc

    waiting: list[Any] = []
    for number in range(source.num_row_groups):
        ids = source.read_row_group(number, columns=["id"])["id"]
        mask = pc.is_in(ids, value_set=wanted)
        if not pc.any(mask).as_py():
            continue
        waiting.append(source.read_row_group(number).filter(mask))
        if sum(t.num_rows for t in waiting) >= GROUP_ROWS or sum(t.nbytes for t in waiting) >= GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _encoded(lists: Any) -> Any:
    """A list of structs of bytes and path, its bytes made a dictionary."""
    counts = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    flat = lists.flatten()
    members = [flat.field("bytes").dictionary_encode(), flat.field("path")]
    offsets = pa.array([0, *counts.cumsum().tolist()], pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(members, ["bytes", "path"]))


def _samples(shard: Path) -> Iterator[list[tuple[str, bytes]]]:
    """Members of each sample, ``json`` last as they were written."""
    members: list[tuple[str, bytes]] = []
    with tarfile.open(shard) as tar:
        for member in tar:
            file = tar.extractfile(member)
            members.append((member.name, file.read() if file else b""))
            if member.name.endswith(".json"):
                yield members
                members = []
