"""Dates in texts moved by days, in the form in which they stand."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
SOME_YEAR = 2001
"""Without a leap day."""
_PIECES = re.compile(r"\d+|[A-Za-z]+|[^\dA-Za-z]+")
_SLASHED = re.compile(r"(?<![\d./-])(\d{1,2})([/-])(\d{1,2})\2(?:\d{4}|\d\d)(?![\d/-])")
_TIME = re.compile(r"T\d\d:?\d\d(?::?\d\d)?$")
_ORDINALS = ("st", "nd", "rd", "th")


@dataclass(slots=True)
class _Roles:
    """Which piece of a date is which; -1 where there is none."""

    year: int = -1
    month: int = -1
    day: int = -1


def day_first(text: str) -> bool:
    """Whether ``03/04/2012`` in this text means April: where one date of its form can only be read so.

    Without such a date the month comes first, as in the United States.
    """
    firsts = [(int(found[1]), int(found[3])) for found in _SLASHED.finditer(text)]
    return any(first > 12 for first, _ in firsts) and not any(second > 12 for _, second in firsts)


def shifted(words: str, days: int, *, first_is_day: bool = False) -> str | None:
    """A date moved by ``days``, its order, separators, widths and case kept; ``None`` where it cannot be read.

    A date without a day is moved as the 15th of its month would be, one without a year as in a year without a leap day.

    Args:
        words: the date as it stands, e.g. ``03/09/2012``, ``9 March 2012``, ``20120309T1015``.
        days: to move by, negative for earlier.
        first_is_day: how ``03/09/2012`` is meant where both readings are possible.
    """
    time = _TIME.search(words)
    tail = time[0] if time else ""
    words = words.removesuffix(tail)
    if len(words) == 8 and words.isdigit():
        moved = _moved(int(words[:4]), int(words[4:6]), int(words[6:]), days)
        return f"{moved:%Y%m%d}{tail}" if moved else None
    pieces = _PIECES.findall(words)
    roles = _roles(pieces, first_is_day)
    if roles is None:
        return None
    full = _full(pieces[roles.year]) if roles.year >= 0 else SOME_YEAR
    day = int(pieces[roles.day]) if roles.day >= 0 else 15
    moved = _moved(full, _month(pieces[roles.month]), day, days)
    return _written(pieces, roles, moved) + tail if moved else None


def _roles(pieces: list[str], first_is_day: bool) -> _Roles | None:
    numbers = [index for index, piece in enumerate(pieces) if piece.isdigit()]
    named = [index for index, piece in enumerate(pieces) if piece.isalpha() and _month(piece)]
    years = [index for index in numbers if len(pieces[index]) == 4]
    if named and len(numbers) == 1 and not years:
        return _Roles(-1, named[0], numbers[0])
    if not named and len(numbers) == 2:
        first, second = numbers
        is_day = int(pieces[first]) > 12 or (int(pieces[second]) <= 12 and first_is_day)
        return _Roles(-1, second, first) if is_day else _Roles(-1, first, second)
    if named and numbers and len(numbers) <= 2:
        year = years[0] if years else numbers[-1]
        day = next((index for index in numbers if index != year), -1)
        return _Roles(year, named[0], day)
    if named or len(numbers) != 3:
        return None
    if years == numbers[:1]:
        return _Roles(*numbers)
    first, second, year = numbers
    dotted = pieces[first + 1] == "."
    is_day = int(pieces[first]) > 12 or (int(pieces[second]) <= 12 and (dotted or first_is_day))
    return _Roles(year, second, first) if is_day else _Roles(year, first, second)


@cache
def _month(piece: str) -> int:
    """1 to 12, 0 for no month."""
    if piece.isdigit():
        return int(piece)
    word = piece.lower()
    return next((n for n, name in enumerate(MONTHS, 1) if len(word) >= 3 and name.startswith(word[:4])), 0)


def _full(year: str) -> int:
    return int(year) if len(year) == 4 else int(year) + (1900 if int(year) > 30 else 2000)


def _moved(year: int, month: int, day: int, days: int) -> date | None:
    try:
        return date(year, month, day) + timedelta(days)
    except (ValueError, OverflowError):
        return None


def _written(pieces: list[str], roles: _Roles, moved: date) -> str:
    new = list(pieces)
    if roles.year >= 0:
        new[roles.year] = f"{moved.year:04}"[-len(pieces[roles.year]) :]
    new[roles.month] = _like(pieces[roles.month], moved.month)
    if roles.day >= 0:
        new[roles.day] = _padded(pieces[roles.day], moved.day)
        after = roles.day + 1
        if after < len(pieces) and pieces[after].lower() in _ORDINALS:
            new[after] = _ordinal(moved.day)
    return "".join(new)


def _like(old: str, month: int) -> str:
    if old.isdigit():
        return _padded(old, month)
    name = MONTHS[month - 1]
    name = name if len(old) > 4 or old.lower() == MONTHS[_month(old) - 1] else name[:3]
    return name.upper() if old.isupper() else name if old.islower() else name.capitalize()


def _padded(old: str, value: int) -> str:
    return f"{value:0{len(old)}}" if old.startswith("0") or len(old) > 1 else str(value)


def _ordinal(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
