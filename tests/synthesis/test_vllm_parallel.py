"""Several ranks of one model: the same answers, by option only."""

import io
from hashlib import sha256

import pytest
from PIL import Image

from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from synthesis.base import Answer, Request
from synthesis.pipeline import open_engine

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(900)]

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (40, 60, 220), "white": (245, 245, 245)}
SMALL = ["--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "16", "--kv-cache-memory-bytes", "64M"]


@pytest.mark.parametrize(
    ("mode", "parallel"),
    [("server", "tensor_parallel"), ("server", "data_parallel"), ("offline", "tensor_parallel")],
)
def test_two_ranks_answer_as_one(mode, parallel, vllm_python, tiny_model, tmp_path, monkeypatch):
    # on a CPU vLLM would give every rank a NUMA node of its own, and small machines have one
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    options = {
        "python": str(vllm_python), "weights": str(tiny_model), "arguments": [*SMALL, "--enforce-eager"],
        "mode": mode, parallel: 2,
    }  # fmt: skip
    engine = open_engine(EngineChoice(type="vllm", model="colours", max_tokens=40, options=options), tmp_path)
    try:
        asked = [(name, engine.submit(Request((("user", "Describe it."),), (picture(colour, side),))))
                 for side in (60, 90, 120) for name, colour in COLOURS.items()]  # fmt: skip
        answers = [(name, future.result()) for name, future in asked]
    finally:
        engine.close()
    assert all(isinstance(answer, Answer) for _, answer in answers)
    assert [answer.texts for _, answer in answers] == [(f"The picture is {name}.",) for name, _ in answers]


def picture(colour, side):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    digest = sha256(buffer.getvalue()).hexdigest()
    return Rendered(buffer.getvalue(), "image/png", side, side, (digest,), digest, digest)
