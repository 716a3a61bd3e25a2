"""Takes identifiers out of the texts of a case before anything is made of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from quality.capitals import is_known
from quality.recognisers import Hit, find, joined
from quality.surrogates import Surrogates
from schemas.case import Case
from schemas.findings import Finding

Finder = Callable[[str], list[Hit]]
LEAST = 3
"""Letters and digits that a value of the source's own fields must have to be searched for.  Ours."""


def hits_in(text: str, case: Case, more: Finder | None = None) -> list[Hit]:
    """Identifiers of a text: what the recognisers find and what the case's own fields say, without its surrogates.

    Args:
        text: any text.
        case: whose text it is.
        more: finds further ones.
    """
    hits = joined([*find(text), *own(text, case.identifiers), *(more(text) if more and text else ())])
    if not case.surrogates:
        return hits
    given = sorted(filter(None, case.surrogates), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, given)))
    # What is left of the found words once surrogates are out must not hold a word or number.
    return [hit for hit in hits if re.search(r"\w{2}|\d", pattern.sub(" ", text[hit.start : hit.end]))]


def own(text: str, identifiers: tuple[tuple[str, str], ...]) -> list[Hit]:
    """Where values of the source's own fields stand in a text, as whole words, without regard to case."""
    hits = []
    lowered = text.lower()
    for kind, value in identifiers:
        plain = value.strip().lower()
        # A phantom may be called CHEST; a word of medicine names nobody.
        if sum(map(str.isalnum, plain)) < LEAST or (kind == "person" and is_known(plain)):
            continue
        at = lowered.find(plain)
        while at >= 0:
            end = at + len(plain)
            if not lowered[at - 1 : at].isalnum() and not lowered[end : end + 1].isalnum():
                hits.append(Hit(kind, at, end))
            at = lowered.find(plain, end)
    return hits


def rewritten(case: Case, actions: Mapping[str, str], draw: Surrogates, more: Finder | None = None) -> Case:
    """The case with every identifier masked or replaced whose kind says so; the very same where there is none.

    Args:
        case: whose texts and questions are searched.
        actions: by kind.
        draw: of the case's patient.
        more: finds further identifiers.
    """
    done: set[str] = set()

    def new(text: str) -> str:
        parts, at = [], 0
        for hit in hits_in(text, case, more):
            action = actions[hit.kind]
            if action in ("mask", "surrogate"):
                done.add(action)
                word = draw.of(text, hit) if action == "surrogate" else f"[{hit.kind.replace('_', ' ')}]"
                parts += [text[at : hit.start], word]
                at = hit.end
        return "".join([*parts, text[at:]])

    texts = tuple(replace(text, content=new(text.content), title=new(text.title)) for text in case.texts)
    questions = tuple(
        replace(
            asked,
            question=new(asked.question),
            answer=new(asked.answer),
            options=tuple(map(new, asked.options)),
            turns=tuple((new(said), new(replied)) for said, replied in asked.turns),
        )
        for asked in case.questions
    )
    if not done:
        return case
    codes = {"mask": "identifier_masked", "surrogate": "identifier_surrogate"}
    notes = [Finding(codes[one], "identifiers in the source's texts were taken out") for one in sorted(done)]
    return replace(
        case,
        texts=texts,
        questions=questions,
        surrogates=frozenset(draw.made),
        findings=(*case.findings, *notes),
    )
