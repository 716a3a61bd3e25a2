"""Which labels may stand beside each other: lesions, what may be unannotated, how near two are in the taxonomy."""

from functools import cache

from converters.speech.english import kind
from schemas import taxonomy
from schemas.taxonomy.kinship import concept, holds


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
    known = concept(name)
    return known.kind != "structure" if known else kind(name) not in ("structure", "plural", "unknown")


@cache
def is_lesion(name: str) -> bool:
    """Whether the taxonomy knows the label as a lesion or finding, so that a text may call it "the lesion"."""
    known = concept(name)
    return known is not None and known.kind in ("lesion", "finding")


@cache
def nearness(one: str, other: str) -> float:
    """How much of what the taxonomy says of either it says of both, 0..1; 0 for words that it does not know."""
    ours, theirs = _traits(one), _traits(other)
    return len(ours & theirs) / len(ours | theirs) if ours or theirs else 0.0


def _traits(name: str) -> frozenset[str]:
    """What holds a label, where in the body it is, and whether it is a structure, a finding or a lesion."""
    known = concept(name)
    if known is None:
        return frozenset()
    return taxonomy.ancestors(known.name) | {f"in {known.region}", f"a {known.kind}"}
