"""Interleaved documents: pictures of several patients with their captions between them."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.instruction import IMAGE, Instruction, Message, Provenance


class Interleaved:
    """One document for every ``images`` cases of different groups that have a row with a caption of one picture."""

    name: ClassVar[str] = "interleaved"

    class Options(Common):
        """Options."""

        images: int = Field(default=3, ge=2, le=8)
        converters: tuple[str, ...] = ("caption", "shipped_caption", "grounded_caption")
        """Whose rows are captions."""
        style: Literal["continue", "list"] = "continue"
        """``continue``: pictures and captions in turn, the last caption is the answer; ``list``: all pictures first,
        the answer holds all captions."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert_many(self, cases: Sequence[Lent], context: Context) -> Iterator[Episode]:
        """Yield the documents."""
        told: list[tuple[int, Instruction]] = []
        for number, lent in enumerate(cases):
            ask = Asker(lent.case, context, self.name, self.options)
            own = [row for row in lent.rows if self._is_caption(row)]
            if own:
                told.append((number, ask.about("caption").choice(own)))
        if not told:
            return
        first = Asker(cases[told[0][0]].case, context, self.name, self.options).about("pool")
        page: list[tuple[int, Instruction]] = []
        for number, row in first.sample(told, len(told)):
            if not any(cases[number].same_person(cases[other]) for other, _ in page):
                page.append((number, row))
            if len(page) == self.options.images:
                yield self._episode(cases, page, context)
                page = []

    def _is_caption(self, row: Instruction) -> bool:
        return row.provenance.converter in self.options.converters and len(row.images) == 1 and len(row.messages) == 2

    def _episode(self, cases: Sequence[Lent], page: list[tuple[int, Instruction]], context: Context) -> Episode:
        going_on = self.options.style == "continue"
        owner, last = page[-1] if going_on else page[0]
        ask = Asker(cases[owner].case, context, self.name, self.options)
        name = ask.about("page")
        intro = ask.draw(self.options.style, name)
        captions = [row.messages[1].content for _, row in page]
        if going_on:
            text = "\n\n".join([intro.fill({}), *(f"{IMAGE}\n{caption}" for caption in captions[:-1]), IMAGE])
            said = captions[-1]
        else:
            head = ask.table.fixed("image", ask.language)
            heads = [head.fill({"number": str(n + 1)}) for n in range(len(page))]
            text = "\n".join([intro.fill({}), *(f"{head} {IMAGE}" for head in heads)])
            said = "\n".join(f"{head} {caption}" for head, caption in zip(heads, captions, strict=True))
        rows = [last] if going_on else [row for _, row in page]
        row = Instruction(
            id=name.id,
            task="interleaved",
            messages=(Message("user", text), Message("assistant", said)),
            provenance=Provenance(
                self.name, intro.id, context.seed, ask.language,
                tuple(f"{number}:{fact}" for number, row in page for fact in row.provenance.facts),
            ),
            images=tuple(row.images[0] for _, row in page),
            answer=said,
            labels=tuple(dict.fromkeys(label for row in rows for label in row.labels)),
            flags=tuple(dict.fromkeys(flag for _, row in page for flag in row.flags)),
        )  # fmt: skip
        return Episode(row, owner, tuple(number for number, _ in page))
