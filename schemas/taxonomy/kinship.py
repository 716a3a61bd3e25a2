"""Which labels hold each other, after the taxonomy and, for words that it does not know, after the words themselves."""

from functools import cache

from schemas.taxonomy.labels import LabelConcept, ancestors, canonical_label, labels

_DENYING = frozenset({"no", "not", "non", "without", "absent", "none"})


@cache
def same(one: str, other: str) -> bool:
    """Whether two labels are spellings of one."""
    return one.lower() == other.lower() or (
        canonical_label(one) != "" and canonical_label(one) == canonical_label(other)
    )


@cache
def holds(wide: str, narrow: str) -> bool:
    """Whether ``narrow`` is ``wide``, a side or part of it, or a lesion in it (``kidney``: ``left kidney tumor``)."""
    if same(wide, narrow) or canonical_label(wide) in ancestors(canonical_label(narrow)):
        return True
    return set(wide.lower().split()) <= set(narrow.lower().split())


@cache
def related(one: str, other: str) -> bool:
    """Whether two labels name the same thing, or one holds the other: such a pair is never answer and distractor."""
    return holds(one, other) or holds(other, one)


@cache
def implies(narrow: str, wide: str) -> bool:
    """Whether ``wide`` is there wherever ``narrow`` is: it holds it, and ``narrow`` is no denial of it."""
    denied = _DENYING & set(narrow.lower().split()) - set(wide.lower().split())
    return holds(wide, narrow) and (not denied or same(wide, narrow))


@cache
def nested(one: str, other: str) -> bool:
    """Whether either is there wherever the other is: both can be true of one picture (``pneumonia``, ``COVID-19``)."""
    return implies(one, other) or implies(other, one)


@cache
def excludes(one: str, other: str) -> bool:
    """Whether two labels that are both present contradict each other: ``benign`` and ``malignant``."""
    return _opposite(one, other) or _opposite(other, one)


@cache
def denies(clear: str, finding: str) -> bool:
    """Whether ``clear`` says that nothing is wrong (``normal``, ``no finding``) and ``finding`` is something wrong."""
    ours, theirs = concept(clear), concept(finding)
    return ours is not None and theirs is not None and ours.opposite == "abnormal" and theirs.abnormal


def concept(name: str) -> LabelConcept | None:
    """What the taxonomy knows of a label in any spelling; None where it does not know it."""
    return labels().get(canonical_label(name))


def _opposite(one: str, other: str) -> bool:
    known = concept(one)
    return known is not None and known.opposite != "" and known.opposite == canonical_label(other)
