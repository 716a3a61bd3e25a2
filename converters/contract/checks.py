"""Checks of one row against its case: schema, placeholders, options, leaks, regions, agreement with the annotation."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from converters.contract.agreement import agreement
from converters.contract.paths import resolves
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import IMAGE, TASKS, Instruction, Place

_ID = re.compile(r"[0-9a-f]{32}")
_OPEN_TASKS = frozenset({"open", "region_to_text", "text_to_region", "count", "caption", "report"})
"""Tasks whose question must not hold the answer; the others list it among options, or quote a text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One breach of the contract."""

    check: str
    """schema, placeholders, options, leak, regions, agreement, determinism, key or golden."""
    sentence: str
    row: str = ""
    """The row's id, where it is about one."""


def check_row(row: Instruction, case: Case, context: Context, converter: str) -> list[Problem]:
    """Every breach in one row; the others are looked for only in rows whose types are right."""
    broken = [Problem("schema", sentence, _id_of(row)) for sentence in schema(row, case, converter)]
    if broken:
        return broken
    found = []
    for name, check in _CHECKS.items():
        found += [Problem(name, sentence, row.id) for sentence in check(row, case, context)]
    return found


def schema(row: Any, case: Case, converter: str) -> Iterator[str]:
    """Types, task, id, turns, provenance."""
    if not isinstance(row, Instruction):
        yield f"the converter yields a {type(row).__name__}; yield schemas.instruction.Instruction"
        return
    try:
        _adapter().validate_json(json.dumps(asdict(row)), strict=True)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        yield f"the field {place} has the wrong type: {error.errors()[0]['msg']}"
        return
    except TypeError as error:
        yield f"a field holds what is no plain value: {error}; turn numpy numbers and the like into int, float or str"
        return
    yield from _turns(row)
    yield from _provenance(row, case, converter)
    if row.task not in TASKS:
        yield f"the task {row.task!r} is none of the schema's; see schemas.instruction.TASKS"
    if not _ID.fullmatch(row.id):
        yield "the id is not 32 hex digits; make it with schemas.identity.row_id"


def _turns(row: Instruction) -> Iterator[str]:
    roles = [message.role for message in row.messages]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        yield "the turns do not alternate between user and assistant, beginning with the user"
    if any(not message.content.replace(IMAGE, "").strip() for message in row.messages):
        yield "a turn is empty"


def _provenance(row: Instruction, case: Case, converter: str) -> Iterator[str]:
    if row.provenance.converter != converter:
        yield f"provenance.converter is {row.provenance.converter!r}, but the converter is called {converter!r}"
    if not row.provenance.facts:
        yield "provenance.facts is empty; name the annotations that prove the answer, e.g. labels[0]"
    for fact in row.provenance.facts:
        if not resolves(fact, case):
            yield f"provenance.facts names {fact!r}, which is nowhere in the case"


def placeholders(row: Instruction, case: Case, context: Context) -> Iterator[str]:
    """As many ``<image>`` as pictures, all in the first turn of the user unless the row is interleaved."""
    counts = [message.content.count(IMAGE) for message in row.messages]
    if sum(counts) != len(row.images):
        yield f"the turns hold {sum(counts)} {IMAGE}, but the row has {len(row.images)} images"
    elif row.task != "interleaved" and sum(counts) != counts[0]:
        yield f"an {IMAGE} stands outside the first turn"


def options(row: Instruction, case: Case, context: Context) -> Iterator[str]:
    """Options are different, hold the answer, and index, text and the assistant's words agree."""
    if not row.options:
        if row.answer_index != -1:
            yield f"answer_index is {row.answer_index} without options; it must be -1"
        return
    plain = [" ".join(option.split()).casefold() for option in row.options]
    if len(set(plain)) < len(plain):
        yield "two options are the same"
    if not 0 <= row.answer_index < len(row.options):
        yield f"answer_index {row.answer_index} is outside the {len(row.options)} options"
        return
    right = row.options[row.answer_index]
    if row.answer != right:
        yield "answer is not the text of the option at answer_index"
    said = row.messages[-1].content.strip().rstrip(".)").lstrip("(")
    if said != chr(65 + row.answer_index) and right.casefold() not in row.messages[-1].content.casefold():
        yield f"the assistant's words are neither the letter {chr(65 + row.answer_index)} nor the right option"


def leak(row: Instruction, case: Case, context: Context) -> Iterator[str]:
    """The question gives away neither the answer nor where the picture comes from."""
    first = row.messages[0].content
    question = first.replace(IMAGE, " ")
    for name in sorted(_secrets(case)):
        if _says(question, name):
            yield "the question holds the file's name or the case's key"
            break
    if row.task in _OPEN_TASKS and not row.options and row.answer and _says(question, row.answer):
        yield "the question holds its own answer"


def regions(row: Instruction, case: Case, context: Context) -> Iterator[str]:
    """Regions lie on their picture, masks have its size, marks stay inside."""
    for number, place in enumerate(row.regions):
        for sentence in _place(place, row):
            yield f"regions[{number}] {sentence}"
    for number, image in enumerate(row.images):
        sides = (image.view.width, image.view.height)
        for mark in image.marks:
            if any(not 0 <= value <= sides[i % 2] for i, value in enumerate(mark.points)):
                yield f"a mark of images[{number}] lies outside its {sides[0]}x{sides[1]} view"


def _place(place: Place, row: Instruction) -> Iterator[str]:
    if not 0 <= place.image_index < max(len(row.images), 1):
        yield f"has image_index {place.image_index}, but the row has {len(row.images)} images"
        return
    x0, y0, x1, y1 = place.box
    if not (0 <= x0 <= x1 <= 1 and 0 <= y0 <= y1 <= 1):
        yield "has a box that is not x0 <= x1, y0 <= y1 within 0..1; divide view pixels by the view's size"
    if any(not 0 <= value <= 1 for value in place.points):
        yield "has points outside 0..1"
    if place.rle and row.images:
        view = row.images[place.image_index].view
        if place.size != (view.height, view.width):
            yield f"has a mask of {place.size[1]}x{place.size[0]} on a view of {view.width}x{view.height}"


def _secrets(case: Case) -> set[str]:
    """Names that must not stand in a question: files, their stems, and the key; plain words are left out."""
    files = [file for image in case.images for file in image.files]
    paths = [PurePosixPath(file) for file in (*files, *(file for volume in case.volumes for file in volume.files))]
    names = {path.name for path in paths} | {path.stem for path in paths} | {case.key}
    return {name for name in names if len(name) >= 4 and not name.isalpha()}


def _says(text: str, words: str) -> bool:
    """Whether ``words`` stand in ``text`` as whole words, without case."""
    return re.search(rf"(?<!\w){re.escape(words.strip().casefold())}(?!\w)", text.casefold()) is not None


def _id_of(row: Any) -> str:
    return row.id if isinstance(row, Instruction) and isinstance(row.id, str) else ""


@cache
def _adapter() -> TypeAdapter[Instruction]:
    return TypeAdapter(Instruction)


_CHECKS: dict[str, Callable[[Instruction, Case, Context], Iterator[str]]] = {
    "placeholders": placeholders,
    "options": options,
    "leak": leak,
    "regions": regions,
    "agreement": agreement,
}
