"""Text files that belong to an image by its name: a clinical reading, a report, a caption."""

from collections.abc import Mapping

from pydantic import Field

from readers.sections import sections
from readers.source import Source
from readers.text import read_text
from readers.values import person_in
from schemas.case import Demographics, Text, TextKind
from schemas.errors import UserError
from schemas.spec import Strict


class TextFiles(Strict):
    """Text files beside the images, and what of them is not text."""

    paths: dict[TextKind, str] = Field(default_factory=dict)
    """Kind of text -> path with the names of the image's pattern in braces; ``{stem}`` is the image's name without
    extension: ``ClinicalReadings/{stem}.txt``."""
    sections: bool = False
    """True cuts a ``report`` at its headings (FINDINGS:, IMPRESSION:)."""
    person: bool = False
    """True takes sex and age from lines that say nothing else, and leaves those lines out of the text."""

    def of(self, source: Source, path: str, names: Mapping[str, str]) -> tuple[tuple[Text, ...], Demographics]:
        """The texts that belong to the image at ``path``, and whom they say it shows."""
        stem = path.rpartition("/")[2].rpartition(".")[0]
        texts: list[Text] = []
        who = Demographics()
        for kind, template in self.paths.items():
            try:
                place = template.format_map({**names, "stem": stem})
            except (KeyError, IndexError, ValueError) as error:
                raise UserError(f"the path {template!r} does not fit the names of the images: {error}") from None
            if not source.exists(place):
                continue
            content = read_text(source, place).strip()
            if self.person:
                sex, age, content = person_in(content)
                who = Demographics(sex or who.sex, who.age_years if age is None else age)
            if content:
                texts += sections(content) if self.sections and kind == "report" else [Text(kind, content)]
        return tuple(texts), who
