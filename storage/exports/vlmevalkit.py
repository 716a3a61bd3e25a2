"""VLMEvalKit's TSV files: multiple choice, yes/no and open questions, pictures as base64."""

import base64
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from schemas.spec import Strict
from storage.atomic import atomic
from storage.exports.base import Row, pieces, without_images

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
KINDS = {"mcq": "mcq", "yes_no": "yorn", "open": "vqa", "count": "vqa"}
"""Task -> which file; rows of other tasks cannot be scored there and are left out."""


class VlmEvalKit:
    """``<split>_mcq.tsv`` (image MCQ), ``<split>_yorn.tsv`` and ``<split>_vqa.tsv``; one question a line.

    Pictures come before the question there, so that solved examples with pictures of their own are left out.
    A picture that an earlier line shows is given as that line's index, which VLMEvalKit resolves.  Several
    pictures stand as a Python list of base64 strings.
    """

    name: ClassVar[str] = "vlmevalkit"

    class Options(Strict):
        """Options."""

        options: int = 6
        """Option columns, A to F."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split."""
        folder.mkdir(parents=True, exist_ok=True)
        letters = list(LETTERS[: self.options.options])
        with ExitStack() as stack:
            tables = {
                kind: stack.enter_context(_table(folder / f"{split}_{kind}.tsv", letters if kind == "mcq" else []))
                for kind in ("mcq", "yorn", "vqa")
            }
            for row in rows:
                kind = KINDS.get(row["task"])
                if kind and _fits(row) and len(row["options"]) <= len(letters):
                    tables[kind].add(row)
            return sum(table.count for table in tables.values())

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Nothing describes the splits."""


class _Table:
    def __init__(self, file: Any, letters: list[str]) -> None:
        self._letters = letters
        self._first: dict[str, int] = {}
        self._writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        self._writer.writerow(["index", "image", "question", *letters, "answer", "category", "l2-category"])
        self.count = 0

    def add(self, row: Row) -> None:
        choice = bool(self._letters)
        options = [*row["options"], *[""] * (len(self._letters) - len(row["options"]))] if choice else []
        answer = LETTERS[row["answer_index"]] if choice else row["answer"]
        question = _question(row)
        self._writer.writerow([self.count, self._image(row), question, *options, answer, row["task"], row["dataset"]])
        self.count += 1

    def _image(self, row: Row) -> str:
        if len(row["images"]) > 1:
            return str([base64.b64encode(image["bytes"]).decode() for image in row["images"]])
        (image,) = row["images"]
        first = self._first.setdefault(image["path"], self.count)
        return base64.b64encode(image["bytes"]).decode() if first == self.count else str(first)


@contextmanager
def _table(path: Path, letters: list[str]) -> Iterator[_Table]:
    with atomic(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        yield _Table(text, letters)
        text.detach()


def _fits(row: Row) -> bool:
    """Whether the row is one question, behind all of its pictures."""
    parts = pieces(row["messages"][0]["content"])
    return bool(row["images"]) and len(row["messages"]) == 2 and all(part is None for part in parts[:-1])


def _question(row: Row) -> str:
    """The question alone: VLMEvalKit adds options and instruction itself."""
    text = without_images(row["messages"][0]["content"])
    if row["options"]:
        first = re.search(rf"^\W*A\W+{re.escape(row['options'][0])}\W*$", text, re.MULTILINE)
        text = text[: first.start()] if first else text
    return text.strip()
