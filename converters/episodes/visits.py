"""Two visits, over cases: what changed from one case of a patient to the next, by both labels or the later report."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

from pydantic import Field, field_validator

from converters.comparison import Comparison
from converters.episodes.together import only_picture, together
from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.identity import row_id
from schemas.instruction import Instruction


class Visits:
    """Questions about each two consecutive visits of one group; they belong to the later one."""

    name: ClassVar[str] = "visits"

    class Options(Comparison.Options):
        """Options."""

        visit: str
        r"""Regular expression over the case key whose first group is the number or date of the visit, e.g.
        ``visit(\d+)``; visits are ordered by it, as numbers where all of a group are."""
        per_case: int = Field(default=2, ge=1)

        @field_validator("visit")
        @classmethod
        def _has_one_group(cls, value: str) -> str:
            try:
                groups = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"visit is not a regular expression: {error}") from None
            if groups != 1:
                raise ValueError(f"visit needs one group in parentheses, the number of the visit; it has {groups}")
            return value

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert_many(self, cases: Sequence[Lent], context: Context) -> Iterator[Episode]:
        """Yield the questions."""
        groups: dict[str, list[tuple[str, int]]] = {}
        for number, lent in enumerate(cases):
            found = re.search(self.options.visit, lent.case.key)
            if found and lent.case.group is not None and only_picture(lent) is not None:
                groups.setdefault(lent.case.group, []).append((found[1], number))
        for visits in groups.values():
            ordered = _in_time(visits)
            for (then, before), (now, after) in pairwise(ordered):
                if then != now:
                    yield from self._changes(cases, before, after, context)

    def _changes(self, cases: Sequence[Lent], before: int, after: int, context: Context) -> Iterator[Episode]:
        joined = together(cases, [before, after], cases[after].case)
        reported = replace(joined.case, texts=cases[after].case.texts)
        origins = {f"texts[{number}]": f"{after}:texts[{number}]" for number in range(len(reported.texts))}
        joined = replace(joined, case=reported, origins=joined.origins | origins)
        asked = self.options.model_dump(exclude={"visit"})
        variant = "/".join(part for part in (self.options.variant, cases[before].case.identity) if part)
        for row in Comparison(Comparison.Options(**{**asked, "variant": variant})).convert(joined.case, context):
            owned = _owned(row, cases[after], self.name, joined.facts(row.provenance.facts))
            yield Episode(owned, after, (before, after))


def _owned(row: Instruction, owner: Lent, name: str, facts: tuple[str, ...]) -> Instruction:
    made = replace(row.provenance, converter=name, facts=facts)
    return replace(row, id=row_id(owner.case.dataset, owner.case.identity, name, row.id), provenance=made)


def _in_time(visits: list[tuple[str, int]]) -> list[tuple[str, int]]:
    if all(when.isdecimal() for when, _ in visits):
        return sorted(visits, key=lambda one: (int(one[0]), one[1]))
    return sorted(visits)
