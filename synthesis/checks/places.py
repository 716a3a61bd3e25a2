"""Places: parts of the picture that a text names against where the annotated regions lie."""

import re

from synthesis.checks.known import Known, Point
from synthesis.checks.polarity import Said
from synthesis.checks.terms import Mention, clause, leading

ANATOMY = (
    r"(?:lobes?|zones?|lungs?|poles?|limbs?|quadrants?|abdomen|lip|jaw|eyelid|extremit\w+|endplate|calyx|moiety|airway"
    r"|arm"
    r"|leg|gi|tract|third of the (?!(?:\w+ )?(?:image|picture|frame|field|view))|respiratory|hemithorax|mediastinum"
    r"|teeth|limit)"
)
UP = re.compile(rf"\b(?:upper|top|superior part)\b(?! (?:left |right |middle |outer |inner )?{ANATOMY}\b)")
DOWN = re.compile(rf"\b(?:lower|bottom)\b(?! (?:left |right |middle |outer |inner )?{ANATOMY}\b)")
CENTRE = re.compile(
    r"(?<!from )(?<!of )(?<!off )(?<!above )(?<!below )\bthe (?:very )?(?:center|middle|central (?:part|portion|area"
    r"|region))"
    r" of the (?:\w+ )?(?:image|picture|frame|field|photo|view)\b"
)
FAR = 0.62


def contradicts(sentence: str, mention: Mention, said: Said, known: Known) -> bool:
    """Whether no region of the term lies in the upper, lower or central part that the clause names."""
    centres = known.centres.get(mention.term, ())
    if said != "present" or not centres:
        return False
    return _elsewhere(leading(sentence, mention) + clause(sentence, mention), centres)


def denied_elsewhere(sentence: str, mention: Mention, known: Known) -> bool:
    """Whether a denial is limited to a part of the picture in which the term indeed does not lie."""
    centres = known.centres.get(mention.term, ())
    return bool(centres) and _elsewhere(clause(sentence, mention), centres)


def _elsewhere(text: str, centres: tuple[Point, ...]) -> bool:
    if UP.search(text) and not DOWN.search(text):
        return all(y > FAR for _, y in centres)
    if DOWN.search(text) and not UP.search(text):
        return all(y < 1 - FAR for _, y in centres)
    if CENTRE.search(text):
        return not any(0.2 < x < 0.8 and 0.2 < y < 0.8 for x, y in centres)
    return False
