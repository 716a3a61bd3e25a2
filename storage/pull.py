"""Copies a release, or a part of it, to a local folder and verifies every byte on the way."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from schemas.errors import ReleaseError, UserError
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
        to: the copy becomes ``<to>/<name>-<version>`` (``-<split>`` with a split).
        split: only the shards of this split; card and manifest then speak of it alone.
        where: only rows for which this SQL condition over the published columns holds; see `storage.select`.

    Returns:
        The folder of the copy, which is a release of its own: it verifies and loads.

    Raises:
        UserError: no such release or split, or the folder holds something else.
        ReleaseError: a file did not arrive as published.
    """
    address = find_release(release, store)
    manifest = read_manifest(address)
    _check_split(manifest, split)
    folder = Path(to) / "-".join([manifest.name, manifest.version, *([split] if split else [])])
    if (folder / MANIFEST).exists():
        return _already(folder)
    files = [file for file in manifest.files if shard_split(file.path) in (None, split) or split is None]
    fs, path = open_address(address)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda file: _fetch(fs, path, file, folder), files))
    manifest = manifest.model_copy(update={"files": files})
    if split:
        manifest = _narrowed(folder, manifest, f"split = {split}")
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
