"""Which letters a pattern of `Grammar` can begin with: all other places of a text need no closer look."""

from collections import deque
from collections.abc import Callable, Sequence

Letters = Callable[[str], str]
"""The letters that a piece of a pattern (a name or a sign) stands for."""
Found = tuple[set[str], bool]
"""Letters that a part can begin with, and whether it can be left out."""


def first_letters(pieces: Sequence[str], letters: Letters) -> set[str]:
    """The letters with which a text that fits the pattern can begin.

    Args:
        pieces: of the pattern, those of its macros written out.
        letters: of every piece that is no group, alternative or ``?``.
    """
    return _alternatives(deque(pieces), letters)[0]


def _alternatives(pieces: deque[str], letters: Letters) -> Found:
    found, missing = _sequence(pieces, letters)
    while pieces and pieces[0] == "|":
        pieces.popleft()
        more, nothing = _sequence(pieces, letters)
        found, missing = found | more, missing or nothing
    return found, missing


def _sequence(pieces: deque[str], letters: Letters) -> Found:
    found: set[str] = set()
    missing = True
    while pieces and pieces[0] not in ("|", ")"):
        more, nothing = _part(pieces, letters)
        if missing:
            found |= more
        missing = missing and nothing
    return found, missing


def _part(pieces: deque[str], letters: Letters) -> Found:
    piece = pieces.popleft()
    if piece in ("(", "!("):
        found, missing = _alternatives(pieces, letters)
        pieces.popleft()
        if piece == "!(":
            return set(), True
    else:
        found, missing = set(letters(piece)), piece.startswith("..")
    if pieces and pieces[0] == "?":
        pieces.popleft()
        missing = True
    return found, missing
