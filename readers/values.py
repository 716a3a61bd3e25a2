"""Single values as sources write them: splits, ages, sexes, sides, views, licences."""

import re
from collections.abc import Mapping
from typing import Literal

from schemas.identity import digest

_SPLITS = {
    "train": "train", "training": "train", "tr": "train",
    "val": "val", "valid": "val", "validate": "val", "validation": "val", "dev": "val", "development": "val",
    "test": "test", "testing": "test", "ts": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_AGE_UNITS = {"": 1.0, "y": 1.0, "m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25}
_PERSON = re.compile(
    r"(?:patient'?s?\s+)?(?:sex|gender)?\s*:?\s*(?P<sex>female|male|f|m)?[\s,]*"
    r"(?:(?:patient'?s?\s+)?age\s*:?\s*)?(?P<age>\d{1,3}\s*(?:y|yr|yrs|years?|m|months?|w|d|days?)?(?:\s+old)?)?\.?",
    re.IGNORECASE,
)
_LICENSES = (
    (r"cc0|public domain|creativecommons\.org/publicdomain/zero", "CC0-1.0"),
    (r"creativecommons\.org/licenses/by-nc-sa", "CC-BY-NC-SA"),
    (r"creativecommons\.org/licenses/by-nc-nd", "CC-BY-NC-ND"),
    (r"creativecommons\.org/licenses/by-nc", "CC-BY-NC"),
    (r"creativecommons\.org/licenses/by-sa", "CC-BY-SA"),
    (r"creativecommons\.org/licenses/by-nd", "CC-BY-ND"),
    (r"creativecommons\.org/licenses/by", "CC-BY"),
    (r"cc[ -]?by[ -]nc[ -]sa", "CC-BY-NC-SA"),
    (r"cc[ -]?by[ -]nc[ -]nd", "CC-BY-NC-ND"),
    (r"cc[ -]?by[ -]nc", "CC-BY-NC"),
    (r"cc[ -]?by[ -]sa", "CC-BY-SA"),
    (r"cc[ -]?by[ -]nd", "CC-BY-ND"),
    (r"cc[ -]?by", "CC-BY"),
)


def split_name(word: str, known: Mapping[str, str] | None = None) -> str:
    """``train``, ``val`` or ``test`` for a source's word, by ``known`` first; empty where it is none.

    A year or a count behind it is passed over: ``train2017``, ``Training400``.
    """
    plain = re.sub(r"(?<=[a-z]{3})\d{3,4}$", "", word.strip().lower())
    return (known or {}).get(word) or _SPLITS.get(plain, "")


def age_years(text: str) -> float | None:
    """Years from ``45``, ``045Y``, ``6M``, ``45 years``; None where the text is no age or an impossible one."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([ymwd]?)[a-z]*\s*", text.lower())
    if found is None:
        return None
    years = round(float(found[1]) * _AGE_UNITS[found[2]], 2)
    return years if years <= 120 else None


def sex_of(text: str) -> Literal["", "female", "male", "other"]:
    """The sex by its first letter; empty where the text says nothing."""
    word = text.strip().lower()
    if word in ("f", "female", "woman", "w"):
        return "female"
    if word in ("m", "male", "man"):
        return "male"
    return "other" if word in ("o", "other", "x", "diverse") else ""


def site_of(text: str) -> str:
    """A digest that stands for a hospital or centre, whose name goes no further; empty where the text says nothing."""
    name = " ".join(text.casefold().split())
    return digest("site", name) if name else ""


def person_in(text: str) -> tuple[Literal["", "female", "male", "other"], float | None, str]:
    """Sex, age in years and the other lines of a short clinical note (``male 45yrs``, ``Patient's Age: 026Y``).

    Only lines that say nothing but sex and age are looked at: an age inside a sentence may be somebody else's.
    """
    sex: Literal["", "female", "male", "other"] = ""
    age: float | None = None
    rest = []
    for line in text.split("\n"):
        found = _PERSON.fullmatch(line.strip())
        if found is None or not line.strip():
            rest.append(line)
            continue
        sex = sex_of(found["sex"] or "") or sex
        stated = age_years(found["age"] or "")
        age = stated if stated is not None else age
    return sex, age, "\n".join(rest).strip()


def side_of(text: str) -> str:
    """``left`` or ``right``; empty where the text says neither."""
    word = text.strip().lower()
    return {"l": "left", "left": "left", "r": "right", "right": "right", "os": "left", "od": "right"}.get(word, "")


def projection(text: str) -> str:
    """A radiograph's view in one spelling: PA, AP, lateral; else as written."""
    word = text.strip()
    known = {"pa": "PA", "ap": "AP", "lateral": "lateral", "lat": "lateral", "ll": "lateral", "l": "lateral"}
    return known.get(word.lower(), word)


def spdx(text: str) -> str:
    """The SPDX id of a licence as sources write it; ``LicenseRef-`` and the words where it names none or no version."""
    text = text.strip()
    if not text:
        return ""
    version = re.search(r"\d\.\d", text)
    for pattern, name in _LICENSES:
        if re.search(pattern, text, re.IGNORECASE):
            if name == "CC0-1.0":
                return name
            return f"{name}-{version[0]}" if version else f"LicenseRef-{name}"
    if re.fullmatch(r"[A-Za-z0-9.+-]+", text):
        return text
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")
