"""The programs that `benchmarks.packing` compares, each in a process of its own.

All read the same folder of JPEGs in class folders, make one question of each, keep its sha256 and write shards of
a thousand.  With ``decode`` every picture's pixels are decoded, to find broken ones.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.pictures import LABELS

SHARD_ROWS = 1000
CORES = 2


def ours(data: Path, out: Path, decode: bool) -> int:
    """The parts of `medcurate run` in their order, without Prefect, card and publication."""
    from flows.pool import Workers

    # As in the flow, before the lists are made; the processes import meanwhile.
    pool = Workers(CORES)

    from flows.plan import plan_dataset
    from flows.workspace import Workspace
    from quality.resolve import resolve
    from schemas.recipe import DatasetChoice, Recipe
    from schemas.spec import load_spec
    from storage.pack import pack_shard
    from storage.plan import plan_shards

    recipe, spec = Recipe.model_validate(_recipe(data, out, decode)), load_spec(_spec(data, out))
    space = Workspace(out / "work")
    jobs = plan_dataset(recipe, DatasetChoice(spec=str(out / "spec.yaml")), spec, space)
    _all(pool, run_partition_in(pool), jobs)
    decisions, _ = resolve([Path(job.stage) / "cases.parquet" for job in jobs], recipe, [spec])
    decisions.write_parquet(space.decisions)
    plans = plan_shards(space.decisions, SHARD_ROWS, recipe.output.shard_bytes)
    stages = [Path(job.stage) for job in jobs]
    waiting = [pool.submit(pack_shard, plan, stages, space.decisions, out, ["parquet"]) for plan in plans]
    rows: int = sum(file.rows for future in waiting for file in future.result())
    pool.close()
    return rows


def run_partition_in(pool: Any) -> Callable[[Any], Any]:
    """A function that submits one partition."""
    from flows.worker import run_partition

    return lambda job: pool.submit(run_partition, job)


def _all(pool: Any, submit: Callable[[Any], Any], jobs: list[Any]) -> None:
    for future in [submit(job) for job in jobs]:
        future.result()


def _recipe(data: Path, out: Path, decode: bool) -> dict[str, Any]:
    return {
        "name": "packing", "version": "1", "datasets": [{"spec": str(out / "spec.yaml")}], "decode": decode,
        "converters": [{"type": "open_question"}], "output": {"formats": ["parquet"], "shard_rows": SHARD_ROWS},
        "store": str(out / "store"), "partition_cases": 500,
    }  # fmt: skip


def _spec(data: Path, out: Path) -> Path:
    path = out / "spec.yaml"
    labels = "".join(f"  {label}: {label}\n" for label in LABELS)
    path.write_text(
        f"name: cells\ntitle: Generated cells\nlicense: CC0-1.0\naccess: open\nroot: {data}\n"
        "reader: {type: class_folders}\nmodality: microscopy\nanatomy: blood\nclinical_task: classification\n"
        f"label_kind: multi_class\nlabels:\n{labels}group: {{by: case}}\n"
        "split: {policy: hash, fractions: {train: 1.0}}\n"
    )
    return path


def hugging_face(data: Path, out: Path, decode: bool) -> int:
    """`datasets`: imagefolder, map over both cores, to_parquet."""
    import datasets
    from PIL import Image

    datasets.disable_progress_bars()
    names = LABELS

    def ask(row: dict[str, Any]) -> dict[str, Any]:
        content = Path(row["image"]["path"]).read_bytes()
        if decode:
            import io

            Image.open(io.BytesIO(content)).load()
        return {
            "question": "What kind of cell is shown?", "answer": names[row["label"]],
            "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip

    rows = datasets.load_dataset("imagefolder", data_dir=str(data), split="train")
    rows = rows.cast_column("image", datasets.Image(decode=False)).map(ask, num_proc=CORES)
    rows = rows.cast_column("image", datasets.Image())
    count = -(-len(rows) // SHARD_ROWS)
    for index in range(count):
        shard = rows.shard(count, index, contiguous=True)
        shard.to_parquet(str(out / f"train-{index:05d}-of-{count:05d}.parquet"))
    return len(rows)


def shard_writer(data: Path, out: Path, decode: bool) -> int:
    """webdataset's ShardWriter in a plain loop."""
    import io

    import webdataset
    from PIL import Image

    count = 0
    with webdataset.ShardWriter(str(out / "train-%06d.tar"), maxcount=SHARD_ROWS, verbose=0) as writer:
        for path in pictures(data):
            content = path.read_bytes()
            if decode:
                Image.open(io.BytesIO(content)).load()
            line = {
                "question": "What kind of cell is shown?", "answer": path.parent.name,
                "sha256": hashlib.sha256(content).hexdigest(),
            }  # fmt: skip
            writer.write({"__key__": path.stem, "jpg": content, "json": line})
            count += 1
    return count


def bare_decode(data: Path, out: Path, decode: bool) -> int:
    """Pillow decoding every picture on both cores, and nothing else."""
    from multiprocessing import Pool

    with Pool(CORES) as pool:
        return sum(pool.imap_unordered(decode_one, map(str, pictures(data)), chunksize=50))


def decode_one(path: str) -> int:
    """Decode one file."""
    from PIL import Image

    with Image.open(path) as image:
        image.load()
    return 1


def pictures(data: Path) -> Iterator[Path]:
    """All JPEGs, by name."""
    for folder in sorted(data.iterdir()):
        yield from sorted(folder.iterdir())


PROGRAMS: dict[str, Callable[[Path, Path, bool], int]] = {
    "medcurate": ours, "datasets": hugging_face, "webdataset": shard_writer, "decode": bare_decode,
}  # fmt: skip


if __name__ == "__main__":
    name, source, target, decoding = sys.argv[1:]
    begin = time.perf_counter()
    made = PROGRAMS[name](Path(source), Path(target), decoding == "decode")
    print(json.dumps({"seconds": time.perf_counter() - begin, "rows": made}))
