"""The synthesis stage against the bare engine and other runners: ``python -m benchmarks.synthesis [--json FILE]``.

Starts the real vLLM with the tiny model (``make vllm`` first), first as a server and then as the offline engine, and
sends the same kind of requests in several ways, in turns: a tight aiohttp loop over bodies that were made beforehand,
`vllm.LLM.chat` over all of them at once, and our whole stage (read the file, prompt, ask, parse, check, store) on
either.  datatrove's inference runner and distilabel ask the same server where ``--datatrove`` and ``--distilabel`` name
an interpreter that has them (each in an environment of its own; they are no dependency of this project: ``pip install
datatrove aiofiles aiosqlite httpx orjson``, and ``pip install "distilabel[openai]" pillow requests``).

With ``--width N`` the same is measured with a model that says what the tiny one says and costs as much as one whose
feed-forward layers are N wide (`benchmarks.peers.heavier_model`): beside the tiny model, which answers in the time that
others take for a word, everything around an engine looks dearer than it is.

Every turn has prompts and pictures of its own, so that no cache helps one side.  The first rounds are not counted: on
a virtual machine whose host lends memory page by page, a process is up to four times slower until it has its pages.
``ratio_to_bare_engine`` is the median over rounds of ours over the bare loop's requests per second, each against its
own engine.  The warm rerun has all answers stored.
"""

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.synthesis_sides import BareOffline, bare, make_pictures, ours, peer, store_answers, warm
from schemas.recipe import EngineChoice
from synthesis.vllm_server import STRUCTURED, VllmServer

ROOT = Path(__file__).resolve().parent.parent
MODEL_ARGUMENTS = [
    "--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "64", "--kv-cache-memory-bytes", "64M",
    "--enforce-eager", "--no-enable-chunked-prefill",
]  # fmt: skip
RATIOS = {"server": ("ours server", "bare server"), "offline": ("ours offline", "bare offline")}
WARM_ROUNDS = 3
Side = Callable[[list[Path], Path], float]


def tiny_model(python: Path) -> Path:
    """The checkpoint of the tests, made where it is not there yet."""
    maker = ROOT / "scripts" / "vllm" / "tiny_model.py"
    model = ROOT / ".vllm" / "models" / f"colours-{hashlib.sha256(maker.read_bytes()).hexdigest()[:12]}"
    if not (model / "config.json").exists():
        subprocess.run([str(python), str(maker), str(model)], check=True)
    return model


def heavier_model(python: Path, tiny: Path, width: int) -> Path:
    """The tiny model with feed-forward layers of that width, made where it is not there yet."""
    maker = ROOT / "benchmarks" / "peers" / "heavier_model.py"
    model = tiny.with_name(f"{tiny.name}-{width}")
    if not model.exists():
        subprocess.run([str(python), str(maker), str(tiny), str(model), str(width)], check=True)
    return model


def measure(args: argparse.Namespace) -> dict[str, object]:
    """All figures; only the engines that are compared run at a time, since idle ones take memory and share cores."""
    python = Path(os.environ.get("MEDCURATE_VLLM_PYTHON") or ROOT / ".vllm" / "bin" / "python")
    model = tiny_model(python)
    if args.width:
        model = heavier_model(python, model, args.width)
    figures: dict[str, list[float]] = {}
    reruns: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if "server" in args.modes:
            figures, reruns = of_server(python, model, Path(folder), args)
        if "offline" in args.modes:
            figures |= of_offline(python, model, Path(folder), args)
    return summary(figures) | {"warm_rows_per_second": reruns, "arguments": str(vars(args))}


def of_server(
    python: Path, model: Path, place: Path, args: argparse.Namespace
) -> tuple[dict[str, list[float]], dict[str, list[int]]]:
    """Everybody who asks `vllm serve`; then rows per second where every answer is stored, by number of processes."""
    with engine(args.concurrency, python, model, "server") as choice:
        sides: dict[str, Side] = {
            "bare server": lambda paths, _: bare(paths, choice),
            "ours server": lambda paths, own: ours(paths, choice, own),
            **peers(args, choice),
        }
        figures = in_turns(sides, place, args)
        stored = make_pictures(place, args.warm, 999_999)
        store_answers(stored, choice, place / "warm")
        return figures, {
            f"{count} processes": [round(warm(stored, choice, place / "warm", count)) for _ in range(WARM_ROUNDS)]
            for count in (1, 2)
        }


