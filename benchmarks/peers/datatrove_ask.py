"""datatrove's inference runner on the same server, for `benchmarks.synthesis`.  Run by an interpreter that has it.

Usage: ``python datatrove_ask.py URL QUESTIONS OUT CONCURRENCY``; QUESTIONS has one JSON object per line: ``path`` of
the picture, ``body`` of the request without the picture.  The rollout reads and encodes the picture, asks and parses.
Prints the seconds that the runner took.
"""

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter


async def rollout(document: Any, generate: Any) -> Any:
    question = json.loads(document.text)
    body = question["body"]
    picture = base64.b64encode(Path(question["path"]).read_bytes()).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
    body["messages"][-1]["content"].insert(0, part)
    return json.loads((await generate(body)).text)


def main(url: str, questions: str, out: str, concurrency: str) -> None:
    lines = Path(questions).read_text().splitlines()
    config = InferenceConfig(
        server_type="endpoint", endpoint_url=url, model_name_or_path=json.loads(lines[0])["body"]["model"],
        max_concurrent_generations=int(concurrency),
    )  # fmt: skip
    runner = InferenceRunner(rollout, config, JsonlWriter(out, compression=None))
    documents = (Document(text=line, id=str(number)) for number, line in enumerate(lines))
    start = time.perf_counter()
    runner.run(documents)
    seconds = time.perf_counter() - start
    written = sum(len(file.read_text().splitlines()) for file in Path(out).rglob("*.jsonl"))
    print(json.dumps({"seconds": seconds, "rows": written}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
