"""Where releases live: any fsspec address, ``<store>/<name>/<version>/``, told from a plain folder by its manifest."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from schemas.errors import ReleaseError, UserError, nearest
from schemas.manifest import Manifest, ReleaseFile

MANIFEST = "manifest.json"
BLOCK = 8 << 20
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One release of a store."""

    name: str
    version: str
    rows: int
    cases: int
    files: int
    bytes: int
    license: str
    address: str

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def open_address(address: str | Path) -> tuple[Any, str]:
    """The fsspec file system of an address and the path on it, without a slash at the end.

    S3 takes endpoint, keys and region from the environment as every AWS tool does (``AWS_ENDPOINT_URL``,
    ``AWS_ACCESS_KEY_ID``, ...).
    """
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(str(address))
    except (ValueError, ImportError) as error:
        raise UserError(f"{address} is no address that fsspec knows: {error}") from None
    fs.invalidate_cache()
    return fs, str(path).rstrip("/")


def is_local(fs: Any) -> bool:
    """Whether the file system is this machine's own."""
    return "file" in ([fs.protocol] if isinstance(fs.protocol, str) else fs.protocol)


def release_address(store: str | Path, name: str, version: str) -> str:
    """Where a release of that name and version stands in the store."""
    return f"{str(store).rstrip('/')}/{name}/{version}"


@contextmanager
def reaching(address: str | Path) -> Iterator[None]:
    """`UserError` where a store cannot be reached; each file system raises its own kinds of error for that."""
    try:
        yield
    except (UserError, ReleaseError, FileNotFoundError, NotADirectoryError):
        raise
    except Exception as error:
        if "://" not in str(address):
            raise
        raise UserError(
            f"{address} cannot be reached ({type(error).__name__}: {error}); check the address, the network and "
            "your keys"
        ) from error


def exists(store: str | Path, name: str, version: str) -> bool:
    """Whether the store holds that release, published whole."""
    with reaching(store):
        fs, path = open_address(release_address(store, name, version))
        return bool(fs.exists(f"{path}/{MANIFEST}"))


def read_manifest(address: str | Path) -> Manifest:
    """The manifest of the release at an address; `UserError` where there is none, `ReleaseError` where it is broken."""
    try:
        with reaching(address):
            fs, path = open_address(address)
            data = fs.cat_file(f"{path}/{MANIFEST}")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{address} is no release: it holds no {MANIFEST}; `medcurate releases STORE` lists what there is"
        ) from None
    try:
        manifest = Manifest.model_validate(json.loads(data))
    except (ValueError, ValidationError):
        raise ReleaseError(f"{address}/{MANIFEST} is broken; pull or publish the release again") from None
    _refuse_paths_outside(manifest, address)
    return manifest


def releases(store: str | Path) -> list[Listed]:
    """All releases of a store, by name and version."""
    with reaching(store):
        fs, path = open_address(store)
        found = [str(PurePosixPath(place).parent) for place in fs.glob(f"{path}/*/*/{MANIFEST}")]
    return [_listed(fs.unstrip_protocol(place) if "://" in str(store) else place) for place in sorted(found)]


def find_release(release: str, store: str | Path) -> str:
    """The address of ``name@version`` in the store; an address or folder of a release is given back as it is."""
    name, at, version = release.partition("@")
    if "/" in release or (not at and (Path(release) / MANIFEST).exists()):
        return release
    if at and exists(store, name, version):
        return release_address(store, name, version)
    there = [f"{item.name}@{item.version}" for item in releases(store)]
    cure = "; name it as NAME@VERSION" if there else "; it holds none at all: name another with --store"
    raise UserError(f"there is no release {release} in {store}{nearest(release, there) or cure}")


def hash_file(fs: Any, path: str) -> tuple[str, int]:
    """sha256 and size of one file, read in blocks."""
    hasher, size = hashlib.sha256(), 0
    with fs.open(path, "rb", block_size=BLOCK) as file:
        while block := file.read(BLOCK):
            hasher.update(block)
            size += len(block)
    return hasher.hexdigest(), size


def file_entry(path: Path, folder: Path) -> ReleaseFile:
    """The manifest's line for a local file; ``rows`` is counted for Parquet."""
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    rows = pq.read_metadata(path).num_rows if path.suffix == ".parquet" else 0
    return ReleaseFile(path=path.relative_to(folder).as_posix(), sha256=sha256, bytes=path.stat().st_size, rows=rows)


def shard_split(path: str) -> str | None:
    """The split of a shard by its path in the release, ``None`` for other files."""
    folder, _, name = path.partition("/")
    if folder == "data" and name.endswith(".parquet"):
        return name.removesuffix(".parquet").rsplit("-", 3)[0]
    if folder == "webdataset" and name.endswith(".tar"):
        return name.removesuffix(".tar").rsplit("-", 1)[0]
    return None


def _listed(address: str) -> Listed:
    manifest = read_manifest(address)
    kept = {kind: counts.get("kept", 0) for kind, counts in manifest.totals.items()}
    return Listed(
        name=manifest.name, version=manifest.version, rows=kept.get("row", 0), cases=kept.get("case", 0),
        files=len(manifest.files), bytes=sum(file.bytes for file in manifest.files), license=manifest.license,
        address=address,
    )  # fmt: skip


def _refuse_paths_outside(manifest: Manifest, address: str | Path) -> None:
    """A manifest is foreign input: none of its paths may lead out of the release."""
    for file in manifest.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in file.path:
            raise ReleaseError(f"{address}/{MANIFEST} names a file outside the release; do not use it")
