"""The pictures of the recipe's benchmarks, each hashed once, as the release gate compares them with the cases'."""

import hashlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from flows.code_version import code_version
from flows.listing import fingerprint_of
from flows.origins import of_file, origins
from flows.pool import Workers
from flows.preflight import check_root
from flows.watched import Watched
from flows.workspace import Workspace, read_json, write_json
from readers.base import Item, Reader, open_reader
from readers.images import image_refs
from readers.pixels.render import render
from readers.source import Source
from schemas.case import Case, ImageRef
from schemas.errors import CaseError, UserError
from schemas.identity import digest
from schemas.recipe import BenchmarkChoice, Recipe
from schemas.spec import DatasetSpec, load_spec

UNWATCHED = Watched()


@dataclass(frozen=True, slots=True)
class Hashes:
    """One picture, hashed as it would be published; all empty where it could not be read."""

    sha256: str = ""
    pixel_digest: str = ""
    phash: int = 0
    origins: tuple[str, ...] = ()


def benchmark_tables(recipe: Recipe, space: Workspace, workers: Workers) -> dict[str, Path]:
    """By benchmark, the Parquet with the hashes of its pictures, made unless an earlier try has."""
    tables, waiting = {}, []
    for choice in recipe.benchmarks:
        tables[choice.name] = path = space.folder / "benchmarks" / f"{choice.name}.parquet"
        wanted = digest(choice.model_dump_json(), recipe.store, _fingerprint(choice, recipe.store), code_version())
        if not path.exists() or read_json(path.with_suffix(".json")) != wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            waiting.append((choice, path, wanted))
    with ThreadPoolExecutor(max(len(waiting), 1)) as threads:
        for future in [threads.submit(_made, recipe, workers, *one) for one in waiting]:
            future.result()
    return tables


def _made(recipe: Recipe, workers: Workers, choice: BenchmarkChoice, path: Path, wanted: str) -> None:
    """Hash one benchmark in a worker; a file that kills it counts as not read."""
    workers.watched(write_hashes, path.with_suffix(".current"), choice, recipe.store, path)
    write_json(path.with_suffix(".json"), wanted)


def question_tables(recipe: Recipe, space: Workspace) -> dict[str, Path]:
    """By benchmark, the Parquet with its questions that `benchmark_tables` left beside the hashes."""
    return {
        one.name: _questions_beside(space.folder / "benchmarks" / f"{one.name}.parquet") for one in recipe.benchmarks
    }


