"""Whether two short answers to one question say the same."""

import re

from synthesis.checks.number_words import WORDS
from synthesis.checks.polarity import ABSENT_AFTER, DENIAL_RE, HEDGE_RE
from synthesis.checks.terms import plain

FILLER = frozenset({
    "a", "an", "the", "it", "is", "are", "this", "that", "there", "of", "in", "on", "at", "to", "and", "with", "be",
    "picture", "image", "shows", "show", "shown", "seen", "visible", "answer", "scan", "film", "can", "we", "i", "see",
    "by", "patient", "patients", "s", "side", "sided", "located", "lies", "appears", "likely", "as", "was", "has",
})  # fmt: skip
"""Words by which two equal answers may differ."""
SAME = {
    "mri": "magnetic resonance imaging", "ct": "computed tomography", "x ray": "radiograph", "us": "ultrasound",
    "xray": "radiograph", "radiography": "radiograph", "mr": "magnetic resonance imaging", "true": "yes",
    "false": "no", "ultrasonography": "ultrasound", "sonography": "ultrasound", "sonogram": "ultrasound",
    "computer tomography": "computed tomography", "heart enlargement": "cardiomegaly", "enlarged heart": "cardiomegaly",
    "normal": "no abnormality", "neither": "no",
}  # fmt: skip
"""Common names of one thing."""
SAME_RE = re.compile(r"\b(?:" + "|".join(sorted(SAME, key=len, reverse=True)) + r")\b")
WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
OPPOSITES = (("left", "right"), ("upper", "lower"), ("present", "absent"), ("malignant", "benign"))
YES_NO = re.compile(r"(?:yes|no)\b[.!]?")


def same_answer(said: str, expected: str) -> bool:
    """Whether ``said`` gives the answer ``expected``, whatever is said around it.

    All meaningful words of ``expected`` must stand in ``said``, in any order, with the same numbers, sides and
    polarity; what is longer by more than twelve meaningful words is no short answer.
    """
    one, other = _form(said), _form(expected)
    if YES_NO.fullmatch(other):
        return YES_NO.match(one) is not None and one[:2] == other[:2]
    if _denied(one) != _denied(other) or _open(one) != _open(other):
        return False
    words, wanted = _words(one), _words(other)
    if not wanted or len(words) > len(wanted) + 12:
        return False
    asked = [pair for pair in OPPOSITES if wanted & {*pair}]
    if any((word in words) != (word in wanted) for pair in asked for word in pair):
        return False
    numbers = {word for word in wanted if word[0].isdigit()}
    if numbers and {word for word in words if word[0].isdigit()} - numbers:
        return False
    return wanted <= words


def _denied(form: str) -> bool:
    form = HEDGE_RE.sub(" ", form)
    return DENIAL_RE.search(form) is not None or ABSENT_AFTER.search(form) is not None


def _open(form: str) -> bool:
    return HEDGE_RE.search(form.replace("likely", "")) is not None


def _form(text: str) -> str:
    return SAME_RE.sub(lambda match: SAME[match[0]], plain(text))


def _words(text: str) -> set[str]:
    found = [str(WORDS.get(word, word)) for word in WORD.findall(HEDGE_RE.sub(" ", text))]
    return {_singular(word) for word in found if word not in FILLER}


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")) else word
