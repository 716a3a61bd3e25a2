"""Captions and inline mentions that came with a case, asked for as they are, with their spaces tidied."""

import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.existing_qa import tidy
from converters.scenes import true_labels
from schemas.case import Case, TextKind
from schemas.context import Context
from schemas.instruction import Instruction

_FIGURE = re.compile(r"^(?:fig(?:ure)?\.?|abb(?:ildung)?\.?)\s*[0-9]+[a-z]?\s*[.:)]?\s*", re.IGNORECASE)


class ShippedCaption:
    """One row for each text of the wanted kinds, with all pictures of the case."""

    name: ClassVar[str] = "shipped_caption"

    class Options(Common):
        """Options."""

        kinds: tuple[TextKind, ...] = ("caption", "mention")
        shortest: int = Field(default=20, ge=1)
        """Characters; shorter texts say too little."""
        most_images: int = Field(default=8, ge=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        if not 0 < len(case.images) <= self.options.most_images:
            return
        recipes = Asker(case, context, self.name, self.options)
        for number, text in enumerate(case.texts):
            content = _FIGURE.sub("", tidy(text.content))
            if text.kind in self.options.kinds and len(content) >= self.options.shortest:
                which = "mention" if text.kind == "mention" else "ask"
                ask = recipes.speaking(text.language, which)
                row = ask.about(f"text{number}")
                images = tuple(range(len(case.images)))
                template = ask.draw(which, row)
                yield ask.row(
                    row,
                    "caption",
                    template.fill({"image": ask.words.shown(ask.words.PLAIN, len(images))}),
                    content,
                    images=images,
                    template=template.id,
                    facts=(f"texts[{number}]",),
                    labels=true_labels(case),
                )
