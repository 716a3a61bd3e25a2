"""Patterns over words and classes of words: a small grammar, since lists of phrases never hold enough of them.

Every word of a text becomes one letter that stands for the classes it belongs to, so a pattern such as
``MODAL be? ADVERB? TREATED`` is a regular expression over a short string, whatever the words are.

A pattern holds words (``be``), beginnings (``recommend*``) and endings (``*ectomy``) of words, names of classes and of
other patterns (capitals), and

- ``( | )`` groups and alternatives, ``?`` behind what may be missing,
- ``..3`` up to three words of any kind within one clause,
- ``!( )`` around what must not follow,
- ``^`` the start of a sentence, ``.`` its end, ``,`` a comma, ``NUMBER`` a number in
  digits, ``FRACTION`` one below 1 with a point, ``OTHER`` any word.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from synthesis.checks.first_letters import first_letters

TOKEN = re.compile(r"[a-z]+|\d+(?:\.\d+)?|[.!?;:\n,()\[\]]")
PIECE = re.compile(r"\.\.\d+|!\(|[()|?^,.]|[A-Za-z*]+")
CONTRACTIONS = (
    ("cannot", "can not"), ("it's", "it is"), ("that's", "that is"), ("there's", "there is"), ("can't", "can not"),
    ("won't", "will not"), ("n't", " not"), ("'m", " am"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"),
    ("'d", " would"), ("'s", ""),
)  # fmt: skip
START, COMMA, STOP, OTHER, NUMBER, FRACTION = "^", ",", ".", "_", "1", "0"
SPECIAL = {
    "NUMBER": f"[{NUMBER}{FRACTION}]", "FRACTION": FRACTION, "OTHER": f"[^{NUMBER}{FRACTION}{COMMA}{STOP}{START}]",
}  # fmt: skip
FIRST_LETTER = 0x100


def words_of(text: str) -> list[str]:
    """The words and signs of a lower-case text, contractions written out."""
    if "'" in text or "cannot" in text:
        for short, full in CONTRACTIONS:
            text = text.replace(short, full)
    return TOKEN.findall(text)


class Grammar:
    """Kinds of wording, each a list of patterns over one set of classes.

    Args:
        classes: name in capitals to words, beginnings (``word*``) and endings (``*word``).
        macros: name in capitals to a pattern that others use.
        kinds: name to patterns; a text is of the kind where one of them is found.
        harmless: name to patterns of what is cut out before the kind is looked for.
    """

    def __init__(
        self,
        classes: Mapping[str, str],
        macros: Mapping[str, str],
        kinds: Mapping[str, Sequence[str]],
        harmless: Mapping[str, Sequence[str]],
    ) -> None:
        self._macros = macros
        of_word: dict[str, set[str]] = {}
        for name, members in classes.items():
            for member in members.split():
                of_word.setdefault(member, set()).add(name)
        for pattern in (*macros.values(), *(one for many in (*kinds.values(), *harmless.values()) for one in many)):
            for piece in PIECE.findall(pattern):
                if piece.islower():
                    of_word.setdefault(piece, set()).add(piece)
        self._names = {*classes, *(name for names in of_word.values() for name in names)}
        self._beginnings = sorted((word[:-1] for word in of_word if word.endswith("*")), key=len, reverse=True)
        self._endings = sorted((word[1:] for word in of_word if word.startswith("*")), key=len, reverse=True)
        letters: dict[frozenset[str], str] = {}
        self._letters: dict[str, str] = {}
        open_ended = [word for word in of_word if "*" in word]
        for word in of_word:
            covering = [one for one in open_ended if _covers(one, word)]
            names = frozenset(of_word[word]).union(*(of_word[one] for one in covering))
            self._letters[word] = letters.setdefault(names, chr(FIRST_LETTER + len(letters)))
        self._members = {
            name: "".join(letter for names, letter in letters.items() if name in names) for name in self._names
        }
        self._alphabet = "".join(letters.values()) + START + COMMA + STOP + OTHER + NUMBER + FRACTION
        self._kinds = {kind: self._compiled(patterns) for kind, patterns in kinds.items()}
        self._harmless = {kind: self._compiled(patterns) for kind, patterns in harmless.items() if patterns}
        self._letter = lru_cache(maxsize=1 << 16)(self._letter_of)

    def shape(self, text: str) -> str:
        """One letter per word of lower-case ``text``; what the patterns are searched in."""
        return START + "".join(map(self._letter, words_of(text))) + STOP

    def finds(self, kind: str, shape: str) -> bool:
        """Whether a text of this shape is of the kind."""
        harmless = self._harmless.get(kind)
        if harmless is not None:
            shape = harmless.sub(OTHER, shape)
        return self._kinds[kind].search(shape) is not None

    def _letter_of(self, word: str) -> str:
        if word in self._letters:
            return self._letters[word]
        if word in ".!?;:\n":
            return STOP + START
        if not word.isalpha():
            return _letter_of_sign(word)
        for beginning in self._beginnings:
            if word.startswith(beginning):
                return self._letters[beginning + "*"]
        for ending in self._endings:
            if word.endswith(ending):
                return self._letters["*" + ending]
        return OTHER

    def _compiled(self, patterns: Iterable[str]) -> re.Pattern[str]:
        pieces = list(self._written_out("|".join(patterns)))
        first = "".join(sorted(first_letters(pieces, self._stands_for)))
        # the look ahead spares three quarters of the search: few words of a text can begin anything
        return re.compile(f"(?=[{re.escape(first)}])(?:{''.join(map(self._piece, pieces))})")

    def _written_out(self, pattern: str) -> Iterator[str]:
        for piece in PIECE.findall(pattern):
            if piece in self._macros:
                yield from ("(", *self._written_out(self._macros[piece]), ")")
            else:
                yield piece

    def _stands_for(self, piece: str) -> str:
        """All letters that a name or a sign fits."""
        if piece not in self._members:
            fits = re.compile(self._piece(piece)).match
            self._members[piece] = "".join(filter(fits, self._alphabet))
        return self._members[piece]

    def _piece(self, piece: str) -> str:
        if piece in self._names:
            return f"[{self._members[piece]}]"
        if piece.startswith(".."):
            return f"[^{STOP}{START}{COMMA}]{{0,{piece[2:]}}}?"
        if piece in SPECIAL:
            return SPECIAL[piece]
        signs = {"(": "(?:", "!(": "(?!", "^": re.escape(START), ".": re.escape(STOP)}
        if piece.isalpha():
            raise ValueError(f"{piece!r} is neither a class nor a pattern")
        return signs.get(piece, piece)


def _letter_of_sign(word: str) -> str:
    if word == ",":
        return COMMA
    if not word[0].isdigit():
        return OTHER
    return FRACTION if word.startswith("0.") else NUMBER


def _covers(member: str, word: str) -> bool:
    """Whether ``word`` (itself perhaps a beginning or an ending) is one of those that ``member`` stands for."""
    if member == word:
        return True
    if member.endswith("*"):
        return not word.startswith("*") and word.rstrip("*").startswith(member[:-1])
    return member.startswith("*") and not word.endswith("*") and word.endswith(member[1:])
