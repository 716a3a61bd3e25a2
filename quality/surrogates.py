"""Words in the place of identifiers: the same for one patient everywhere, drawn with the secret key, of the same form.

Dates of a patient move by the same number of days, whole weeks, so that intervals and weekdays stay.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from quality.dates import day_first, shifted
from quality.recognisers import Hit, first_names
from schemas.identity import keyed

WEEKS = 520
"""Dates move back by 1 to so many weeks, so by ten years at most.  Ours."""

GIVEN = (
    "Alex", "Robin", "Sasha", "Kim", "Jamie", "Noor", "Dominique", "Ariel", "Toni", "Mika", "Chris", "Jules", "Kerry",
    "Renee", "Sidney", "Andrea", "Jody", "Leslie", "Marion", "Terry", "Valery", "Yael", "Nikola", "Shannon",
)  # fmt: skip
"""Given names of any sex, so that a surrogate says nothing of the patient's."""
_HEADS = (
    "Bel", "Car", "Dun", "Els", "Far", "Gar", "Hal", "Ing", "Jar", "Kel", "Lan", "Mar", "Nor", "Ost", "Pel", "Quin",
    "Ral", "Sel", "Tor", "Ul", "Var", "Wes", "Yar", "Zel",
)  # fmt: skip
_TAILS = ("berg", "by", "dale", "den", "ford", "gard", "ham", "holm", "ick", "land", "ley", "mere", "ner", "ström",
          "ton", "vale", "well", "wick", "wood", "worth")  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_KEPT = frozenset(
    _WORD.findall(
        "dr drs mr mrs ms miss mx prof professor doctor sister nurse herr frau mme md rn the of general hospital "
        "clinic clinique klinikum clinica ospedale hôpital medical center centre university infirmary health system "
        "hospice imaging radiology associates st saint street avenue ave road rd lane ln drive boulevard blvd court ct "
        "square terrace place highway hwy suite apt box po in at and am im de la van der von"
    )
)


class Surrogates:
    """Draws the surrogates of one patient.

    Args:
        key: the secret.
        patient: dataset and group (or case), whatever the source calls the patient.
    """

    def __init__(self, key: bytes, patient: Sequence[str]) -> None:
        self._key, self._patient = key, tuple(patient)
        self.days = -7 * (1 + self._number("days", "") % WEEKS)
        self.made: set[str] = set()
        """Everything that was put into a text."""

    def of(self, text: str, hit: Hit) -> str:
        """What stands for the identifier; its kind in brackets where its form is not understood."""
        words = text[hit.start : hit.end]
        if hit.kind == "date":
            new = shifted(words, self.days, first_is_day=day_first(text)) or "[date]"
        else:
            new = _MAKERS.get(hit.kind, Surrogates._coded)(self, words)
        self.made.add(new)
        return new

    def _named(self, words: str) -> str:
        return _WORD.sub(lambda found: self._name(found[0]), re.sub(r"\d", lambda d: self._digit(words, d), words))

    def _name(self, word: str) -> str:
        plain = word.casefold()
        if plain in _KEPT:
            return word
        number = self._number("name", plain)
        if len(word) == 1:
            return chr(65 + number % 26) if word.isupper() else word
        names = GIVEN if plain in first_names() else _families()
        new = names[number % len(names)]
        new = names[(number + 1) % len(names)] if new.casefold() == plain else new
        return new.upper() if word.isupper() else new

    def _coded(self, words: str) -> str:
        """Digits for digits and letters for letters, all else as it was."""
        digits = re.sub(r"\d", lambda found: self._digit(words, found), words)
        return re.sub(r"(?<![^\W\d_])[A-Z]{1,4}(?=[\d-])", lambda found: self._letters(words, found[0]), digits)

    def _digit(self, words: str, found: re.Match[str]) -> str:
        return str(self._number("digit", f"{found.start()}/{words}") % 10)

    def _letters(self, words: str, old: str) -> str:
        return "".join(chr(65 + self._number("letter", f"{n}/{words}") % 26) for n in range(len(old)))

    def _uid(self, words: str) -> str:
        return f"2.25.{self._number('uid', words)}"

    def _email(self, words: str) -> str:
        return f"{_families()[self._number('email', words) % len(_families())].lower()}@example.org"

    def _url(self, words: str) -> str:
        return f"https://example.org/{self._number('url', words) % 10**8}"

    def _ip(self, words: str) -> str:
        return f"192.0.2.{self._number('ip', words) % 256}"

    def _age(self, words: str) -> str:
        """HIPAA lets all ages from 90 on stand as one."""
        return re.sub(r"\d+", "90", words, count=1)

    def _number(self, what: str, value: str) -> int:
        return int(keyed(self._key, "surrogate", *self._patient, what, value), 16)


@cache
def _families() -> tuple[str, ...]:
    return tuple(head + tail for head in _HEADS for tail in _TAILS)


_MAKERS: dict[str, Callable[[Surrogates, str], str]] = {
    "person": Surrogates._named,
    "possible_name": Surrogates._named,
    "institution": Surrogates._named,
    "address": Surrogates._named,
    "uid": Surrogates._uid,
    "email": Surrogates._email,
    "url": Surrogates._url,
    "ip": Surrogates._ip,
    "age_over_89": Surrogates._age,
}
