"""One WebDataset shard: a sample is a case, its pictures once, and ``json`` with its rows.

    <order>.jpg  <order>.1.jpg  <order>.nii.gz  <order>.json

The key is the hash of the case, free of dots.  `datasets` infers types from the first five samples, so ``json`` has
every key in every sample, each always of one type: what may be empty or mixed is a string of JSON.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.manifest import ReleaseFile
from storage.gather import Blobs, Shard
from storage.sink import HashedSink
from storage.tar import CLOSING, header, padding

INFERRED_FROM = 5
"""`datasets` refuses a shard whose first five samples differ in their members."""
BLOCK_CASES = 256
"""Cases whose rows are Python objects at once."""
CASE_KEYS = ("dataset", "case_id", "group_id", "split", "license", "access")
ROW_KEYS = ("id", "task", "answer", "answer_index", "modality", "anatomy", "clinical_task")
JSON_KEYS = ("options", "regions", "labels", "view", "source_sha256", "provenance", "quality")
"""Columns that stand as a string of JSON; ``images`` and ``volumes`` too, as the members' names."""


def write_webdataset(shard: Shard, folder: Path) -> ReleaseFile:
    """Write the shard under its planned name in the release ``folder``."""
    orders = shard.cases["order"].to_pylist()
    members = [_members(shard, case) for case in range(len(orders))]
    with HashedSink(folder, shard.plan.webdataset) as sink:
        for case, rows in _rows_of(shard, _uniform_first(members)):
            images, volumes = members[case]
            for blobs, names in ((shard.images, images), (shard.volumes, volumes)):
                _write_blobs(sink, shard, blobs, case, orders[case], names)
            data = _sample(rows, images, volumes)
            sink.write(header(f"{orders[case]}.json", len(data)) + data + padding(len(data)))
        sink.write(CLOSING)
        return sink.finish(shard.rows.num_rows)


def features() -> list[dict[str, Any]]:
    """What ``json`` holds, as YAML of `datasets` features, for the card beside the shards."""
    text, message = "string", [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]
    row: list[dict[str, Any]] = [{"name": key, "dtype": "int64" if key == "answer_index" else text} for key in ROW_KEYS]
    row += [{"name": key, "dtype": text} for key in ("images", "volumes", *JSON_KEYS)]
    row.append({"name": "messages", "list": message})
    return [*({"name": key, "dtype": text} for key in CASE_KEYS), {"name": "rows", "list": row}]


def _members(shard: Shard, case: int) -> tuple[list[str], list[str]]:
    """Names after the key of a case's pictures and volumes: ``jpg``, ``1.jpg``, ..."""
    found = []
    for blobs in (shard.images, shard.volumes):
        first, last = int(blobs.start[case]), int(blobs.start[case + 1])
        extensions = [name.split(".", 1)[1] for name in blobs.name[first:last]]
        found.append([f"{number}.{ext}" if number else ext for number, ext in enumerate(extensions)])
    return found[0], found[1]


def _uniform_first(members: list[tuple[list[str], list[str]]]) -> list[int]:
    """Cases in hash order, but five of the commonest sort before all others."""
    shapes = [(*images, *volumes) for images, volumes in members]
    counts = Counter(shapes)
    common = min(counts, key=lambda shape: (-counts[shape], shape))
    first = [case for case, shape in enumerate(shapes) if shape == common][:INFERRED_FROM]
    early = set(first)
    return first + [case for case in range(len(shapes)) if case not in early]


def _rows_of(shard: Shard, cases: list[int]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Each case with its rows as Python objects."""
    for begin in range(0, len(cases), BLOCK_CASES):
        block = cases[begin : begin + BLOCK_CASES]
        spans = [(int(shard.row_start[case]), int(shard.row_start[case + 1])) for case in block]
        rows = iter(shard.rows.take([row for first, last in spans for row in range(first, last)]).to_pylist())
        for case, (first, last) in zip(block, spans, strict=True):
            yield case, [next(rows) for _ in range(last - first)]


def _write_blobs(sink: HashedSink, shard: Shard, blobs: Blobs, case: int, key: str, names: list[str]) -> None:
    start = int(blobs.start[case])
    for number, name in enumerate(names):
        if blobs.offset[start + number] < 0:
            continue
        size = int(blobs.length[start + number])
        data = bytearray(512 + size)
        data[:512] = header(f"{key}.{name}", size)
        shard.read(blobs, start + number, memoryview(data)[512:])
        sink.write(bytes(data + padding(size)))


def _sample(rows: list[dict[str, Any]], images: list[str], volumes: list[str]) -> bytes:
    """The ``json`` member of one case."""
    sample = {key: rows[0][key] for key in CASE_KEYS}
    sample["rows"] = [_row(row, images, volumes) for row in rows]
    return json.dumps(sample, ensure_ascii=False, separators=(",", ":")).encode()


def _row(row: dict[str, Any], images: list[str], volumes: list[str]) -> dict[str, Any]:
    line = {key: row[key] for key in ROW_KEYS}
    line["images"] = _packed([images[index] for index in row["images"]])
    line["volumes"] = _packed([volumes[index] for index in row["volumes"]])
    for key in JSON_KEYS:
        line[key] = _packed(row[key])
    line["messages"] = row["messages"]
    return line


def _packed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
