"""English sentences around medical words: articles, plurals, lists, and what a picture is called.

How words behave is data, in ``words/nouns.yaml``.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from schemas.spec import Strict
from schemas.yaml_file import load_yaml

NounKind = Literal["structure", "plural", "mass", "countable", "state", "clear", "unknown"]

_MASS_ENDINGS = (
    "itis",
    "osis",
    "emia",
    "aemia",
    "pathy",
    "megaly",
    "plasia",
    "trophy",
    "edema",
    "ism",
    "ectasis",
    "monia",
    "sis",
)
_COUNTABLE_ENDINGS = ("oma", "cyte", "phil", "blast", "phage")
_STATE_ENDINGS = ("affected", "free")
_SPOKEN = re.compile(r"^[A-Z0-9][A-Z0-9-]{0,4}$")
"""An acronym whose letters are spoken one by one, so that "an MR image" and "a CT image"."""
_SPOKEN_AS_WORDS = frozenset({"COVID", "FLAIR", "PET", "SPECT", "LASIK", "ROP"})


_NUMBERED = re.compile(r"\b(?:rib|vertebrae) \d+\b")
"""A bone that its number tells from the others: there is one, or one on each side."""
_VERTEBRA = re.compile(r"\bvertebrae (\d+) \((\w+)\)")


class Nouns(Strict):
    """Contents of ``words/nouns.yaml``."""

    structure: frozenset[str]
    plural: frozenset[str]
    mass: frozenset[str]
    countable: frozenset[str]
    state: frozenset[str]
    clear: frozenset[str]
    labels: dict[str, NounKind]
    joined: frozenset[str]
    plurals: dict[str, str]
    pictures: dict[str, str]
    slices: dict[str, str]
    implied: dict[str, list[str]]
    anatomies: dict[str, str]


@cache
def nouns() -> Nouns:
    """The table of words, read once."""
    return load_yaml(Path(__file__).parent.parent / "words" / "nouns.yaml", Nouns)


def head(label: str) -> str:
    """The word that carries the grammar: the last one, before ``of``, ``with`` or a bracket."""
    bare = re.split(r"\s+(?:of|with|in|on|due|without|between|excluding)\s+|\s*[(,]", label.strip(), maxsplit=1)[0]
    words = [word for word in bare.split() if not word.isdigit() and not (len(word) == 1 and word.isupper())]
    return words[-1] if words else label


@cache
def kind(label: str) -> NounKind:
    """How ``label`` behaves; a word that no list or ending knows is ``unknown`` and stands bare."""
    if label in nouns().labels:
        return nouns().labels[label]
    if label.lower() in nouns().clear:
        return "clear"
    if _NUMBERED.search(label) and head(label) in ("rib", "vertebrae"):
        return "structure"
    if label.lower().startswith(("no ", "non-", "without ", "free of ")):
        return "state"
    word = head(label)
    table = nouns()
    for form in (word, word.lower()):
        for name in ("state", "structure", "plural", "countable", "mass"):
            if form in getattr(table, name):
                return name
    return _by_ending(word.lower())


def _by_ending(word: str) -> NounKind:
    if word.endswith(_COUNTABLE_ENDINGS):
        return "countable"
    if word.endswith(_STATE_ENDINGS):
        return "state"
    if (
        word.endswith("s")
        and not word.endswith(("ss", "us", "is", "as", "os"))
        and word[:-1] in nouns().countable | nouns().structure
    ):
        return "plural"
    return "mass" if word.endswith(_MASS_ENDINGS) else "unknown"


def article(phrase: str) -> str:
    """``a`` or ``an``, by sound."""
    first = re.split(r"[\s-]", phrase, maxsplit=1)[0]
    if phrase.startswith(("X-ray", "X-Ray", "x-ray")):
        return "an"
    if _SPOKEN.match(first) and first not in _SPOKEN_AS_WORDS:
        return "an" if first[0] in "AEFHILMNORSX8" else "a"
    lower = first.lower()
    if lower.startswith(("uni", "use", "usu", "ute", "ure", "uro", "eu", "one", "ubi")) and not lower.startswith(
        ("unin", "unim")
    ):
        return "a"
    return "an" if lower[:1] in tuple("aeiou") or lower.startswith(("hour", "honest")) else "a"


@cache
def name(label: str) -> str:
    """The bare word: the label itself, since canonical labels are English; ``lumbar vertebra 1 (L1)`` for a number."""
    return _VERTEBRA.sub(lambda found: f"vertebra {found[1]} ({found[2].upper()})", label)


@cache
def phrase(label: str) -> str:
    """``the liver``, ``a platelet``, ``edema``: the label as it stands in a sentence."""
    which, word = kind(label), name(label)
    if which == "structure":
        return f"the {word}"
    if which == "countable":
        return f"{article(word)} {word}"
    return "no abnormal findings" if which == "clear" else word


@cache
def definite(label: str) -> str:
    """``the platelet``; what is already known by its place.  Mass nouns take ``the area of``."""
    return f"the area of {label}" if kind(label) == "mass" else f"the {name(label)}"


@cache
def plural(label: str) -> str:
    """``platelets``, ``red blood cells``, ``areas of edema``."""
    which, label = kind(label), name(label)
    if which == "plural":
        return label
    if which in ("mass", "state", "clear"):
        return f"areas of {label}" if which == "mass" else f"{label} areas"
    word = head(label)
    start = label.find(word)
    return label[:start] + _plural_word(word) + label[start + len(word) :]


def _plural_word(word: str) -> str:
    known = nouns().plurals.get(word.lower())
    if known is not None:
        return known if word.islower() else word[0] + known[1:]
    if word.endswith(("ss", "us", "is", "as", "os", "x", "z", "ch", "sh")):
        return f"{word}es"
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def counted(number: int, label: str) -> str:
    """``1 platelet``, ``2 platelets``, ``no platelets``."""
    if number == 1:
        which, word = kind(label), name(label)
        return (
            f"1 {word} area" if which in ("state", "clear") else f"1 area of {word}" if which == "mass" else f"1 {word}"
        )
    return f"{number} {plural(label)}" if number else f"no {plural(label)}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def sided(label: str) -> bool:
    """Whether the label itself says the side."""
    return not {"left", "right"}.isdisjoint(label.lower().split())


@cache
def be(label: str) -> str:
    """``is`` or ``are``."""
    return "are" if kind(label) == "plural" or label in nouns().joined else "is"


@cache
def picture(modality: str, anatomy: str = "", plane: str = "", projection: str = "", sliced: bool = False) -> str:
    """What the picture is, without article: ``axial CT slice of the abdomen``, ``PA radiograph of the chest``."""
    table = nouns()
    name = (
        table.pictures.get(modality)
        or table.pictures.get(modality.lower())
        or (f"{modality} image" if modality else "medical image")
    )
    if sliced or plane:
        name = table.slices.get(name, name)
    place = table.anatomies.get(anatomy.lower())
    if anatomy.lower() in table.implied.get(name, ()):
        place = ""
    if place is None:
        place = f"the {anatomy}" if anatomy else ""
    return " ".join(part for part in (plane or projection, name, f"of {place}" if place else "") if part)


YES, NO, PLAIN, SPACE, COMMA, COUNTED_LAST = "Yes", "No", "image", " ", ", ", False
_SIDES = {
    "A": "anterior",
    "P": "posterior",
    "S": "superior",
    "I": "inferior",
    "<": "left",
    ">": "right",
    "^": "upper",
    "v": "lower",
}


@cache
def location(codes: str, patient: bool, wide: bool) -> str:
    """Where something is, as ``in the ...``; see `converters.geometry_words.Where` for the codes."""
    frame = "field of view" if patient else "image"
    if not codes:
        return f"across most of the {frame}" if wide else f"in the central part of the {frame}"
    part = " ".join(_SIDES[code] for code in codes if code not in "LR")
    side = {"L": "left", "R": "right"}.get(codes[-1], "")
    if not side:
        return f"in the {part} part of the {frame}"
    return (
        f"in the {part} part of the {frame}, on the patient's {side}"
        if part
        else f"on the patient's {side} side of the {frame}"
    )


def montage(name: str, number: int) -> str:
    """``montage of 6 axial CT slices of the abdomen``."""
    thing, of, place = name.partition(" of ")
    return f"montage of {number} {thing}s{of}{place}"


def shown(name: str, number: int) -> str:
    """``this CT slice``, ``this set of 3 images``; singular, so that a verb agrees."""
    return f"this {name}" if number == 1 else f"this set of {number} images"


def a_picture(name: str, number: int) -> str:
    """``an MR image of the brain``, ``a set of 3 images``."""
    return f"{article(name)} {name}" if number == 1 else f"a set of {number} images, each {article(name)} {name}"


_BESIDE = {
    "L": "to the patient's left of",
    "R": "to the patient's right of",
    "A": "anterior to",
    "P": "posterior to",
    "S": "superior to",
    "I": "inferior to",
    "<": "to the left of",
    ">": "to the right of",
    "^": "above",
    "v": "below",
}


def beside(code: str) -> str:
    """Where one thing lies of another, e.g. ``anterior to``; the code as in `converters.geometry_words.direction`."""
    return _BESIDE[code]


def side(code: str) -> str:
    """The same by itself: ``anterior``, ``to the patient's left``."""
    return _BESIDE[code].removesuffix(" of").removesuffix(" to")


def size(millimetres: tuple[float, float] | None, share: float) -> str:
    """``42 mm wide and 31 mm high``, or what part of the image is covered where the spacing is unknown."""
    if millimetres is not None:
        wide, high = (f"{length:.0f}" if length >= 10 else f"{length:.1f}" for length in millimetres)
        return f"about {wide} mm wide and {high} mm high in the image"
    percent = share * 100
    return (
        f"about {percent:.0f} % of the image's area" if percent >= 1 else f"about {percent:.1g} % of the image's area"
    )
