"""Compares a written text with the annotation of its case, sentence by sentence."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from synthesis.checks import counts, laterality, places, sizes
from synthesis.checks.known import Known
from synthesis.checks.laterality import SIDE
from synthesis.checks.polarity import Said, said_of
from synthesis.checks.replies import stated
from synthesis.checks.terms import Mention, plain
from synthesis.checks.vocabulary import Vocabulary

OR = re.compile(r",? (?:or|versus|vs\.?|and/or) (?:(?:a|an|even|perhaps|possibly|early|small|mild) )*")
"""Between two possibilities."""
Check = Callable[[str, Mention, Said, Known], bool]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One sentence that the annotation does not bear."""

    check: str
    """polarity, laterality, count, size or place."""
    sentence: str
    term: str
    fact: str
    """What the annotation says."""
    path: str
    """Where the annotation says it."""


def polarity_contradicts(sentence: str, mention: Mention, said: Said, known: Known) -> bool:
    """Whether the sentence affirms what is absent, denies what is present, or is surer or less sure than it may be."""
    truth = known.polarity.get(mention.term)
    if truth is None or said in (truth, "nothing") or (said == "doubtful" and truth != "present"):
        return False
    if truth == "present" and said in ("absent", "doubtful"):
        if places.denied_elsewhere(sentence, mention, known):
            return False
        sides = laterality.denied_side(sentence, mention)
        return not sides or bool(sides & known.sides.get(mention.term, frozenset()))
    return not (truth == "present" and said == "uncertain")


CHECKS: Mapping[str, Check] = {
    "polarity": polarity_contradicts,
    "laterality": laterality.contradicts,
    "count": counts.contradicts,
    "size": sizes.contradicts,
    "place": places.contradicts,
}


def contradictions(
    text: str, known: Known, vocabulary: Vocabulary, checks: Iterable[str] = tuple(CHECKS)
) -> Iterator[Contradiction]:
    """Every contradiction between ``text`` and what is known."""
    names = tuple(checks)
    for sentence in stated(text):
        form = plain(sentence)
        mentions = vocabulary.mentions(form)
        sided = [mention for mention in mentions if SIDE.search(form, mention.start, mention.end)]
        possible = _possible(form, mentions, known)
        for meant in _one_by_one(mentions):
            if meant[0].start in possible:
                continue
            found = [list(_wrong(names, sentence, form, mention, sided, known)) for mention in meant]
            if len(found) == 1 or _all_wrong(form, meant, known, found):
                yield from next((wrong for wrong in found if wrong), [])


def _possible(form: str, mentions: Sequence[Mention], known: Known) -> set[int]:
    """Where mentions begin that are named as one of several possibilities of which another is true."""
    named = sorted((one for one in mentions if one.kind == "named"), key=lambda one: one.start)
    found: set[int] = set()
    for first, second in pairwise(named):
        if OR.fullmatch(form, first.end, second.start) and said_of(form, first) == "uncertain":
            truths = [known.polarity.get(one.term) for one in (first, second)]
            if any(truth in ("present", "uncertain") for truth in truths):
                found |= {one.start for one, truth in zip((first, second), truths, strict=True) if truth == "absent"}
    return found


def _one_by_one(mentions: Iterable[Mention]) -> Iterator[list[Mention]]:
    """Mentions, those together that the same unsure words may mean."""
    for (_, unsure), several in groupby(mentions, key=lambda mention: (mention.start, mention.unsure)):
        if unsure:
            yield list(several)
        else:
            yield from ([mention] for mention in several)


def _wrong(
    names: Sequence[str], sentence: str, form: str, mention: Mention, sided: Iterable[Mention], known: Known
) -> Iterator[Contradiction]:
    said = said_of(form, mention)
    for other in sided:
        if other.term != mention.term:
            form = form[: other.start] + "_" * (other.end - other.start) + form[other.end :]
    for name in names:
        if CHECKS[name](form, mention, said, known):
            path = known.paths.get(mention.term, "")
            yield Contradiction(name, sentence, mention.term, _fact(name, mention.term, known), path)


def _all_wrong(form: str, meant: Sequence[Mention], known: Known, found: Sequence[Sequence[Contradiction]]) -> bool:
    """Whether unsure words are wrong whatever they mean; a denial denies all that they may mean."""
    if said_of(form, meant[0]) in ("absent", "doubtful"):
        return any(found)
    heard_of = [wrong for mention, wrong in zip(meant, found, strict=True) if mention.term in known.polarity]
    return bool(heard_of) and all(heard_of)


def _fact(check: str, term: str, known: Known) -> str:
    if check == "polarity":
        return f"{term} is annotated as {known.polarity[term]}"
    if check == "laterality":
        sides = sorted(known.sides.get(term, ()))
        return f"{term} is annotated on the {' and '.join(sides)}" if sides else f"{term} is annotated elsewhere"
    if check == "count":
        return f"{known.counts[term]} of {term} are annotated"
    if check == "size":
        found = known.sizes_mm.get(term, ())
        return (
            f"{term} measures {', '.join(f'{size:.0f}' for size in found)} mm" if found else f"{term} is not measured"
        )
    return f"{term} is annotated in another part of the picture"
