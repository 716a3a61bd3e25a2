"""Which layout a folder or archive has, and a first spec for it."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from readers.base import Reader, Recognition
from readers.known import recognise_known
from readers.source import ARCHIVES, Source
from readers.values import spdx
from schemas import plugins
from schemas.errors import CaseError, UserError
from schemas.taxonomy import canonical, canonical_label, propose

_LICENCES = (
    ("Permission is hereby granted, free of charge", "MIT"),
    ("Apache License Version 2.0", "Apache-2.0"),
    ("Attribution-NonCommercial-ShareAlike 4.0", "CC-BY-NC-SA-4.0"),
    ("Attribution-NonCommercial 4.0", "CC-BY-NC-4.0"),
    ("Attribution-ShareAlike 4.0", "CC-BY-SA-4.0"),
    ("Attribution 4.0 International", "CC-BY-4.0"),
    ("Attribution 3.0 Unported", "CC-BY-3.0"),
    ("CC0 1.0 Universal", "CC0-1.0"),
    ("nor the names of its contributors may be used", "BSD-3-Clause"),
    ("Redistribution and use in source and binary forms", "LicenseRef-BSD"),
)


def inspect(path: str | Path) -> list[tuple[str, Recognition]]:
    """Every registered reader that recognises ``path``, and every published layout known by its files.

    The most certain comes first; `UserError` where nothing is there.
    """
    source = Source.open(str(path))
    found: list[tuple[str, Recognition]] = []
    for name in plugins.names("readers"):
        kind: type[Reader] = plugins.load("readers", name)
        try:
            said = kind.recognise(source)
        except CaseError:
            continue  # a broken file is no evidence; reading the dataset will report it
        if said is not None:
            found.append((name, said))
    with suppress(CaseError):
        found += recognise_known(source)
    return sorted(found, key=lambda each: (-each[1].confidence, each[0]))


def draft_spec(
    path: str | Path, reader: str = "", name: str = "", found: list[tuple[str, Recognition]] | None = None
) -> str:
    """The text of a spec for ``path``, for a person to complete.

    Args:
        path: folder or archive; becomes the spec's root.
        reader: the layout to assume; where empty, the most certain one.
        name: the dataset's name; where empty, made from the path.
        found: what `inspect` said of the path, where that is known already.

    Raises:
        UserError: no layout is recognised, or not ``reader``'s.
    """
    found = inspect(path) if found is None else found
    chosen = next(((known, said) for known, said in found if not reader or known == reader), None)
    if chosen is None:
        others = ", ".join(dict.fromkeys(known for known, _ in found))
        cure = f"it may be read by {others}" if others else "write its spec by hand, see docs/layouts.md"
        raise UserError(f"{path} is not recognised" + (f" as {reader}" if reader else "") + f"; {cure}")
    known, said = chosen
    stated = {key: value for key, value in said.hints.items() if value}
    licence = spdx(stated.get("license", "")) or licence_of(Source.open(str(path)))
    hints = {**stated, **({"license": licence} if licence else {})}
    return _text(str(path), known, replace(said, hints=hints), name or _name(str(path)))


def licence_of(source: Source) -> str:
    """The SPDX id that a LICENSE file at the root stands for; empty where there is none or it is not known."""
    for name in source.listing()[1]:
        if name.lower().startswith(("license", "licence")):
            text = " ".join(source.head(name, 4000).decode("utf-8", "replace").split())
            return next((spdx_id for words, spdx_id in _LICENCES if words.lower() in text.lower()), "")
    return ""


def _text(path: str, reader: str, said: Recognition, name: str) -> str:
    hints = said.hints
    lines = [
        f"# Drafted by `medcurate inspect`: {said.why}.",
        f"name: {name}",
        f"title: {_quoted(hints.get('title') or _last(path))}  # the dataset's own title",
        _license_line(hints),
        _access_line(hints),
        f"root: {_quoted(path if '://' in path else str(Path(path).resolve()))}",
        "reader:",
        f"  type: {reader}",
        *_options(said),
        _known("modality", hints, "CT, MRI, X-ray, microscopy, ..."),
        _known("anatomy", hints, "what is shown"),
        _known("clinical_task", hints, "e.g. pneumonia classification"),
        *_labels(said),
        *_group(hints),
        *_split(hints),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _license_line(hints: dict[str, str]) -> str:
    if "license" in hints:
        return f"license: {hints['license']}  # stated by the dataset's own files; check it"
    return "license: LicenseRef-unknown  # the files do not say; put the SPDX id here"


def _access_line(hints: dict[str, str]) -> str:
    """Nothing is given away whose terms nobody has read: restricted rows are published without pictures and texts."""
    if "access" in hints:
        return f"access: {hints['access']}  # as its publisher has it"
    known = not hints.get("license", "LicenseRef-unknown").startswith("LicenseRef-")
    said = "open, credentialed or restricted: who may have the images?"
    return f"access: open  # {said}" if known else f"access: restricted  # until the licence is known; {said}"


def _options(said: Recognition) -> list[str]:
    # JSON is YAML: quoting and lists come out right whatever the names hold.
    pairs = [f"    {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in said.options.items()]
    return ["  options:", *pairs] if pairs else []


def _labels(said: Recognition) -> list[str]:
    kind = said.hints.get("label_kind", "")
    lines = []
    if said.labels:
        lines = ["labels:  # the source's word: the canonical word that texts will use"]
        region = canonical("anatomy", said.hints.get("anatomy", ""))
        lines += [_label(word, said.meanings.get(word, "") or canonical_label(word, region)) for word in said.labels]
    if said.hints.get("ignore_labels"):
        words = [_quoted(word) for word in said.hints["ignore_labels"].split(", ")]
        lines.append(f"ignore_labels: [{', '.join(words)}]")
    if kind:
        lines.append(f"label_kind: {kind}")
    return lines


def _label(word: str, meaning: str) -> str:
    if meaning:
        return f"  {_quoted(word)}: {_quoted(meaning)}"
    near = ", ".join(propose(word))
    return f"  {_quoted(word)}: {_quoted(_plain(word))}  # not in the taxonomy{f'; near to it: {near}' if near else ''}"


_WHOSE = "a run wants to know whose ids they are: add ids: identifier, or pseudonym where the publisher made them up"


def _group(hints: dict[str, str]) -> list[str]:
    if hints.get("group_pattern"):
        pattern = _quoted(hints["group_pattern"])
        return [f"group: {{by: pattern, pattern: {pattern}}}  # keeps a patient in one split; check it; {_WHOSE}"]
    if hints.get("group"):
        field = _quoted(hints["group"])
        if hints["group"] == "PatientID":
            return [
                f"group: {{by: field, field: {field}, ids: identifier}}  # hashed with MEDCURATE_ID_KEY; "
                "ids: pseudonym where the publisher made them up"
            ]
        return [f"group: {{by: field, field: {field}}}  # keeps a patient in one split; {_WHOSE}"]
    return ["group: {by: none}  # nothing names the patient; by: case if every case is another patient"]


def _split(hints: dict[str, str]) -> list[str]:
    return ["split: {policy: shipped}"] if hints.get("split") == "shipped" else []


def _known(field: str, hints: dict[str, str], what: str) -> str:
    if field in hints:
        return f"{field}: {_quoted(hints[field])}"
    return f"{field}: unknown  # {what}"


def _plain(word: str) -> str:
    """A label word as it would stand in a sentence."""
    spaced = re.sub(r"[_\s]+", " ", word).strip()
    return spaced if spaced.isupper() else spaced.lower()


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or Path(path).resolve().name


def _name(path: str) -> str:
    is_file = Path(path).is_file() or path.lower().endswith(ARCHIVES)
    stem = _last(path).split(".")[0] if is_file else _last(path)
    return re.sub(r"[^a-z0-9_-]+", "_", stem.lower()).strip("_-") or "dataset"


def _quoted(text: str) -> str:
    return (
        text
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _/.-]*", text) and not _reserved(text)
        else json.dumps(text, ensure_ascii=False)
    )


def _reserved(text: str) -> bool:
    return text.strip().lower() in ("yes", "no", "true", "false", "null", "on", "off", "y", "n") or text != text.strip()
