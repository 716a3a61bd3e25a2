"""The sides of `benchmarks.synthesis`: bare loops, our stage and other runners, on the same kind of requests."""

import asyncio
import hashlib
import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.case import Case, ImageRef, Label, Region
from schemas.context import Context
from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis import wire
from synthesis.answers import AnswerStore
from synthesis.pipeline import open_engine, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions

PEERS = Path(__file__).with_name("peers")
SPEC = DatasetSpec.model_validate(
    {
        "name": "smears", "title": "Smears", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "microscopy", "anatomy": "blood", "clinical_task": "diagnosis",
    }
)  # fmt: skip
TASK = Unblinded(UnblindedOptions(style="short", rows=("question",)))


def make_pictures(folder: Path, count: int, seed: int) -> list[Path]:
    """Pictures of one colour each, all different."""
    from PIL import Image

    draw = random.Random(seed)
    paths = []
    for number in range(count):
        path = folder / f"{seed}-{number}.png"
        Image.new("RGB", (256, 256), tuple(draw.randrange(256) for _ in range(3))).save(path)
        paths.append(path)
    return paths


def works(paths: list[Path]) -> Iterator[Work]:
    """A case per picture, read as the pipeline reads it."""
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


def bodies(paths: list[Path], choice: EngineChoice) -> list[dict[str, Any]]:
    """The requests of the cases as they go over the wire."""
    context = Context(SPEC)
    made = []
    for work in works(paths):
        assert work.case is not None
        made += [wire.chat_body(choice, request) for _, request in TASK.prompt(work.case, work.pictures, context)]
    return made


def bare(paths: list[Path], choice: EngineChoice) -> float:
    """Requests per second of a tight loop over bodies that were made beforehand."""
    made = [json.dumps(body).encode() for body in bodies(paths, choice)]

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
    """Requests per second of the whole stage: read, prompt, ask, parse, check, store."""
    engine = open_engine(choice, answers)
    assert engine is not None
    start = time.perf_counter()
    rows = sum(len(work.rows) for work in synthesise(works(paths), [TASK], engine, Context(SPEC)))
    spent = time.perf_counter() - start
    engine.close()
    assert rows == len(paths), f"{rows} rows of {len(paths)}"
    return rows / spent


class BareOffline:
    """`vllm.LLM.chat` in a process of vLLM's own interpreter, the model staying loaded."""

    def __init__(self, python: Path, arguments: list[str], log: Path) -> None:
        command = [str(python), str(PEERS / "bare_offline.py"), *arguments]
        with log.open("wb") as errors:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._line("ready")

    def speed(self, paths: list[Path], choice: EngineChoice, file: Path) -> float:
        """Requests per second of all of them given at once."""
        made = bodies(paths, choice)
        file.write_text("\n".join(map(json.dumps, made)))
        assert self._child.stdin is not None
        self._child.stdin.write(f"{file}\n")
        self._child.stdin.flush()
        return len(made) / float(json.loads(self._line('{"seconds"'))["seconds"])

    def close(self) -> None:
        """End the process."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(60)

    def _line(self, start: str) -> str:
        """The next line that starts so; vLLM itself writes some too."""
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if line.startswith(start):
                return line
        raise SystemExit("the bare offline engine ended; its log says why")


def peer(name: str, python: Path, choice: EngineChoice, paths: list[Path], folder: Path) -> float:
    """Requests per second of another runner on the same server; it reads, encodes, asks, parses and writes."""
    folder.mkdir()
    questions = []
    for path, body in zip(paths, bodies(paths, choice), strict=True):
        body["messages"][-1]["content"].pop(0)
        questions.append(json.dumps({"path": str(path), "body": body}))
    (folder / "questions.jsonl").write_text("\n".join(questions))
    command = [
        str(python), str(PEERS / f"{name}_ask.py"), choice.base_urls[0],
        str(folder / "questions.jsonl"), str(folder / "out"), str(choice.concurrency),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stderr[-2000:]}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["rows"] == len(paths), f"{name}: {said['rows']} rows of {len(paths)}"
    return len(paths) / float(said["seconds"])


def store_answers(paths: list[Path], choice: EngineChoice, answers: Path) -> None:
    """Put an answer of its own for each case's request into the store, as if it had been asked."""
    store, context = AnswerStore(answers), Context(SPEC)
    for number, work in enumerate(works(paths)):
        assert work.case is not None
        for _, request in TASK.prompt(work.case, work.pictures, context):
            said = {
                "description": f"The picture shows a stained smear, number {number}, with one platelet.",
                "question": f"Which cell lies in the middle of smear {number}?",
                "answer": f"A neutrophil, in smear {number}.",
            }
            record: dict[str, Any] = {"model": choice.model, "texts": [json.dumps(said)], "ends": ["stop"]}
            record |= {"tokens_in": 100, "tokens_out": 30, "tokens_cached": 0}
            store.put(wire.request_digest(choice, request), record)
    store.close()


def warm(paths: list[Path], choice: EngineChoice, answers: Path, processes: int) -> float:
    """Rows per second of a rerun whose answers are all stored, over so many processes at once."""
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        parts = [(paths[number::processes], choice, answers) for number in range(processes)]
        pool.starmap(ours, [(part[0][:50], *part[1:]) for part in parts], chunksize=1)  # imports
        start = time.perf_counter()
        pool.starmap(ours, parts, chunksize=1)
        return len(paths) / (time.perf_counter() - start)