def write_hashes(choice: BenchmarkChoice, store: str, path: Path, watched: Watched = UNWATCHED) -> None:
    """Write one line for each picture of the benchmark (fields of `Hashes`), and beside it its questions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    hashes = [("sha256", pa.string()), ("pixel_digest", pa.string()), ("phash", pa.uint64())]
    schema = pa.schema([*hashes, ("origins", pa.list_(pa.string()))])
    found = pictures_of_release(choice, store, watched) if choice.release else pictures_of_spec(choice, watched)
    columns = list(zip(*map(astuple, found), strict=True)) or [()] * len(schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = sorted(set(questions_of_release(choice, store) if choice.release else questions_of_spec(choice, watched)))
    pq.write_table(pa.table({"question": pa.array(asked, pa.string())}), _questions_beside(path))
    pq.write_table(pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema), path)


def spec_of(choice: BenchmarkChoice) -> DatasetSpec:
    """The spec of a benchmark that is read from its source; a folder of pictures gets one."""
    if choice.folder:
        return DatasetSpec.model_validate({
            "name": "benchmark", "title": choice.name, "license": "LicenseRef-unknown", "access": "restricted",
            "root": choice.folder, "reader": {"type": "files"}, "modality": "mixed", "anatomy": "mixed",
            "clinical_task": "benchmark",
        })  # fmt: skip
    spec = load_spec(Path(choice.spec))
    # Under the shipped policy a reader keeps a picture's cases of several splits apart.
    return spec.model_copy(update={"split": spec.split.model_copy(update={"policy": "shipped"})})


def check_benchmark(choice: BenchmarkChoice, store: str) -> None:
    """Raise `UserError` where the benchmark is not there or its spec is wrong."""
    if choice.release:
        from storage.store import find_release, read_manifest

        read_manifest(find_release(choice.release, store))
    else:
        spec = spec_of(choice)
        if choice.folder and "://" not in choice.folder and not Path(choice.folder).exists():
            raise UserError(f"benchmark {choice.name}: there is nothing at {choice.folder}; mend its `folder`")
        check_root(spec)
        open_reader(spec, Path(choice.spec or choice.folder))


def pictures_of_spec(choice: BenchmarkChoice, watched: Watched = UNWATCHED) -> Iterator[Hashes]:
    """Every picture of the cases of a spec or folder; one without any where a case cannot be read."""
    spec = spec_of(choice)
    source = Source.open(spec.root)
    reader = open_reader(spec, source=source)
    for case in _cases(reader, watched):
        if case is None:
            yield Hashes()
        elif not choice.splits or case.split in choice.splits:
            yield from (_hashed(source, ref) for ref in case.images)


def questions_of_spec(choice: BenchmarkChoice, watched: Watched = UNWATCHED) -> Iterator[str]:
    """Every question that came with the cases of a spec."""
    if choice.spec:
        for case in _cases(open_reader(spec_of(choice)), watched):
            if case is not None and (not choice.splits or case.split in choice.splits):
                yield from (one.question for one in case.questions)


def questions_of_release(choice: BenchmarkChoice, store: str) -> Iterator[str]:
    """The first user turn of every row of a release, without marks of pictures, its first line."""
    for rows in _row_groups(choice, store, "messages"):
        for row in rows:
            turn = next((turn["content"] for turn in row["messages"] if turn["role"] == "user"), "")
            lines = [line.strip() for line in turn.replace("<image>", "").splitlines()]
            yield next((line for line in lines if line), "")


def _cases(reader: Reader, watched: Watched) -> Iterator[Case | None]:
    for item in reader.items():
        try:
            case = reader.read(item) if isinstance(item, Item) and watched.lets(item.key) else None
        except Exception:  # noqa: BLE001 - a hostile file may raise anything in a decoder; it is counted as not read
            case = None
        yield case


def _questions_beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.questions.parquet")


def pictures_of_release(choice: BenchmarkChoice, store: str, watched: Watched = UNWATCHED) -> Iterator[Hashes]:
    """Every distinct picture of a release's rows; all that hold no bytes, as in restricted releases, count as one."""
    seen: set[str] = set()
    for rows in _row_groups(choice, store, "images", "source_sha256"):
        shown = [(image["bytes"], row["source_sha256"]) for row in rows for image in row["images"]]
        yield from _distinct(shown, seen, watched)


def _row_groups(choice: BenchmarkChoice, store: str, *columns: str) -> Iterator[list[dict[str, Any]]]:
    """Some columns of the wanted rows of a release, a row group at a time."""
    import pyarrow.parquet as pq

    from storage.store import find_release, open_address, read_manifest

    address = find_release(choice.release, store)
    fs, root = open_address(address)
    for file in read_manifest(address).files:
        if file.path.startswith("data/") and file.path.endswith(".parquet"):
            with fs.open(f"{root}/{file.path}", "rb") as handle:
                shard = pq.ParquetFile(handle)
                for group in range(shard.num_row_groups):
                    rows = shard.read_row_group(group, columns=["split", *columns]).to_pylist()
                    yield [row for row in rows if not choice.splits or row["split"] in choice.splits]


def _distinct(pictures: list[tuple[bytes | None, list[str]]], seen: set[str], watched: Watched) -> Iterator[Hashes]:
    """Each picture that was not seen before; what it was made from is what its row says."""
    with tempfile.TemporaryDirectory() as folder:
        source = Source.open(folder)
        for data, sources in pictures:
            name = hashlib.sha256(data or b"").hexdigest()
            if name in seen:
                continue
            seen.add(name)
            Path(folder, name).write_bytes(data or b"")
            made = _of_file(source, name) if watched.lets(name) else Hashes()
            yield replace(made, origins=tuple(map(of_file, sources))) if made.sha256 else made
            Path(folder, name).unlink()


def _of_file(source: Source, path: str) -> Hashes:
    try:
        refs, _ = image_refs(source, path)
    except CaseError:
        return Hashes()
    return _hashed(source, refs[0])


def _hashed(source: Source, ref: ImageRef) -> Hashes:
    try:
        made = render(source, ref)
    except Exception:  # noqa: BLE001 - decoders raise anything on hostile bytes; it is counted as not read
        return Hashes()
    return Hashes(made.sha256, made.pixel_digest, made.phash, origins(ref, made))


def _fingerprint(choice: BenchmarkChoice, store: str) -> str:
    """Changes with the benchmark's files; a release never changes, but may be another one at the same address."""
    if choice.release:
        from storage.store import find_release, read_manifest

        return read_manifest(find_release(choice.release, store)).model_dump_json()
    spec = spec_of(choice)
    return digest(spec.model_dump_json(), fingerprint_of(spec.root))
