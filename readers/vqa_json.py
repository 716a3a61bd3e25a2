"""Questions about images in a JSON list, as VQA-RAD ships them: every image is a case with all its questions."""

from typing import ClassVar

from pydantic import Field

from readers.base import Recognition
from readers.source import Source
from readers.table import Table
from readers.table_options import Questions, TableFormat, TableOptions
from schemas.spec import Strict


class VqaOptions(TableOptions):
    """`TableOptions` with the defaults of a JSON list of questions."""

    format: TableFormat = "json"
    image: list[str] = Field(default_factory=lambda: ["image_name", "image", "img_name", "image_path", "figure_path"])
    join: bool = True
    questions: Questions | None = Questions(answer_type="answer_type", question_type="question_type", key="qid")


class VqaJson(Table):
    """`Table` under the name that says what it is for."""

    name: ClassVar[str] = "vqa_json"
    Options: ClassVar[type[Strict]] = VqaOptions

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_records import recognise_vqa

        return recognise_vqa(source)
