"""Which image, over cases: which of several patients' pictures shows something, or which is the odd one out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from converters.asking import Common
from converters.drawing import generator
from converters.episodes.together import only_picture, together
from converters.which_image import WhichImage
from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.identity import row_id
from schemas.instruction import Instruction


class WhichCase:
    """One question for every ``2 * images`` cases of different groups that have one picture each."""

    name: ClassVar[str] = "which_case"

    class Options(Common):
        """Options."""

        images: int = Field(default=4, ge=2, le=8)
        """At most so many pictures in a row."""
        rounds: int = Field(default=1, ge=1, le=16)
        """Times that the pool is dealt out anew."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert_many(self, cases: Sequence[Lent], context: Context) -> Iterator[Episode]:
        """Yield the questions."""
        usable = [number for number, lent in enumerate(cases) if only_picture(lent) is not None]
        asked: set[str] = set()
        for turn in range(self.options.rounds):
            # A case owns at most one row of a round, so its key tells the rows of a round apart.
            for hand in _hands(cases, usable, context, turn, 2 * self.options.images):
                episode = self._ask(cases, hand, context, turn)
                if episode is not None and episode.row.id not in asked:
                    asked.add(episode.row.id)
                    yield episode

    def _ask(self, cases: Sequence[Lent], hand: list[int], context: Context, turn: int) -> Episode | None:
        options = WhichImage.Options(
            language=self.options.language, variant=f"{self.options.variant}cases{turn}", images=self.options.images
        )
        joined = together(cases, hand, cases[hand[0]].case)
        row = next(WhichImage(options).convert(joined.case, context), None)
        if row is None:
            return None
        places = [joined.case.images.index(ref) for ref in row.images]
        lenders = tuple(joined.lenders[place] for place in places)
        owner = lenders[row.answer_index]
        return Episode(_owned(row, cases[owner], self.name, options.variant, joined.facts), owner, lenders)


def _owned(row: Instruction, owner: Lent, name: str, variant: str, facts: object) -> Instruction:
    made = replace(row.provenance, converter=name, facts=facts(row.provenance.facts))  # type: ignore[operator]
    return replace(row, id=row_id(owner.case.dataset, owner.case.identity, name, variant), provenance=made)


def _hands(cases: Sequence[Lent], usable: list[int], context: Context, turn: int, size: int) -> Iterator[list[int]]:
    """The usable cases dealt into hands of ``size``, no two of one group in a hand; what cannot be placed is left."""
    if len(usable) < 2:
        return
    order = generator(context.seed, "which_case", str(turn), cases[usable[0]].case.identity).sample(usable, len(usable))
    hand: list[int] = []
    for number in order:
        if not any(cases[number].same_person(cases[other]) for other in hand):
            hand.append(number)
        if len(hand) == size:
            yield hand
            hand = []
    if len(hand) >= 2:
        yield hand
