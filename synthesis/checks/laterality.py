"""Sides: what a clause says of left and right against where the annotation has the term."""

import re

from synthesis.checks.known import Known
from synthesis.checks.polarity import Said
from synthesis.checks.terms import Mention, clause, leading

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
    r"|(?:both|either) (?:\w+ )?(?:sides?|lungs?|kidneys?|eyes?|breasts?|hemispheres?|hips?|knees?|lobes|hemithorac\w+"
    r"|spaces"
    r"|bases|apices|angles|fields|zones|hila|ears?|orbits?|shoulders?|ovar\w+|femora|temples|cheeks|discs))\b"
)
WORDS = ("left", "right", "lateral", "both", "either", "side")
SIDE = re.compile(r"\b(left|right)\b")
SAME = re.compile(r"\b(?:ipsilateral(?:ly)?|(?:same|that) side)\b")
OPPOSITE = re.compile(
    r"\b(?:contralateral(?:ly)?|(?:opposite|other) (?:side|lung|kidney|eye|breast|hemisphere|hemithorax))\b"
)
"""Sides by reference to the one named before."""
PATIENT = re.compile(r"\b(?:on|in|at) the patient s (left|right)\b|, (?:that is|i e) the patient s (left|right)\b")
OTHER_SENSE = re.compile(
    r"\b(?:right (?:here|now|away|angle|above|below|next|at)|all right|is right|left (?:over|untreated)"
    r"|(?:left|right) (?:ventric\w+|atri\w+)|to the (?:patient s |viewer s )?(?:left"
    r"|right)(?: side)?(?: of the (?:left|right))?|than (?:on )?the (?:left|right)"
    r"|(?:left|right)(?: side)? of the (?!\w+ (?:image|picture)|patient|body|chest|thorax|abdomen|brain|head|neck|face"
    r"|pelvis|image"
    r"|picture|frame|field|film|scan|photo|figure|midline|spine|view|screen|panel)"
    r"|compared (?:with|to) the (?:left|right))\b"
)
"""Where the word is no side, the heart's own, a direction or a comparison."""
LINK = re.compile(
    r"\b(?:(?:consistent|compatible) with|in keeping with|suggest\w*|represent\w*|indicat\w*|suspicious for|typical of"
    r"|concerning for|diagnostic of|reflect\w*|likely|probably|presumably)(?: (?:of|a|an|the))*(?: \w+){0,3} $"
)
"""What stands before these is the mention itself ("a mass on the left, consistent with a glioma")."""
APPOSED = re.compile(r", (?:an? |the |most |very |probably |likely |presumably |typical |which )[^,;]{0,40}$")
"""What stands before the comma is explained by the mention ("the left kidney holds a mass, probably a carcinoma")."""
COLON = re.compile(r"^[^:;]*(?::|, (?:that is|namely|i e|in other words|meaning),?) (?:an? )?(?:\w+ ){0,2}$")
LATER = re.compile(r"[;:]|\b(?:and|but|while|whereas|although|however|compared)\b")
HEADING = re.compile(r"(?:^|[;.] ?)(?P<heading>(?:\w+ ){0,3}?\w+): [^;:]*$")
FAR = 0.62
"""A side of the picture is contradicted only by regions that lie clearly on the other one."""


def contradicts(sentence: str, mention: Mention, said: Said, known: Known) -> bool:
    """Whether the side that the clause names is not one on which the term lies."""
    if said not in ("present", "uncertain") or not any(word in sentence for word in WORDS):
        return False
    text = _about(sentence, mention)
    patient = {side for sides in PATIENT.findall(text) for side in sides if side}
    named = (patient or _named(text)) - set(SIDE.findall(mention.term.lower()))
    if not named:
        return False
    of_picture = PICTURE.search(text) is not None or (not known.oriented and mention.term not in known.sides)
    of_picture = of_picture and not patient
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
    text = _heading(sentence, mention) + leading(sentence, mention) + _written_out(sentence, mention)
    if _named(text) or not mention.alone:
        return text
    if BOTH.search(sentence):
        return sentence
    rest = sentence[mention.end :]
    stop = LATER.search(rest)
    ahead = sentence[: mention.start]
    if LINK.search(ahead) or APPOSED.search(ahead):
        return LATER.split(ahead)[-1] + text
    if COLON.search(ahead):
        return ahead + text
    return text + " " + (rest[: stop.start()] if stop else rest)


def _written_out(sentence: str, mention: Mention) -> str:
    """The clause of the mention, "the opposite side" and the like replaced by the side that is meant."""
    text = clause(sentence, mention)
    before = SIDE.findall(sentence[: mention.start])
    if not before or not (SAME.search(text) or OPPOSITE.search(text)):
        return text
    other = "left" if before[-1] == "right" else "right"
    return OPPOSITE.sub(f"on the {other}", SAME.sub(f"on the {before[-1]}", text))


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
