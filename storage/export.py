"""A release in the layout that a training or evaluation framework reads."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schemas import plugins
from schemas.errors import UserError
from schemas.manifest import Manifest
from schemas.yaml_file import validate
from storage.card import by_split
from storage.restricted import is_restricted
from storage.store import open_address, read_manifest, shard_split

BATCH = 64
MASK_TASK = "referring_segmentation"
"""The task whose target is the mask of the row's region, for which a token stands in the text."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    format: str
    folder: str
    rows: dict[str, int]
    """Rows of each split that are in the export."""
    left_out: int
    """Rows that the format cannot say, those about volumes and most masks among them, or that are restricted."""

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def export(
    release: str | Path, kind: str, to: Path | str, split: str | None = None, options: dict[str, Any] | None = None
) -> Exported:
    """Write a release in another format; rows stream, so memory stays small.

    Args:
        release: folder or address of one release.
        kind: a name registered under ``medcurate.exports``: llava, llama_factory, openai, qwen, trl, vlmevalkit,
            r1, coco, trl_preference.
        to: a folder that does not exist yet, or is empty.
        split: only this one.
        options: of the format, checked against its ``Options``.

    Raises:
        UserError: no such release, split, format or option, or the folder holds something.
    """
    manifest = read_manifest(release)
    format_type = plugins.load("exports", kind)
    writer = format_type(validate(format_type.Options, options or {}, f"export {kind}: options"))
    folder = _empty(Path(to))
    splits = list(by_split(manifest.files))
    if split is not None and split not in splits:
        raise UserError(f"{manifest.name}@{manifest.version} has no split {split!r}; it has {', '.join(splits)}")
    counts, seen = {}, 0
    for name in [split] if split else splits:
        rows = _Counted(read_rows(release, manifest, name))
        counts[name] = writer.write((row for row in rows if _sayable(row, writer)), name, folder)
        seen += rows.count
    writer.finish(counts, f"{manifest.name}-{manifest.version}", folder)
    return Exported(kind, str(folder), counts, seen - sum(counts.values()))


def _sayable(row: dict[str, Any], writer: Any) -> bool:
    """Whether the row may leave the release, and the format can carry what it asks about.

    A question about a volume, written without it, could not be answered, and without its mask ``[SEG]`` is no answer.
    """
    carried = not row["volumes"] or getattr(writer, "volumes", False)
    told = row["task"] != MASK_TASK or getattr(writer, "masks", False)
    return bool(not is_restricted(row) and carried and told)


def read_rows(release: str | Path, manifest: Manifest, split: str) -> Iterator[dict[str, Any]]:
    """All rows of one split in published order, as Python objects, a few at a time."""
    import pyarrow.parquet as pq

    fs, path = open_address(release)
    for file in manifest.files:
        if file.path.startswith("data/") and shard_split(file.path) == split:
            with fs.open(f"{path}/{file.path}", "rb") as stream:
                for batch in pq.ParquetFile(stream).iter_batches(BATCH):
                    yield from batch.to_pylist()


class _Counted:
    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            self.count += 1
            yield row


def _empty(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not an empty folder; choose another")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
