"""``medcurate fetch``: the files that a spec names, from HTTP(S) or any fsspec address, resumed and checked."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import fsspec

from flows.progress import tell
from schemas.errors import ReleaseError, UserError
from schemas.spec import DatasetSpec, load_spec

BLOCK = 4 << 20
"""Bytes of one request."""
MEGA = 10**6
KEYS = {"url", "path", "sha256"}


def fetch(spec_path: Path) -> list[dict[str, Any]]:
    """Bring every file of the spec below its root; what is there already and right is left alone.

    Returns:
        One line per file: path, bytes, state (``here`` or ``fetched``).

    Raises:
        UserError: the spec names no files, or one in a way that cannot be fetched.
        ReleaseError: a file did not arrive as the spec says.
    """
    spec = load_spec(spec_path.resolve())
    if not spec.files:
        page = f"; its homepage says how to get it: {spec.homepage}" if spec.homepage else ""
        raise UserError(f"{spec.name} names no files to fetch; list them under `files` in its spec{page}")
    targets = [_target(spec, entry) for entry in spec.files]
    lines = []
    for entry, target in zip(spec.files, targets, strict=True):
        lines.append(_fetch_one(spec.name, entry, target))
    return lines


def _target(spec: DatasetSpec, entry: dict[str, str]) -> Path:
    unknown, missing = set(entry) - KEYS, {"url", "path"} - set(entry)
    if unknown or missing:
        raise UserError(
            f"{spec.name}: a file has the keys url, path and sha256; here {sorted(unknown or missing)} is wrong"
        )
    path = PurePosixPath(entry["path"])
    if path.is_absolute() or ".." in path.parts or not spec.root or "://" in spec.root:
        raise UserError(f"{spec.name}: {path} must lie below the spec's root, a local folder")
    return Path(spec.root, *path.parts)


def _fetch_one(name: str, entry: dict[str, str], target: Path) -> dict[str, Any]:
    wanted = entry.get("sha256", "")
    if target.is_file() and (not wanted or _sha256(target) == wanted):
        return {"path": entry["path"], "bytes": target.stat().st_size, "state": "here"}
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    _download(name, entry["url"], part)
    if wanted and (found := _sha256(part)) != wanted:
        part.unlink()
        raise ReleaseError(
            f"{name}: {entry['path']} has sha256 {found}, not {wanted} as the spec says; "
            "the file changed at its source, or the spec is wrong"
        )
    part.replace(target)
    return {"path": entry["path"], "bytes": target.stat().st_size, "state": "fetched"}


def _download(name: str, url: str, part: Path) -> None:
    """Append what is missing to ``part``; begins again where the server cannot send from the middle."""
    have = part.stat().st_size if part.exists() else 0
    try:
        try:
            _copy(url, part, have)
        except ValueError:
            # A server that knows no ranges sends the whole, which is then taken as it comes.
            _copy(url, part, 0, block_size=0)
    except FileNotFoundError:
        raise ReleaseError(
            f"{name}: there is nothing at {url}; the source has moved, or nobody answers there"
        ) from None
    except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
        raise ReleaseError(
            f"{name}: {url} broke off ({type(error).__name__}); run the same command again to go on from there"
        ) from None


def _copy(url: str, part: Path, have: int, block_size: int | None = None) -> None:
    """Copy ``url`` from byte ``have`` on; `ValueError` where the server sends only the whole."""
    fs, path = fsspec.url_to_fs(url)
    # Without a cache every block is a request of its own, so that what arrived before a break is kept.
    with (
        fs.open(path, "rb", cache_type="none", block_size=block_size) as source,
        part.open("ab" if have else "wb") as copy,
    ):
        if have and source.seek(have) != have:
            raise ValueError("no ranges")
        size = getattr(source, "size", None) or 0
        for block in _blocks(source):
            have += copy.write(block)
            tell(f"fetching {part.name.removesuffix('.part')}", have // MEGA, max(size, have) // MEGA, "MB")
        copy.flush()
        os.fsync(copy.fileno())


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
