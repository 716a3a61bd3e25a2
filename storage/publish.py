"""Puts a finished folder into a store, the manifest last: only then does the release exist, and it never changes."""

import os
import shutil
from pathlib import Path
from typing import Any

from schemas.errors import ReleaseError, UserError
from schemas.manifest import Manifest
from storage.atomic import unfinished, write_bytes
from storage.store import MANIFEST, is_local, open_address, release_address


def publish(folder: Path | str, store: str | Path, manifest: Manifest) -> str:
    """Copy the files that the manifest names, then create ``manifest.json``.

    Args:
        folder: the finished release; on the same disk as a local store its files are linked, not copied.
        store: folder or fsspec address.
        manifest: of the release; what it does not name is not published.

    Returns:
        The release's address.

    Raises:
        UserError: that version is published already, or files of something else lie in its place.
        ReleaseError: a file is missing in ``folder`` or has another size than the manifest says.
    """
    folder = Path(folder)
    address = release_address(store, manifest.name, manifest.version)
    fs, path = open_address(address)
    _refuse_if_taken(fs, path, manifest)
    for file in manifest.files:
        source = folder / file.path
        if not source.is_file() or source.stat().st_size != file.bytes:
            raise ReleaseError(f"{file.path} is missing or has changed since the manifest was made; run again")
    for file in manifest.files:
        _put(fs, folder / file.path, f"{path}/{file.path}")
    try:
        _create(fs, f"{path}/{MANIFEST}", manifest_bytes(manifest))
    except FileExistsError:
        raise _taken(manifest) from None
    return address


def manifest_bytes(manifest: Manifest) -> bytes:
    """What ``manifest.json`` holds."""
    return (manifest.model_dump_json(indent=2) + "\n").encode()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` of a local copy."""
    write_bytes(folder / MANIFEST, manifest_bytes(manifest))


def _refuse_if_taken(fs: Any, path: str, manifest: Manifest) -> None:
    if fs.exists(f"{path}/{MANIFEST}"):
        raise _taken(manifest)
    # A publication that died leaves files without a manifest; the same run writes them again.
    named = {f"{path}/{file.path}" for file in manifest.files}
    found = fs.find(path) if fs.exists(path) else []
    strangers = [place for place in found if place not in named and not place.endswith(".unfinished")]
    if strangers:
        raise UserError(f"{path} holds files that are not of this release, such as {strangers[0]}; remove them first")


def _taken(manifest: Manifest) -> UserError:
    return UserError(
        f"{manifest.name}@{manifest.version} is published already and releases never change; choose a new version"
    )


def _put(fs: Any, source: Path, target: str) -> None:
    if not is_local(fs):
        fs.put_file(str(source), target)
        return
    final = Path(target)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(final)
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
    temporary.replace(final)
    # Renaming a link to the very file that already has the name does nothing and leaves the link.
    temporary.unlink(missing_ok=True)


def _create(fs: Any, target: str, data: bytes) -> None:
    """Write a file that must not exist yet; of two publishers at once one gets `FileExistsError`."""
    if not is_local(fs):
        fs.pipe_file(target, data, mode="create")
        return
    final = Path(target)
    temporary = final.with_name(f"{final.name}.{os.getpid()}.unfinished")
    write_bytes(temporary, data)
    try:
        os.link(temporary, final)
    finally:
        temporary.unlink()
