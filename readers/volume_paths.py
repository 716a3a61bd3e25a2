"""Patterns of paths whose names can be filled in one by one: ``{case}/segmentations/{label}.nii.gz``."""

import re
from collections.abc import Iterator
from functools import lru_cache

from readers.source import Source
from schemas.errors import UserError


class FieldPattern:
    """``{name}`` matches within one folder or file name, and the same again where it is repeated; ``*`` likewise."""

    def __init__(self, text: str) -> None:
        self.text = text.strip("/")
        if "*" in self.text and "**" in self.text:
            raise UserError(f"the pattern {text!r} has '**'; name each folder, with '*' where it does not matter")
        self.names = tuple(dict.fromkeys(re.findall(r"\{(\w+)\}", self.text)))
        self._whole = self._compiled(())

    def fields(self, path: str) -> dict[str, str] | None:
        """The named parts of a path that matches; None where it does not."""
        found = self._whole.fullmatch(path)
        return found.groupdict() if found else None

    @property
    def fixed(self) -> int:
        """How many letters of the pattern are not left open; of two that match, the one with more means the file."""
        return len(re.sub(r"\{\w+\}|\*", "", self.text))

    def exact(self, fields: dict[str, str]) -> str | None:
        """The only path that the fields can mean; None where a wildcard or a name is left open."""
        if "*" in self.text or any(name not in fields for name in self.names):
            return None
        return self.text.format(**fields)

    def matches(self, source: Source, fields: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Files that agree with ``fields``, with all their parts; only folders that can match are listed."""
        path = self.exact(fields)
        if path is not None:
            if source.exists(path):
                yield path, fields
            return
        whole = self._compiled(tuple(sorted(fields.items())))
        for candidate in self._walk(source, "", self._partly(fields).split("/")):
            found = whole.fullmatch(candidate)
            if found:
                yield candidate, {**fields, **found.groupdict()}

    def _walk(self, source: Source, folder: str, parts: list[str]) -> Iterator[str]:
        head, rest = parts[0], parts[1:]
        base = f"{folder}/" if folder else ""
        folders, files = ([head], [head]) if not re.search(r"[*{]", head) else source.listing(folder)
        expression = re.compile(_expression(head, {}, {}))
        for name in folders if rest else files:
            if expression.fullmatch(name):
                yield from self._walk(source, base + name, rest) if rest else [base + name]

    def _partly(self, fields: dict[str, str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda m: fields.get(m[1], m[0]), self.text)

    @lru_cache(maxsize=4096)  # noqa: B019 - a pattern lives as long as its reader
    def _compiled(self, fields: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
        return re.compile(_expression(self.text, dict(fields), {}))


def _expression(text: str, fields: dict[str, str], seen: dict[str, bool]) -> str:
    out = ""
    for piece in re.split(r"(\{\w+\}|\*)", text):
        name = piece[1:-1]
        if piece == "*":
            out += "[^/]*"
        elif not piece.startswith("{"):
            out += re.escape(piece)
        elif name in fields:
            out += re.escape(fields[name])
        elif name in seen:
            out += f"(?P={name})"
        else:
            seen[name] = True
            out += f"(?P<{name}>[^/]+?)"
    return out
