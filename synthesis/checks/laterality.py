"""Sides: what a clause says of left and right against where the annotation has the term."""

import re

from synthesis.checks.known import Known
from synthesis.checks.polarity import Said
from synthesis.checks.terms import Mention, clause

PICTURE = re.compile(
    r"\b(?:(?:image|picture|frame|figure|photo|viewer|screen|panel)(?: s)? (?:left|right)"
    r"|(?:left|right)(?: \w+){0,4}? (?:of|in|on) (?:the|this) (?:\w+ )?"
    r"(?:image|picture|frame|figure|photo|photograph|view|screen|panel|field)"
    r"|(?:upper|lower|top|bottom|middle) (?:left|right) (?:corner|third|part)"
    r"|(?:left|right) (?:edge|margin|border) of)\b"
)
"""Left and right of the picture, not of the patient."""
BOTH = re.compile(
    r"\b(?:bilateral(?:ly)?|left and right"
    r"|both (?:sides|lungs|kidneys|eyes|breasts|hemispheres|hips|knees|lobes|hemithoraces))\b"
)
WORDS = ("left", "right", "bilateral", "both")
SIDE = re.compile(r"\b(left|right)\b")
OTHER_SENSE = re.compile(
    r"\b(?:right (?:here|now|away|angle|above|below|next|at)|all right|is right|left (?:over|untreated)"
    r"|(?:left|right) (?:ventric\w+|atri\w+)|to the (?:left|right)|than (?:on )?the (?:left|right)"
    r"|compared (?:with|to) the (?:left|right))\b"
)
"""Where the word is no side, the heart's own, a direction or a comparison."""
LATER = re.compile(r"[;:]|\b(?:and|but|while|whereas|although|however|compared)\b")
HEADING = re.compile(r"(?:^|[;.] ?)(?P<heading>(?:\w+ ){0,3}?\w+): [^;:]*$")
FAR = 0.62
"""A side of the picture is contradicted only by regions that lie clearly on the other one."""


def contradicts(sentence: str, mention: Mention, said: Said, known: Known) -> bool:
    """Whether the side that the clause names is not one on which the term lies."""
    if said != "present" or not any(word in sentence for word in WORDS):
        return False
    text = _about(sentence, mention)
    named = _named(text) - set(SIDE.findall(mention.term.lower()))
    if not named:
        return False
    of_picture = PICTURE.search(text) is not None or (not known.oriented and mention.term not in known.sides)
    if of_picture:
        return any(_elsewhere(side, mention.term, known) for side in named)
    sides = known.sides.get(mention.term)
    return sides is not None and not named <= sides


def denied_side(sentence: str, mention: Mention) -> set[str]:
    """The sides to which a denial is limited, as in "no left effusion"; empty where it speaks of all."""
    text = clause(sentence, mention)
    return set() if BOTH.search(text) else _named(text)


def _about(sentence: str, mention: Mention) -> str:
    """The clause of the mention, and where that names no side, what follows it in a sentence on nothing else."""
    text = _heading(sentence, mention) + clause(sentence, mention)
    if _named(text) or not mention.alone:
        return text
    if BOTH.search(sentence):
        return sentence
    rest = sentence[mention.end :]
    stop = LATER.search(rest)
    return text + " " + (rest[: stop.start()] if stop else rest)


def _heading(sentence: str, mention: Mention) -> str:
    """What stands before the colon that the clause follows, as in "right lung: nodule"; else nothing."""
    found = HEADING.search(sentence[: mention.start])
    return f"{found['heading']} " if found else ""


def _named(text: str) -> set[str]:
    return {"left", "right"} if BOTH.search(text) else set(SIDE.findall(OTHER_SENSE.sub(" ", text)))


def _elsewhere(side: str, term: str, known: Known) -> bool:
    centres = known.centres.get(term, ())
    if side == "left":
        return bool(centres) and all(x > FAR for x, _ in centres)
    return bool(centres) and all(x < 1 - FAR for x, _ in centres)
