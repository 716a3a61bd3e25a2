"""distilabel's task with images on the same server, for `benchmarks.synthesis`.  Run by an interpreter that has it.

Usage: ``python distilabel_ask.py URL QUESTIONS OUT CONCURRENCY``, as `datatrove_ask`.  The task is called directly,
batch by batch as a pipeline's step is, without the start of the pipeline's processes.  Prints the seconds that it took.
"""

import base64
import json
import sys
import time
from pathlib import Path

from distilabel.models import OpenAILLM
from distilabel.steps.tasks import TextGenerationWithImage


def main(url: str, questions: str, out: str, concurrency: str) -> None:
    asked = [json.loads(line) for line in Path(questions).read_text().splitlines()]
    body = asked[0]["body"]
    generation = {
        "temperature": body["temperature"], "top_p": body["top_p"], "max_new_tokens": body["max_tokens"],
        "extra_body": {"seed": body["seed"], "response_format": body["response_format"]},
    }  # fmt: skip
    llm = OpenAILLM(model=body["model"], base_url=f"{url}/v1", api_key="none", generation_kwargs=generation)
    task = TextGenerationWithImage(llm=llm, image_type="base64", input_batch_size=int(concurrency))
    task.load()
    start = time.perf_counter()
    rows = 0
    with Path(out).open("w") as file:
        for first in range(0, len(asked), int(concurrency)):
            batch = [
                {
                    "instruction": question["body"]["messages"][-1]["content"][0]["text"],
                    "image": base64.b64encode(Path(question["path"]).read_bytes()).decode(),
                }
                for question in asked[first : first + int(concurrency)]
            ]
            for row in next(task.process(batch)):
                file.write(json.dumps(json.loads(row["generation"])) + "\n")
                rows += 1
    print(json.dumps({"seconds": time.perf_counter() - start, "rows": rows}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
