"""Given names that begin a sentence and do what persons do: ``Kyle came with her mother``."""

import re
from collections.abc import Iterator

from quality.capitals import UPPER, is_known

_DOES = (
    r"(?:came|feels|felt|lives|lived|denies|denied|agrees|agreed|consents|consented|smokes|drinks|complains|complained|"
    r"underwent|presented|presents|attended|attends|fell|walked|walks|works|worked|retired|emigrated|moved here|"
    r"(?:was|is) (?:born|informed|present|admitted|discharged|referred|advised|seen by|accompanied))"
)
"""What persons do and organs do not."""
_FOUND = re.compile(rf"(?:^|[.!?:;\n])[ \t]*(?P<value>[{UPPER}][^\W\d_]+(?:-[{UPPER}][^\W\d_]+)?) {_DOES}\b")
_ANYBODY = frozenset(
    """
    he she they we you it who i there this that these those nobody everybody somebody anyone someone everyone
    both all each patient patients pt pts man woman men women boy girl child children baby infant newborn
    neonate toddler mother father parents parent wife husband son daughter brother sister family relatives
    relative carer partner subject subjects person people physician doctor nurse surgeon radiologist consultant
    volunteer twin twins donor recipient symptoms pain fever cough participant participants respondents case
    cases veteran gentleman lady male female adult adults students student worker smoker nonsmoker none many
    most some few several two three four five one then also once having being not nevertheless
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
"""Words that persons are meant by and nobody is named."""


def sentence_names(text: str) -> Iterator[tuple[int, int]]:
    """Character spans of words that begin a sentence as its subject, that nothing explains."""
    for found in _FOUND.finditer(text):
        word = found["value"].lower()
        if word not in _ANYBODY and not is_known(word):
            yield found.span("value")
