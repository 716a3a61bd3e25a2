"""Two views: two pictures of one patient taken in different projections, and which is which.

Only projections of the table (``words/acquisition.yaml``) are asked about, and only such as a reader can tell apart:
two frontal ones, PA and AP, are not.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import ClassVar

from pydantic import Field

from converters.acquisition import canonical_value, distractors, values
from converters.asking import Asker, Common
from converters.choosing import LETTERS, with_options
from converters.episodes.together import only_picture
from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.instruction import IMAGE, Instruction, Message, Provenance


class TwoViews:
    """Up to ``per_group`` questions for each group with cases of different views; a row belongs to the asked view."""

    name: ClassVar[str] = "two_views"

    class Options(Common):
        """Options."""

        per_group: int = Field(default=1, ge=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert_many(self, cases: Sequence[Lent], context: Context) -> Iterator[Episode]:
        """Yield the questions."""
        groups: dict[str, list[int]] = {}
        for number, lent in enumerate(cases):
            if lent.case.group is not None and _view(lent) and only_picture(lent) is not None:
                groups.setdefault(lent.case.group, []).append(number)
        for members in groups.values():
            pairs = [
                (one, other)
                for one, other in combinations(members, 2)
                if _view(cases[one]) in distractors("view", _view(cases[other]))
            ]
            for pair in pairs[: self.options.per_group]:
                yield self._episode(cases, pair, context)

    def _episode(self, cases: Sequence[Lent], pair: tuple[int, int], context: Context) -> Episode:
        key = "/".join(sorted(cases[number].case.identity for number in pair))
        turned = Asker(cases[pair[0]].case, context, self.name, self.options)
        owner = pair[turned.about(key).randrange(2)]
        ask = Asker(cases[owner].case, context, self.name, self.options)
        name = ask.about(key)
        shown = pair if name.randrange(2) else pair[::-1]
        index = shown.index(owner)
        options = tuple(ask.table.fixed("option", ask.language).fill({"number": str(n + 1)}) for n in range(2))
        template = ask.draw("which", name)
        asked = _view(cases[owner])
        word = values().facts["view"][asked].names.get(ask.language, asked)
        question = template.fill({"view": word})
        row = Instruction(
            id=name.id,
            task="comparison",
            messages=(
                Message("user", f"{IMAGE}\n" * 2 + with_options(question, options, ask.language)),
                Message("assistant", LETTERS[index]),
            ),
            provenance=Provenance(
                self.name, template.id, context.seed, ask.language,
                tuple(f"{number}:acquisition.view" for number in shown),
            ),
            images=tuple(cases[number].case.images[0] for number in shown),
            options=options,
            answer=options[index],
            answer_index=index,
        )  # fmt: skip
        return Episode(row, owner, shown)


def _view(lent: Lent) -> str:
    """The table's word for the projection; empty where it has none."""
    return canonical_value("view", lent.case.acquisition.view)
