"""The three ways in which medcurate says no.

Every message is one sentence for a person: it names the thing that is wrong and the cure, and never quotes
contents of a file (a message ends up in logs and ledgers, and contents can name a patient).
"""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """The command, spec or recipe is wrong; nothing was started (exit code 2)."""


class CaseError(Exception):
    """One case cannot be used; it goes to the ledger and the run goes on.

    Args:
        code: machine-readable reason, lower_snake_case, e.g. ``corrupt_image``; becomes the ledger's ``reason``.
        detail: one sentence naming what is wrong, without contents.
        status: ``failed`` where the input is broken, ``quarantined`` where a person should look,
            ``filtered`` where it is merely not wanted.
    """

    def __init__(self, code: str, detail: str, status: str = "failed") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


class ReleaseError(Exception):
    """A gate or the ledger refused the whole release; nothing was published (exit code 1)."""


def nearest(word: str, words: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of ``words``, or an empty string."""
    close = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