def of_offline(python: Path, model: Path, place: Path, args: argparse.Namespace) -> dict[str, list[float]]:
    """`vllm.LLM.chat`, which is given all requests at once, and our stage on the offline worker."""
    with engine(args.offline_concurrency, python, model, "offline") as choice:
        loop = BareOffline(python, ["--model", str(model), *MODEL_ARGUMENTS, *STRUCTURED], place / "offline.log")
        sides: dict[str, Side] = {
            "bare offline": lambda paths, own: loop.speed(paths, choice, own.with_suffix(".jsonl")),
            "ours offline": lambda paths, own: ours(paths, choice, own),
        }
        figures = in_turns(sides, place, args)
        loop.close()
    return figures


@contextmanager
def engine(concurrency: int, python: Path, model: Path, mode: str) -> Iterator[EngineChoice]:
    """A managed vLLM, as the choice of whoever asks it."""
    options = {"python": str(python), "weights": str(model), "arguments": MODEL_ARGUMENTS, "mode": mode}
    managed = EngineChoice(
        type="vllm", model="colours", max_tokens=120, concurrency=concurrency, options=options, timeout_s=300
    )
    server = VllmServer(managed)
    yield managed.model_copy(update={"type": "openai", "base_urls": [server.address()], "options": {}})
    server.close()


def peers(args: argparse.Namespace, choice: EngineChoice) -> dict[str, Side]:
    """The other runners whose interpreters are named."""
    named = {"datatrove": args.datatrove, "distilabel": args.distilabel}
    for name in (name for name, python in named.items() if python is None):
        print(f"{name}: not measured; --{name} names an interpreter that has it")
    return {name: partial(peer, name, python, choice) for name, python in named.items() if python is not None}


def in_turns(sides: dict[str, Side], place: Path, args: argparse.Namespace) -> dict[str, list[float]]:
    """Requests per second of every side in every round that counts, the order turning from round to round."""
    figures: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(args.unmeasured + args.rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            paths = make_pictures(place, args.requests, random.randrange(1 << 40))
            speed = sides[name](paths, place / f"{number} {name}")
            print(f"round {number + 1} {name:13} {speed:8.1f} requests/s", flush=True)
            if number >= args.unmeasured:
                figures[name].append(speed)
    return figures


def summary(figures: dict[str, list[float]]) -> dict[str, object]:
    """Medians and ratios, the ratios taken round by round."""

    def ratio(own: str, other: str) -> float:
        return round(statistics.median(a / b for a, b in zip(figures[own], figures[other], strict=True)), 3)

    found: dict[str, object] = {
        "requests_per_second": {name: round(statistics.median(speeds), 1) for name, speeds in figures.items()},
        "ratio_to_bare_engine": {mode: ratio(*pair) for mode, pair in RATIOS.items() if pair[0] in figures},
        "all": {name: [round(speed, 1) for speed in speeds] for name, speeds in figures.items()},
    }
    for name in figures.keys() & {"datatrove", "distilabel"}:
        found[f"ratio_to_{name}"] = ratio("ours server", name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--modes", nargs="+", choices=RATIOS, default=list(RATIOS))
    parser.add_argument("--width", type=int, default=0, help="of a heavier model's feed-forward layers")
    parser.add_argument("--requests", type=int, default=1000, help="per round and side")
    parser.add_argument("--rounds", type=int, default=6, help="that count")
    parser.add_argument("--unmeasured", type=int, default=2, help="rounds before them, in which memory settles")
    parser.add_argument("--concurrency", type=int, default=128, help="twice what the engine's batch holds")
    parser.add_argument("--offline-concurrency", type=int, default=256, help="four times that")
    parser.add_argument("--warm", type=int, default=5000, help="rows of the warm rerun")
    parser.add_argument("--datatrove", type=Path, help="an interpreter that has datatrove")
    parser.add_argument("--distilabel", type=Path, help="an interpreter that has distilabel")
    result = measure(args := parser.parse_args())
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
