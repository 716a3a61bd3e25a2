"""Hand-built rows and pictures for the gates."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.identity import digest
from schemas.instruction import Instruction, Message, Provenance, arrow_schema
from schemas.rendered import Rendered
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.view import View

PNG = (
    b"\x89PNG\r\n\x1a\n"
    + b"\0\0\0\x0dIHDR" + b"\0" * 17
    + b"\0\0\0\0IEND" + b"\0" * 4
)  # fmt: skip
"""The bones of a PNG: chunks without pixels."""
REF = ImageRef(("a.png",), "image/png", View(100, 80, 100, 80))


@pytest.fixture
def spec() -> DatasetSpec:
    return DatasetSpec(
        name="films",
        title="Films",
        license="CC0-1.0",
        access="open",
        reader=ReaderChoice(type="files"),
        modality="x-ray",
        anatomy="chest",
        clinical_task="diagnosis",
    )


@pytest.fixture
def context(spec: DatasetSpec) -> Context:
    return Context(spec)


@pytest.fixture
def case() -> Case:
    return Case("films", "c1", None, "", images=(REF,))


@pytest.fixture
def picture() -> Rendered:
    """100 wide, 80 high, an ordinary grey picture."""
    return Rendered(
        data=PNG,
        media_type="image/png",
        width=100,
        height=80,
        source_sha256=("0" * 64,),
        sha256="1" * 64,
        pixel_digest="2" * 32,
        minimum=0,
        maximum=200,
        mean=90,
        std=40,
    )


@pytest.fixture
def row() -> Instruction:
    """A flawless multiple choice row."""
    return Instruction(
        id="f" * 32,
        task="mcq",
        messages=(
            Message("user", "<image>\nWhich is seen?\nA. pneumonia\nB. no finding"),
            Message("assistant", "B. no finding"),
        ),
        provenance=Provenance("multiple_choice", template="multiple_choice.plain.en"),
        images=(REF,),
        options=("pneumonia", "no finding"),
        answer="no finding",
        answer_index=1,
        labels=("no finding",),
    )


def published(number: int, **changes: Any) -> dict[str, Any]:
    """A flawless published row: a choice between two options on one picture."""
    made = dict.fromkeys(("template", "model", "revision", "sampling", "prompt_digest", "request_digest"), "")
    view = dict.fromkeys(("source_width", "source_height", "axis", "index", "frame"), 0) | {
        "width": 10, "height": 10, "matrix": [1.0] * 6, "orientation": "", "spacing": [0.0, 0.0], "slope": 1.0,
        "intercept": 0.0, "window": "none", "window_center": 0.0, "window_width": 0.0, "invert": False,
    }  # fmt: skip
    row = {
        "id": digest("row", str(number)), "task": "mcq",
        "messages": [
            {"role": "user", "content": "<image>\nWhich?\nA. edema\nB. none of these"},
            {"role": "assistant", "content": "A. edema"},
        ],
        "images": [{"bytes": b"x" * 1000, "path": "a.png"}], "volumes": [],
        "options": ["edema", "none of these"], "answer": "edema", "answer_index": 0,
        "regions": [], "labels": ["edema"], "modality": "x-ray", "anatomy": "chest", "clinical_task": "diagnosis",
        "dataset": "films", "case_id": f"c{number}", "group_id": digest("group", str(number)), "split": "train",
        "license": "CC0-1.0", "access": "open", "view": [view], "source_sha256": ["0" * 64],
        "provenance": {**made, "converter": "mc", "seed": 0, "language": "en", "facts": [], "image_shown": False,
                       "verdicts": [], "steps": []},
        "quality": {"flags": [], "scores": []},
    }  # fmt: skip
    return row | changes


@pytest.fixture
def line() -> Any:
    """Makes flawless published rows: ``line(number, **changes)``."""
    return published


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes rows as a shard: ``write(rows, name)`` gives its path."""

    def to(rows: list[dict[str, Any]], name: str = "rows") -> Path:
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, arrow_schema()), path)
        return path

    return to
