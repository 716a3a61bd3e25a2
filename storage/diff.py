"""What changed between two releases: rows by id, the recipe, and what became of the sources' cases."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from schemas.manifest import Manifest
from storage.store import open_address, read_manifest, shard_split

BLOBS = {"images": "images.list.element.bytes", "volumes": "volumes.list.element.bytes"}
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """Of release ``new`` against ``old``."""

    old: str
    new: str
    same: int
    """Rows that are in both, equal in every column and every byte of their pictures."""
    added: dict[str, int]
    """Rows only in the new one, counted by ``dataset/task``."""
    removed: dict[str, int]
    changed: dict[str, int]
    """Rows of equal id that differ."""
    columns: dict[str, int]
    """Columns in which they differ, and in how many rows."""
    examples: dict[str, list[str]]
    """A few ids of each kind: added, removed, changed."""
    recipe: dict[str, list[Any]]
    """Key -> old and new value; ``null`` where one has it not."""
    specs: dict[str, list[Any]]
    totals: dict[str, list[int]]
    """``case/kept`` and so on -> old and new count."""

    @property
    def equal(self) -> bool:
        """Whether rows, recipe, specs and totals are the same."""
        return not (self.added or self.removed or self.changed or self.recipe or self.specs or self.totals)

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def diff(old: str | Path, new: str | Path) -> Difference:
    """Compare two releases, by folder or address.

    Shards of equal sha256 are not read.  Memory holds an id and a hash of every row of the others.

    Raises:
        UserError: there is no release at one of the addresses.
    """
    import polars as pl

    before, after = read_manifest(old), read_manifest(new)
    common = {file.sha256 for file in before.files} & {file.sha256 for file in after.files}
    same = sum(file.rows for file in before.files if file.sha256 in common and file.path.startswith("data/"))
    left, right = _rows(old, before, common), _rows(new, after, common)
    both = left.join(right, on="id", suffix="_new")
    unequal = both.filter(pl.col("row") != pl.col("row_new"))
    added, removed = right.join(left, on="id", how="anti"), left.join(right, on="id", how="anti")
    columns = _columns(old, before, new, after, common, set(unequal["id"].to_list()))
    return Difference(
        old=f"{before.name}@{before.version}", new=f"{after.name}@{after.version}",
        same=same + both.height - unequal.height, added=_counts(added), removed=_counts(removed),
        changed=_counts(unequal), columns=columns,
        examples={"added": _first(added), "removed": _first(removed), "changed": _first(unequal)},
        recipe=_keys(before.recipe, after.recipe, skip=("version",)),
        specs=_keys({s["name"]: s for s in before.specs}, {s["name"]: s for s in after.specs}),
        totals=_keys(before.totals, after.totals),
    )  # fmt: skip


def _rows(release: str | Path, manifest: Manifest, skip: set[str]) -> Any:
    """Frame of ``id``, ``kind`` (dataset/task) and ``row``, a hash of all columns."""
    import polars as pl

    frames = [
        frame.select("id", kind=pl.concat_str("dataset", "task", separator="/"), row=_hash(frame.columns))
        for frame in _frames(release, manifest, skip)
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema={"id": pl.String, "kind": pl.String, "row": pl.UInt64})


def _columns(
    old: str | Path, before: Manifest, new: str | Path, after: Manifest, skip: set[str], ids: set[str]
) -> dict[str, int]:
    """In how many of the rows each column differs."""
    import polars as pl

    if not ids:
        return {}
    sides = []
    for release, manifest in ((old, before), (new, after)):
        frames = (frame.filter(pl.col("id").is_in(list(ids))) for frame in _frames(release, manifest, skip))
        hashed = [frame.select("id", *(_hash([c]).alias(c) for c in frame.columns if c != "id")) for frame in frames]
        sides.append(pl.concat(hashed))
    joined = sides[0].join(sides[1], on="id", suffix="_new")
    counts = {c: int((joined[c] != joined[f"{c}_new"]).sum()) for c in sides[0].columns if c != "id"}
    return {column: count for column, count in counts.items() if count}


def _hash(columns: list[str]) -> Any:
    import polars as pl

    return pl.struct(columns).struct.json_encode().hash()


def _frames(release: str | Path, manifest: Manifest, skip: set[str]) -> Iterator[Any]:
    """Row group by row group, digests in the place of bytes."""
    import polars as pl
    import pyarrow.parquet as pq

    fs, path = open_address(release)
    for file in manifest.files:
        if shard_split(file.path) and file.path.startswith("data/") and file.sha256 not in skip:
            with fs.open(f"{path}/{file.path}", "rb") as stream:
                source = pq.ParquetFile(stream, read_dictionary=list(BLOBS.values()))
                for number in range(source.num_row_groups):
                    table = source.read_row_group(number)
                    for name in BLOBS:
                        table = table.set_column(table.schema.get_field_index(name), name, _digests(table[name]))
                    yield pl.from_arrow(table)


def _digests(column: Any) -> Any:
    """Lists of hex digests for lists of structs with ``bytes``; each distinct blob is hashed once."""
    import pyarrow as pa

    lists = column.combine_chunks()
    data = lists.flatten().field("bytes")
    known = pa.array([hashlib.blake2b(value.as_buffer(), digest_size=16).hexdigest() for value in data.dictionary])
    offsets = np.concatenate([[0], np.cumsum(lists.value_lengths().to_numpy(zero_copy_only=False))])
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), known.cast(pa.string()).take(data.indices))


def _counts(rows: Any) -> dict[str, int]:
    counted = rows.group_by("kind").len().sort("kind")
    return dict(counted.iter_rows())


def _first(rows: Any) -> list[str]:
    return list(rows["id"].sort().head(EXAMPLES))


def _keys(old: Any, new: Any, skip: tuple[str, ...] = (), prefix: str = "") -> dict[str, list[Any]]:
    """Paths of the leaves in which two trees of mappings differ, with both values."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {} if old == new else {prefix: [old, new]}
    found: dict[str, list[Any]] = {}
    for key in sorted({*old, *new} - set(skip)):
        path = f"{prefix}/{key}" if prefix else str(key)
        if key in old and key in new:
            found |= _keys(old[key], new[key], prefix=path)
        else:
            found[path] = [old.get(key), new.get(key)]
    return found
