"""Hand-built rows and pictures for the gates."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.instruction import Instruction, Message, Provenance
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


def said(row: Instruction, *contents: str, **changes: Any) -> Instruction:
    """The row with these turns, user first."""
    roles = ("user", "assistant")
    messages = tuple(Message(roles[i % 2], text) for i, text in enumerate(contents))  # type: ignore[arg-type]
    return replace(row, messages=messages, **changes)
