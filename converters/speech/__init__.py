"""Words of one language around medical terms; one module per language."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from schemas.errors import UserError

_LANGUAGES = {"en": "converters.speech.english", "zh": "converters.speech.chinese"}


class Speech(Protocol):
    """What a language module offers."""

    YES: str
    NO: str
    SPACE: str
    """What stands between two sentences."""
    COMMA: str
    """What stands between the words of a bare list."""
    PLAIN: str
    """A picture of no named kind."""
    COUNTED_LAST: bool
    """Whether a number in a list would be read with all that follows it, for want of articles, so that what is counted
    stands last."""

    def kind(self, label: str) -> str:
        """How the label behaves: structure, plural, mass, countable, state, clear or unknown."""
        ...

    def name(self, label: str) -> str:
        """The bare word for a label, as it stands among options."""
        ...

    def phrase(self, label: str) -> str:
        """The label as it stands in a sentence: ``the liver``, ``a platelet``, ``edema``."""
        ...

    def definite(self, label: str) -> str:
        """One that is already known: ``the platelet``."""
        ...

    def plural(self, label: str) -> str:
        """Several: ``platelets``."""
        ...

    def counted(self, number: int, label: str) -> str:
        """So many: ``2 platelets``."""
        ...

    def listed(self, items: Sequence[str], last: str = ...) -> str:
        """A list with its last joint."""
        ...

    def sided(self, label: str) -> bool:
        """Whether the label itself says the side."""
        ...

    def be(self, label: str) -> str:
        """The verb that agrees with the label, where the language has one."""
        ...

    def picture(
        self, modality: str, anatomy: str = ..., plane: str = ..., projection: str = ..., sliced: bool = ...
    ) -> str:
        """What a picture is, without article: ``axial CT slice of the abdomen``."""
        ...

    def montage(self, name: str, number: int) -> str:
        """Several such pictures in one: ``montage of 6 axial CT slices of the abdomen``."""
        ...

    def shown(self, name: str, number: int) -> str:
        """``this CT slice``; a set for several."""
        ...

    def a_picture(self, name: str, number: int) -> str:
        """``a CT slice``; a set for several."""
        ...

    def location(self, codes: str, patient: bool, wide: bool) -> str:
        """A place as in `converters.geometry_words.Where`: ``in the upper left part of the image``."""
        ...

    def beside(self, code: str) -> str:
        """Where one thing lies of another: ``anterior to``."""
        ...

    def side(self, code: str) -> str:
        """The same where no other thing is named after it: ``anterior``."""
        ...

    def size(self, millimetres: tuple[float, float] | None, share: float) -> str:
        """How big: ``about 42 mm wide and 31 mm high in the image``; the share where the spacing is unknown."""
        ...


@cache
def speech(language: str) -> Speech:
    """The words of a language.

    Raises:
        UserError: no module speaks it.
    """
    if language not in _LANGUAGES:
        raise UserError(f"no converter speaks {language!r}; choose one of {', '.join(sorted(_LANGUAGES))}")
    return cast(Speech, import_module(_LANGUAGES[language]))
