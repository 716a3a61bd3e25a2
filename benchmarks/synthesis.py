"""The synthesis stage against the bare engine: ``python -m benchmarks.synthesis [--json FILE]``.

Starts the real vLLM with the tiny model (``make vllm`` first) and sends the same kind of prompts two ways, in turns:
a tight aiohttp loop over request bodies that were made beforehand, and our whole stage (read the file, prompt, ask,
parse, check, store).  Every round has prompts and pictures of its own, so that no cache of the server helps one side.
``ratio_to_bare_engine`` is the median over rounds of ours over the bare loop's, in requests per second.  The warm
rerun (all answers stored) is measured on the last round's requests.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from schemas.case import Case, ImageRef, Label, Region
from schemas.context import Context
from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis import wire
from synthesis.pipeline import open_engine, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions
from synthesis.vllm_server import VllmServer

ROOT = Path(__file__).resolve().parent.parent
MODEL_ARGUMENTS = [
    "--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "64", "--kv-cache-memory-bytes", "64M",
    "--enforce-eager",
]  # fmt: skip
SPEC = DatasetSpec.model_validate(
    {
        "name": "smears", "title": "Smears", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "microscopy", "anatomy": "blood", "clinical_task": "diagnosis",
    }
)  # fmt: skip
TASK = Unblinded(UnblindedOptions(style="short", rows=("question",)))


def make_pictures(folder: Path, count: int, seed: int) -> list[Path]:
    from PIL import Image

    draw = random.Random(seed)
    paths = []
    for number in range(count):
        path = folder / f"{seed}-{number}.png"
        Image.new("RGB", (256, 256), tuple(draw.randrange(256) for _ in range(3))).save(path)
        paths.append(path)
    return paths


def works(paths: list[Path]) -> Iterator[Work]:
    view = View(source_width=256, source_height=256, width=256, height=256)
    for path in paths:
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        ref = ImageRef((path.name,), "image/png", view)
        case = Case(
            "smears", path.stem, None, "", images=(ref,), labels=(Label("neutrophil", "c"),),
            regions=(Region("platelet", "p", "box", 0, (10, 10, 40, 40)),),
        )  # fmt: skip
        yield Work(path.stem, case, pictures={ref: Rendered(data, "image/png", 256, 256, (digest,), digest, "")})


def bodies(paths: list[Path], choice: EngineChoice) -> list[bytes]:
    context = Context(SPEC)
    made = []
    for work in works(paths):
        assert work.case is not None
        for _, request in TASK.prompt(work.case, work.pictures, context):
            made.append(json.dumps(wire.chat_body(choice, request)).encode())
    return made


def bare(paths: list[Path], choice: EngineChoice) -> float:
    """Requests per second of a tight loop."""
    made = bodies(paths, choice)

    async def run() -> float:
        import aiohttp

        url = choice.base_urls[0] + "/v1/chat/completions"
        headers = {"content-type": "application/json"}
        waiting = iter(made)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def worker() -> None:
                for body in waiting:
                    async with session.post(url, data=body, headers=headers) as reply:
                        json.loads((await reply.json())["choices"][0]["message"]["content"])

            start = time.perf_counter()
            await asyncio.gather(*(worker() for _ in range(choice.concurrency)))
            return time.perf_counter() - start

    return len(made) / asyncio.run(run())


def ours(paths: list[Path], choice: EngineChoice, answers: Path) -> float:
    """Requests per second of the whole stage."""
    engine = open_engine(choice, answers)
    assert engine is not None
    start = time.perf_counter()
    rows = sum(len(work.rows) for work in synthesise(works(paths), [TASK], engine, Context(SPEC)))
    spent = time.perf_counter() - start
    engine.close()
    assert rows == len(paths), f"{rows} rows of {len(paths)}"
    return rows / spent


def tiny_model(python: Path) -> Path:
    maker = ROOT / "scripts" / "vllm" / "tiny_model.py"
    model = ROOT / ".vllm" / "models" / f"colours-{hashlib.sha256(maker.read_bytes()).hexdigest()[:12]}"
    if not (model / "config.json").exists():
        subprocess.run([str(python), str(maker), str(model)], check=True)
    return model


def measure(count: int, rounds: int, concurrency: int) -> dict[str, object]:
    python = Path(os.environ.get("MEDCURATE_VLLM_PYTHON") or ROOT / ".vllm" / "bin" / "python")
    options = {"python": str(python), "weights": str(tiny_model(python)), "arguments": MODEL_ARGUMENTS}
    managed = EngineChoice(
        type="vllm", model="colours", max_tokens=120, concurrency=concurrency, options=options, timeout_s=300
    )
    server = VllmServer(managed)
    address = server.address()
    choice = managed.model_copy(update={"type": "openai", "base_urls": [address], "options": {}})
    figures: dict[str, list[float]] = {"bare": [], "ours": []}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bare(make_pictures(place, 64, 1), choice)
        for number in range(rounds):
            sides = ["bare", "ours"] if number % 2 == 0 else ["ours", "bare"]
            for side in sides:
                paths = make_pictures(place, count, 10 * number + (2 if side == "bare" else 3))
                speed = bare(paths, choice) if side == "bare" else ours(paths, choice, place / f"answers{number}")
                figures[side].append(speed)
                print(f"round {number + 1} {side:5} {speed:8.1f} requests/s", flush=True)
        warm = ours(paths, choice, place / f"answers{number}") if sides[-1] == "ours" else 0.0
        if not warm:
            again = make_pictures(place, count, 10 * number + 3)
            warm = ours(again, choice, place / f"answers{number}")
    server.close()
    middle = {side: statistics.median(speeds) for side, speeds in figures.items()}
    ratios = [own / other for own, other in zip(figures["ours"], figures["bare"], strict=True)]
    return {
        "requests_per_second": {side: round(speed, 1) for side, speed in middle.items()},
        "ratio_to_bare_engine": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "warm_rows_per_second": round(warm),
        "requests_per_round": count,
        "rounds": rounds,
        "concurrency": concurrency,
        "all": {side: [round(speed, 1) for speed in speeds] for side, speeds in figures.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--requests", type=int, default=200, help="per round and side")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=32)
    args = parser.parse_args()
    result = measure(args.requests, args.rounds, args.concurrency)
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
