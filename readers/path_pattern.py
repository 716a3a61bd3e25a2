"""Path patterns with names in braces: ``masks/{id}_mask.png`` finds files and tells which id each belongs to."""

import re
from collections.abc import Iterator

from readers.source import Source
from schemas.errors import UserError

_TOKEN = re.compile(r"\{(\w+)(?::([^{}]+))?\}|(\*\*)|(\*)|(\?)")


class PathPattern:
    """A pattern of ``{name}`` (anything without a slash), ``*``, ``**`` (with slashes) and ``?``.

    ``{name:[01]}`` is what a regular expression says.  A name that stands twice must be the same both times.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern.strip("/")
        expression, place, seen = "", 0, dict[str, None]()
        for token in _TOKEN.finditer(self.pattern):
            expression += re.escape(self.pattern[place : token.start()]) + _expression(token, seen)
            place = token.end()
        try:
            self._regex = re.compile(expression + re.escape(self.pattern[place:]))
        except re.error as error:
            raise UserError(f"the pattern {pattern!r} holds no regular expression: {error}") from None
        self.names = tuple(seen)
        # The fixed folders before the first wildcard are where to walk.
        self.under = re.split(r"[{*?]", self.pattern)[0].rpartition("/")[0]

    def match(self, path: str) -> dict[str, str] | None:
        """The names' values in ``path``; None where it does not match."""
        found = self._regex.fullmatch(path)
        return found.groupdict() if found else None

    def find(self, source: Source) -> Iterator[tuple[str, dict[str, str]]]:
        """Every matching file, in the source's order, with the names' values."""
        for path in source.walk(self.under):
            names = self.match(path)
            if names is not None:
                yield path, names

    def need(self, name: str, option: str) -> None:
        """`UserError` unless the pattern has ``{name}``."""
        if name not in self.names:
            raise UserError(f"the option `{option}` is {self.pattern!r}, but needs {{{name}}} in it")


def _expression(token: re.Match[str], seen: dict[str, None]) -> str:
    name = token[1]
    if name is None:
        return ".*" if token[3] else "[^/]*" if token[4] else "[^/]"
    if name in seen:
        return f"(?P={name})"
    seen[name] = None
    if token[2]:
        return f"(?P<{name}>{token[2]})"
    return f"(?P<{name}>[^/]+)" if name != "id" else "(?P<id>[^/]+?)"
