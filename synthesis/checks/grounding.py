"""Compares a written text with the annotation of its case, sentence by sentence."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from synthesis.checks import counts, laterality, places, sizes
from synthesis.checks.known import Known
from synthesis.checks.laterality import SIDE
from synthesis.checks.number_words import PATTERN
from synthesis.checks.polarity import Said, said_of
from synthesis.checks.terms import Mention, plain, sentences
from synthesis.checks.vocabulary import Vocabulary

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
        for meant in _one_by_one(mentions):
            found = [list(_wrong(names, sentence, form, mention, sided, known)) for mention in meant]
            if len(found) == 1 or _all_wrong(form, meant, known, found):
                yield from next((wrong for wrong in found if wrong), [])


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


YES_NO = re.compile(r"^(?:is|are|was|were|does|do|did|has|have|can|could)\b", re.IGNORECASE)
YES_OR_NO = re.compile(r"^\s*(yes|no)(?:[\s.,;:!-]*$|[.,;:!-]+\s*)", re.IGNORECASE)
YES = re.compile(
    r"^\s*(?:absolutely|certainly|indeed|correct|definitely|affirmative|of course|sure(?:ly)?|it does|they do|it is"
    r"|they are"
    r"|there (?:is|are)(?: (?:one|some|several))?)(?=\s*(?:[.,;!]|$))",
    re.IGNORECASE,
)
NO = re.compile(
    r"^\s*(?:negative|nope|not at all|it (?:does not|doesn't|is not|isn't)|there (?:is not|isn't|are not"
    r"|aren't))(?=\s*(?:[.,;!]|$))",
    re.IGNORECASE,
)
"""Replies that stand for yes and no."""
HOW_MANY = re.compile(r"^how many (?P<what>.+?) (?:are|is|can|do|does|have|lie|were|was)\b", re.IGNORECASE)
WHERE = re.compile(
    r"^(?:(?:on|in|at) )?(?:where|(?:which|what) (?:\w+ )?(?:side|lung|lobe|part|half|region|corner|area|place"
    r"|location)"
    r"(?: of the \w+)?) (?:is|are|does|do|can|lies?) (?:the |an? )?(?P<what>.+?)"
    r"(?: (?:located|lie|seen|found|be seen|be found|visible|on|in|at|affected|situated))*\?$",
    re.IGNORECASE,
)
HOW_BIG = re.compile(
    r"^(?:how (?:big|large|wide|long)|what size) (?:is|are) (?:the |an? )?(?P<what>.+?)\?$", re.IGNORECASE
)
NONE = re.compile(
    r"^\s*(?:there (?:is|are) |(?:i|we|one) (?:can )?(?:see|find|count) )?(?:none|not)(?: (?:is|are|was|were"
    r"|that i can see|at all|any))?(?: \w+){0,2}[.!]?\s*$",
    re.IGNORECASE,
)
"""A reply that denies what was asked for without naming it."""
ITSELF = re.compile(r"^(?:it|this|that|they|these|he|she)(?:'s|'re| is| are| lies?| measures?)? ", re.IGNORECASE)
LAST_WORD = re.compile(
    r"[,;:.] (?:so|therefore|thus|hence|so the answer is|the answer is)[:,]? (yes|no)\.?\s*$", re.IGNORECASE
)
"""A reply that gives its reasons first."""
RELATION = re.compile(
    r"\b(?:than|touch\w*|borders?|adjacent|contact|contained?|overlap\w*|next to|beside|above|below|between|inside"
    r"|within"
    r"|anterior|posterior|superior|inferior|medial|lateral|cranial|caudal|(?:left|right)(?: side)? of|share|same|closer"
    r"|by the|without|free"
    r"|correct that|true that|say that|severe|severity|stage|grade|scale|surround\w*|reach\w*|cross\w*|invade\w*"
    r"|extend\w*"
    r"|classified|called|labell?ed)\b",
    re.IGNORECASE,
)
"""A question about how things are or lie: "no" denies that, and not the things."""
SHORT_REPLY = 7
"""Words of an answer that has no subject of its own."""
NUMBER_FIRST = re.compile(
    rf"^\s*(?:there (?:are|is) |(?:i|we|one) (?:can )?(?:see|count) )?(?P<number>{PATTERN})"
    r"(?: (?:of (?:them|these|those)|in total|altogether|in all))?\s*[.!]?\s*$",
    re.IGNORECASE,
)


def stated(text: str) -> Iterator[str]:
    """The sentences that state something: a question does so only together with a reply ("Pneumothorax? No.")."""
    asked = ""
    for sentence in sentences(text):
        if sentence.endswith("?"):
            asked = sentence
            continue
        reply = YES_OR_NO.match(sentence)
        if asked and reply:
            yield from sentences(statements(asked if YES_NO.match(asked) else f"Is there {asked}", sentence))
        else:
            yield sentence
        asked = ""


def statements(question: str, answer: str) -> str:
    """The answer as statements that stand alone: "No" to "Is there an effusion?" denies the effusion."""
    asked = _question(question)
    if YES_NO.match(asked):
        answer = NO.sub("No", YES.sub("Yes", answer))
    reply = YES_OR_NO.match(answer)
    how_many, number = HOW_MANY.match(asked), NUMBER_FIRST.match(answer)
    if how_many and number:
        return f"There are {number['number']} {how_many['what']}."
    where, big = WHERE.match(asked), HOW_BIG.match(asked)
    if (where or big) and len(answer.split()) <= SHORT_REPLY:
        said = ITSELF.sub("", answer.strip().rstrip("."))
        subject = where["what"] if where else big["what"] if big else ""
        return f"The {subject} {'lies' if where else 'measures'} {said[:1].lower()}{said[1:]}."
    if YES_NO.match(asked) and NONE.match(answer):
        return statements(asked, "No.")
    if reply is None and YES_NO.match(asked):
        last = LAST_WORD.search(answer)
        if last:
            return statements(asked, f"{last[1].capitalize()}. {answer[: last.start()].strip(' ,')}.")
    if reply is None or not YES_NO.match(asked):
        return answer
    rest = answer[reply.end() :]
    if RELATION.search(asked):
        return f"{rest[:1].upper()}{rest[1:]}"
    asked = re.sub(r"^\s*\w+\s+", "", asked).rstrip("?. ")
    asked = re.sub(r"^there\s+(?:any\s+|an?\s+)?", "", asked)
    first = f"There is {'no ' if reply[1].lower() == 'no' else ''}{asked}."
    return f"{first} {rest[:1].upper()}{rest[1:]}".strip()


def _question(text: str) -> str:
    """What is asked: the last sentence that ends with a question mark, else all of it."""
    asked = [sentence for sentence in sentences(text.strip()) if sentence.endswith("?")]
    return asked[-1] if asked else text.strip()


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
