"""Copies a release, or a part of it, to a local folder and verifies every byte on the way."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.errors import ReleaseError, UserError
from schemas.identity import digest
from schemas.manifest import Manifest, ReleaseFile
from storage.atomic import atomic
from storage.card import CARDS, narrow_cards
from storage.publish import write_manifest
from storage.store import BLOCK, MANIFEST, file_entry, find_release, open_address, read_manifest, shard_split
from storage.verify import verify

THREADS = 4


def pull(
    release: str, store: str | Path = "", to: Path | str = "", split: str | None = None, where: str | None = None
) -> str:
    """Copy a release and verify it; an interrupted copy goes on where it stopped.

    Args:
        release: ``name@version``, or the folder or address of one release.
        store: where ``name@version`` is looked up.
        to: the copy becomes ``<to>/<name>-<version>``, with ``-<split>`` or a digest of ``where`` behind.
        split: only the shards of this split; card and manifest then speak of it alone.
        where: only rows for which this SQL condition over the published columns holds; see
            `storage.select.matching_ids`.  Shards without such a row are left out.

    Returns:
        The folder of the copy, which is a release of its own: it verifies and loads.

    Raises:
        UserError: no such release or split, a condition that is wrong or fits no row, or the folder holds
            something else.
        ReleaseError: a file did not arrive as published.
    """
    address = find_release(release, store)
    manifest = read_manifest(address)
    _check_split(manifest, split)
    parts = [manifest.name, manifest.version, *([split] if split else []), *([digest(where)[:8]] if where else [])]
    folder = Path(to) / "-".join(parts)
    if (folder / MANIFEST).exists():
        return _already(folder)
    files = [file for file in manifest.files if shard_split(file.path) in (None, split) or split is None]
    shards = [file for file in files if shard_split(file.path)] if where else []
    others = [file for file in files if file not in shards]
    # The condition first: one that is wrong or fits no row must leave no half of a release behind.
    kept = _select(address, shards, folder, where) if where else []
    _fetch_all(address, others, folder)
    files = [*others, *kept]
    manifest = manifest.model_copy(update={"files": files})
    subset = " and ".join([*([f"split = {split}"] if split else []), *([f"({where})"] if where else [])])
    if subset:
        manifest = _narrowed(folder, manifest, subset)
    write_manifest(folder, manifest)
    return str(folder)


def _check_split(manifest: Manifest, split: str | None) -> None:
    splits = sorted({found for file in manifest.files if (found := shard_split(file.path))})
    if split is not None and split not in splits:
        raise UserError(f"{manifest.name}@{manifest.version} has no split {split!r}; it has {', '.join(splits)}")


def _already(folder: Path) -> str:
    problems = verify(folder)
    if problems:
        raise UserError(f"{folder} is not as published ({problems[0]}); remove it and pull again")
    return str(folder)


def _fetch_all(address: str, files: Sequence[ReleaseFile], folder: Path) -> None:
    fs, path = open_address(address)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda file: _fetch(fs, path, file, folder), files))


def _select(address: str, shards: Sequence[ReleaseFile], folder: Path, where: str) -> list[ReleaseFile]:
    """Fetch shard by shard, keep what the condition wants, and number the shards that are left anew."""
    from storage.select import matching_ids, select_parquet, select_tar

    ids: set[str] = set()
    with _scratch(folder) as scratch:
        found: list[tuple[Path, int]] = []
        for file in sorted(shards, key=lambda file: file.path):
            _fetch_all(address, [file], Path(scratch))
            local = Path(scratch) / file.path
            if file.path.endswith(".parquet"):
                mine = matching_ids(local, where)
                ids |= mine
                kept = select_parquet(local, mine, Path(scratch) / "kept", file.path)
            else:
                kept = select_tar(local, ids, Path(scratch) / "kept", file.path)
            local.unlink()
            if kept.rows:
                found.append((Path(scratch) / "kept" / file.path, kept.rows))
        if not found:
            raise UserError(f"no row fits the condition {where!r}")
        return [_placed(*part, folder) for part in _renumbered(found, Path(scratch) / "kept")]


def _placed(source: Path, rows: int, name: str, folder: Path) -> ReleaseFile:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    return file_entry(target, folder).model_copy(update={"rows": rows})


def _renumbered(files: Sequence[tuple[Path, int]], base: Path) -> Iterator[tuple[Path, int, str]]:
    """Each file with its rows and its name among those that are left."""
    groups: dict[tuple[str, str], list[tuple[Path, int]]] = {}
    for path, rows in files:
        split = shard_split(path.relative_to(base).as_posix()) or ""
        groups.setdefault((path.suffix, split), []).append((path, rows))
    for (suffix, split), found in groups.items():
        for index, (path, rows) in enumerate(found):
            tar, parquet = (
                f"webdataset/{split}-{index:06d}.tar",
                f"data/{split}-{index:05d}-of-{len(found):05d}.parquet",
            )
            yield path, rows, tar if suffix == ".tar" else parquet


@contextmanager
def _scratch(folder: Path) -> Iterator[str]:
    """A folder inside, so that what is kept is moved and not copied; an outer one that stays empty goes with it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=folder) as scratch:
            yield scratch
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _fetch(fs: Any, path: str, file: ReleaseFile, folder: Path) -> None:
    target = folder / file.path
    if target.is_file() and file_entry(target, folder).sha256 == file.sha256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    hasher = hashlib.sha256()
    try:
        with fs.open(f"{path}/{file.path}", "rb", block_size=BLOCK) as source, atomic(target) as copy:
            while block := source.read(BLOCK):
                hasher.update(block)
                copy.write(block)
            if hasher.hexdigest() != file.sha256:
                raise ReleaseError(f"{file.path} did not arrive as published (sha256); verify the release itself")
    except FileNotFoundError:
        raise ReleaseError(f"{file.path} is missing in the release; verify it") from None


def _narrowed(folder: Path, manifest: Manifest, subset: str) -> Manifest:
    """The manifest of a part: cards rewritten to name only what is here."""
    narrow_cards(folder, manifest, subset)
    files = [file for file in manifest.files if file.path not in CARDS]
    files += [file_entry(folder / name, folder) for name in CARDS if (folder / name).is_file()]
    return manifest.model_copy(update={"files": files, "subset": subset})
