"""Compares every byte of a release with its manifest."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from schemas.manifest import ReleaseFile
from storage.store import MANIFEST, hash_file, open_address, read_manifest, shard_split

THREADS = 4


def verify(address: str | Path) -> list[str]:
    """One sentence for each file that is missing, extra, or not as published; empty where all is well.

    Sizes and sha256 of all files are checked, and the rows that each Parquet file says it has.

    Raises:
        UserError: there is no release at the address.
        ReleaseError: the manifest itself is broken.
    """
    manifest = read_manifest(address)
    fs, path = open_address(address)
    found = {place[len(path) + 1 :]: int(info["size"] or 0) for place, info in fs.find(path, detail=True).items()}
    named = {file.path for file in manifest.files}
    problems = [f"{extra}: is not in the manifest" for extra in sorted(set(found) - named - {MANIFEST})]
    with ThreadPoolExecutor(THREADS) as pool:
        checked = pool.map(lambda file: _check(fs, path, file, found), manifest.files)
        return sorted([*problems, *(problem for problem in checked if problem)])


def _check(fs: Any, path: str, file: ReleaseFile, found: dict[str, int]) -> str:
    if file.path not in found:
        return f"{file.path}: is missing"
    if found[file.path] != file.bytes:
        return f"{file.path}: has {found[file.path]} bytes, but {file.bytes} were published"
    sha256, _ = hash_file(fs, f"{path}/{file.path}")
    if sha256 != file.sha256:
        return f"{file.path}: its contents differ from what was published (sha256)"
    if shard_split(file.path) and file.path.endswith(".parquet"):
        rows = _parquet_rows(fs, f"{path}/{file.path}")
        if rows != file.rows:
            return f"{file.path}: has {rows} rows, but the manifest says {file.rows}"
    return ""


def _parquet_rows(fs: Any, path: str) -> int:
    import pyarrow.parquet as pq

    with fs.open(path, "rb") as file:
        return int(pq.read_metadata(file).num_rows)
