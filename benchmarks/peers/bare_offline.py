"""The bare offline engine: `vllm.LLM.chat` over request bodies.  Run by vLLM's interpreter, see `benchmarks.synthesis`.

Reads lines from standard input, each the path of a file with one request body (JSON) per line, and answers each with
the seconds that the engine took for all of them together.  The model stays loaded in between.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    from vllm import LLM, SamplingParams
    from vllm.engine.arg_utils import EngineArgs
    from vllm.sampling_params import StructuredOutputsParams
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    chosen = EngineArgs.add_cli_args(FlexibleArgumentParser()).parse_args(arguments)
    llm = LLM.from_engine_args(EngineArgs.from_cli_args(chosen))

    def params(body: dict[str, Any]) -> Any:
        schema = body["response_format"]["json_schema"]["schema"]
        sampling = {name: body[name] for name in ("temperature", "top_p", "max_tokens", "seed", "n")}
        return SamplingParams(**sampling, structured_outputs=StructuredOutputsParams(json=schema))

    print("ready", flush=True)
    for line in sys.stdin:
        bodies = [json.loads(body) for body in Path(line.strip()).read_bytes().splitlines()]
        start = time.perf_counter()
        answers = llm.chat([body["messages"] for body in bodies], list(map(params, bodies)), use_tqdm=False)
        for answer in answers:
            json.loads(answer.outputs[0].text)
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
