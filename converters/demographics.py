"""Demographics, only where the picture shows them.

Age and sex are not asked about because a table states them: a model would learn to guess.  Two rules say when they can
be seen.  **Sex**: an organ that only one sex has is annotated on the picture itself (``_ORGANS``), and the stated sex
agrees with it; where the two disagree nothing is asked.  **Age**, as child or adult: a radiograph of the hand, whose
growth plates are all closed by 19 years (Greulich and Pyle's standards end at 18 years for girls and 19 for boys) and
clearly open before 13.  Ages between are not asked about.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.acquisition import fact_of
from converters.asking import Asker, Common
from converters.choosing import LETTERS, with_options
from converters.visible import spots_on
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

Fact = Literal["sex", "age"]
_ORGANS = {
    "prostate": "male", "seminal vesicle": "male", "testis": "male", "penis": "male", "scrotum": "male",
    "uterus": "female", "ovary": "female", "left ovary": "female", "right ovary": "female", "vagina": "female",
    "cervix": "female",
}  # fmt: skip
_CHILD, _ADULT = 13, 19
"""Years: younger than the first is a child, older than the second an adult."""


class Demographics:
    """Up to one question about sex and one about age for each picture that shows them."""

    name: ClassVar[str] = "demographics"

    class Options(Common):
        """Options."""

        facts: tuple[Fact, ...] = Field(default=("sex", "age"))

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        stated = case.demographics
        if not stated.sex and stated.age_years is None:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            if "sex" in self.options.facts and (number := _organ(case, index)) is not None:
                proof = ("demographics.sex", f"regions[{number}]")
                yield _row(ask, index, "sex", ("male", "female"), stated.sex, proof)
            if "age" in self.options.facts and (age := _age(case, context, index)):
                yield _row(ask, index, "age", ("child", "adult"), age, ("demographics.age_years",))


def _organ(case: Case, index: int) -> int | None:
    """The region that shows the stated sex; None where none does, or one speaks against it."""
    found = {number: _ORGANS.get(case.regions[number].label, "") for number in spots_on(case, index)}
    if {sex for sex in found.values() if sex} != {case.demographics.sex}:
        return None
    return next(number for number, sex in found.items() if sex)


def _age(case: Case, context: Context, index: int) -> str:
    """``child`` or ``adult`` where a radiograph of the hand shows which; else empty."""
    years = case.demographics.age_years
    shown = [(fact_of(case, context.spec, fact, index) or ("",))[0] for fact in ("modality", "anatomy")]
    if years is None or shown != ["radiography", "hand"]:
        return ""
    return "child" if years < _CHILD else "adult" if years > _ADULT else ""


def _row(ask: Asker, index: int, fact: Fact, words: tuple[str, str], right: str, proof: tuple[str, ...]) -> Instruction:
    row = ask.about(f"image{index}/{fact}")
    order = words if row.chance() < 0.5 else words[::-1]
    options = tuple(ask.table.fixed(f"word_{word}", ask.language).fill({}) for word in order)
    template, place = ask.draw(fact, row), order.index(right)
    return ask.row(
        row,
        "mcq",
        with_options(template.fill(ask.slots((index,))), options, ask.language),
        LETTERS[place],
        images=(index,),
        template=template.id,
        facts=proof,
        short=options[place],
        options=options,
        answer_index=place,
    )
