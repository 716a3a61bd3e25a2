"""Which labels hold each other, after the taxonomy and, for words that it does not know, after the words themselves."""

from functools import cache

from converters.speech.english import kind
from schemas import taxonomy


@cache
def related(one: str, other: str) -> bool:
    """Whether two labels name the same thing, or one holds the other: such a pair is never answer and distractor."""
    return holds(one, other) or holds(other, one)


@cache
def same(one: str, other: str) -> bool:
    """Whether two labels are spellings of one."""
    return one.lower() == other.lower() or (_known(one) != "" and _known(one) == _known(other))


@cache
def holds(wide: str, narrow: str) -> bool:
    """Whether ``narrow`` is ``wide``, a side or part of it, or a lesion in it (``kidney``: ``left kidney tumor``)."""
    if same(wide, narrow) or _known(wide) in taxonomy.ancestors(_known(narrow)):
        return True
    return set(wide.lower().split()) <= set(narrow.lower().split())


@cache
def may_be(name: str, present: str) -> bool:
    """Whether ``name`` may be on a picture because ``present`` is, although no region carries it.

    What holds the present thing is there too.  A part of it may be, unannotated by itself; a lesion of it would have
    been annotated.
    """
    if holds(name, present):
        return True
    return holds(present, name) and not (lesion(name) and not lesion(present))


@cache
def lesion(name: str) -> bool:
    """Whether the label is a lesion, finding or object rather than a structure of the body."""
    concept = taxonomy.labels().get(_known(name))
    return concept.kind != "structure" if concept else kind(name) not in ("structure", "plural", "unknown")


@cache
def _known(name: str) -> str:
    return taxonomy.canonical_label(name)


@cache
def nearness(one: str, other: str) -> float:
    """How much of what the taxonomy says of either it says of both, 0..1; 0 for words that it does not know."""
    ours, theirs = _traits(one), _traits(other)
    return len(ours & theirs) / len(ours | theirs) if ours or theirs else 0.0


def _traits(name: str) -> frozenset[str]:
    """What holds a label, where in the body it is, and whether it is a structure, a finding or a lesion."""
    concept = taxonomy.labels().get(_known(name))
    if concept is None:
        return frozenset()
    return taxonomy.ancestors(concept.name) | {f"in {concept.region}", f"a {concept.kind}"}
