"""Templates are data: sentences with named slots in ``templates/<name>.yaml``, checked when they are loaded.

A file holds sets.  A set names its slots and, by language, its paraphrases under stable ids::

    ask:
      slots: [label]
      optional: [picture]
      en:
        visible: "Is {label} visible in this image?"

Every paraphrase must use every one of ``slots`` and nothing beyond ``optional``; ``{Label}`` is ``{label}`` with
its first letter in upper case.  A set that lacks the wanted language falls back to none: that is an error, so a
release never mixes languages unnoticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from converters.drawing import Draw
from schemas.errors import UserError, nearest

FOLDER = Path(__file__).parent / "templates"
_SETTINGS = frozenset({"slots", "optional"})


@dataclass(frozen=True, slots=True)
class Template:
    """One paraphrase, ready to be filled."""

    id: str
    """``<file>.<set>-<name>.<language>``, as it goes into ``provenance.template``."""
    pattern: str
    """The text with ``%(slot)s`` for each slot."""
    capitals: tuple[tuple[str, str], ...] = ()
    """(slot with an upper-case letter, slot) of those whose first letter is written in upper case."""

    def fill(self, values: Mapping[str, str]) -> str:
        """The sentence; a slot without a value is an error of the converter (``KeyError``)."""
        if self.capitals:
            values = dict(values)
            for upper, slot in self.capitals:
                values[upper] = values[slot][:1].upper() + values[slot][1:]
        return self.pattern % values


@dataclass(frozen=True, slots=True)
class Table:
    """All sets of one file."""

    name: str
    sets: dict[tuple[str, str], tuple[Template, ...]]
    """By (set, language)."""

    def choose(self, which: str, language: str, row: Draw) -> Template:
        """One paraphrase, drawn by the row.

        Raises:
            UserError: the set has no paraphrase in that language.
        """
        try:
            templates = self.sets[which, language]
        except KeyError:
            raise self._lacking(which, language) from None
        return row.choice(templates)

    def fixed(self, which: str, language: str) -> Template:
        """The first paraphrase of a set, for words that are not drawn; raises as `choose`."""
        if (which, language) not in self.sets:
            raise self._lacking(which, language)
        return self.sets[which, language][0]

    def _lacking(self, which: str, language: str) -> UserError:
        known = sorted({lang for name, lang in self.sets if name == which})
        return UserError(
            f"templates/{self.name}.yaml has no set {which!r} in language {language!r}; it has "
            f"{', '.join(known) or 'none'}: choose one of them or add the sentences"
        )

    def speaks(self, which: str, language: str) -> bool:
        """Whether the set has that language."""
        return (which, language) in self.sets


@cache
def load_table(name: str, folder: Path = FOLDER) -> Table:
    """Read and check ``<folder>/<name>.yaml``.

    Raises:
        UserError: not YAML, or a paraphrase lacks a slot or names an unknown one; the sentence names it.
    """
    path = folder / f"{name}.yaml"
    try:
        data = yaml.load(path.read_text("utf-8"), _NoRepeats)
    except FileNotFoundError:
        raise UserError(f"there is no template file {path}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(data, dict) or not data:
        raise UserError(f"{path}: a template file is a mapping of sets")
    sets: dict[tuple[str, str], tuple[Template, ...]] = {}
    for which, body in data.items():
        for language, paraphrases in _languages(path, which, body).items():
            sets[which, language] = tuple(
                _template(path, f"{name}.{which}-{key}.{language}", text, body) for key, text in paraphrases.items()
            )
    return Table(name, sets)


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""All tables together are read in 0.3 s by libyaml, in 1.1 s by Python."""


class _NoRepeats(_Loader):  # type: ignore[misc]
    """A repeated key would silently drop a paraphrase."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        repeated = next((key for key in keys if keys.count(key) > 1), None)
        if repeated is not None:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: the key {repeated!r} stands twice")
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def _languages(path: Path, which: str, body: Any) -> dict[str, dict[str, str]]:
    if not isinstance(body, dict):
        raise UserError(f"{path}: the set {which!r} must be a mapping of slots and languages")
    languages = {key: value for key, value in body.items() if key not in _SETTINGS}
    for language, paraphrases in languages.items():
        if not isinstance(paraphrases, dict) or not all(
            isinstance(part, str) for pair in paraphrases.items() for part in pair
        ):
            raise UserError(
                f"{path}: set {which!r}, language {language!r}: paraphrases map an id to a sentence, both "
                "text; YAML reads a bare yes, no, on, off or true as a truth value, so quote it or choose another id"
            )
    if not languages:
        raise UserError(f"{path}: the set {which!r} has no paraphrase in any language")
    return languages


def _template(path: Path, name: str, text: str, body: dict[str, Any]) -> Template:
    slots, optional = set(body.get("slots", ())), set(body.get("optional", ()))
    try:
        parts = tuple((literal, field or "") for literal, field, _, _ in Formatter().parse(text))
    except ValueError as error:
        raise UserError(f"{path}: template {name}: {error}") from None
    used = {slot[0].lower() + slot[1:] for _, slot in parts if slot}
    for slot in sorted(slots - used):
        raise UserError(f"{path}: template {name} lacks the slot {{{slot}}}")
    for slot in sorted(used - slots - optional):
        raise UserError(f"{path}: template {name} has the unknown slot {{{slot}}}{nearest(slot, slots | optional)}")
    if not text.strip():
        raise UserError(f"{path}: template {name} is empty")
    pattern = "".join(literal.replace("%", "%%") + (f"%({slot})s" if slot else "") for literal, slot in parts)
    capitals = dict.fromkeys(slot for _, slot in parts if slot and slot[0].isupper())
    return Template(name, pattern, tuple((slot, slot[0].lower() + slot[1:]) for slot in capitals))
