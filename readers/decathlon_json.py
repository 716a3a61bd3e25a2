"""The ``dataset.json`` of the Decathlon, nnU-Net 1 and nnU-Net 2, brought to one shape."""

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from readers.source import Source
from schemas.errors import CaseError, UserError


@dataclass(frozen=True, slots=True)
class Entry:
    """One volume."""

    key: str
    images: tuple[str, ...]
    """One file, or one per channel."""
    label: str
    split: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """What ``dataset.json`` says."""

    title: str
    licence: str
    channels: tuple[str, ...]
    classes: dict[str, tuple[int, ...]]
    """Word -> voxel values (several for nnU-Net 2's regions); background included."""
    entries: tuple[Entry, ...]
    unlisted: tuple[str, ...]
    """Images that lie in ``imagesTr`` and are not listed."""


def load_dataset(source: Source, under: str) -> Dataset:
    """Read ``dataset.json`` in the folder ``under``; `UserError` where it is missing or not of this kind."""
    base = f"{under.strip('/')}/" if under.strip("/") else ""
    try:
        data = json.loads(source.read_bytes(f"{base}dataset.json", 64 << 20))
    except (CaseError, ValueError) as error:
        raise UserError(f"{source.root}: dataset.json cannot be read: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("labels"), dict):
        raise UserError(f"{source.root}: dataset.json names no labels, so it is not a Decathlon or nnU-Net dataset")
    channels = data.get("channel_names") or data.get("modality") or {}
    names = channels.values() if isinstance(channels, dict) else [channels]
    listed = isinstance(data.get("training"), list)
    entries = _listed(data, base) if listed else _found(source, base, str(data.get("file_ending", ".nii.gz")))
    return Dataset(
        title=str(data.get("name", "")),
        licence=str(data.get("licence") or data.get("license") or ""),
        channels=tuple(str(name) for name in names),
        classes=_classes(data["labels"], source),
        entries=tuple(entries),
        unlisted=tuple(_unlisted(source, base, entries)) if listed else (),
    )


def _classes(labels: dict[str, Any], source: Source) -> dict[str, tuple[int, ...]]:
    """Version 1 maps numbers to words, version 2 words to numbers or lists of them."""
    found: dict[str, tuple[int, ...]] = {}
    for key, value in labels.items():
        try:
            if key.strip().isdigit() and isinstance(value, str):
                found[value] = (*found.get(value, ()), int(key))
            else:
                found[key] = tuple(int(v) for v in value) if isinstance(value, list) else (int(value),)
        except (TypeError, ValueError):
            raise UserError(f"{source.root}: dataset.json gives the label {key!r} no whole number") from None
    return found


def _listed(data: dict[str, Any], base: str) -> list[Entry]:
    entries = []
    for split, name in (("train", "training"), ("val", "validation"), ("test", "test")):
        for item in data.get(name) or []:
            image = item.get("image", "") if isinstance(item, dict) else item
            label = item.get("label", "") if isinstance(item, dict) else ""
            images = [image] if isinstance(image, str) else list(image)
            paths = tuple(_path(base, str(path)) for path in images)
            if paths:
                entries.append(Entry(case_name(paths[0]), paths, _path(base, str(label)) if label else "", split))
    return entries


def _found(source: Source, base: str, ending: str) -> list[Entry]:
    """Version 2 lists nothing: cases are the files of ``imagesTr`` and ``imagesTs``, channel numbers taken off."""
    entries = []
    for split, images, labels in (("train", "imagesTr", "labelsTr"), ("test", "imagesTs", "labelsTs")):
        groups: dict[str, list[str]] = {}
        for name in source.listing(f"{base}{images}")[1]:
            if name.endswith(ending):
                groups.setdefault(re.sub(r"_\d{4}$", "", name.removesuffix(ending)), []).append(name)
        known = set(source.listing(f"{base}{labels}")[1])
        for key, names in sorted(groups.items()):
            label = f"{base}{labels}/{key}{ending}" if f"{key}{ending}" in known else ""
            entries.append(Entry(key, tuple(f"{base}{images}/{name}" for name in sorted(names)), label, split))
    return entries


def _unlisted(source: Source, base: str, entries: list[Entry]) -> list[str]:
    listed = {path for entry in entries for path in entry.images}
    names = source.listing(f"{base}imagesTr")[1]
    return [path for path in (f"{base}imagesTr/{name}" for name in names) if path not in listed]


def _path(base: str, path: str) -> str:
    return base + path.removeprefix("./")


def case_name(path: str) -> str:
    """A volume's file name without its extensions."""
    name = PurePosixPath(path).name
    ending = next((e for e in (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd") if name.lower().endswith(e)), "")
    return name[: -len(ending)] if ending else PurePosixPath(name).stem
