"""Recognises volumes with a label volume each, wherever both lie and whatever words tell them apart."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

from readers.base import Recognition
from readers.pixels.volume_file import read_volume
from readers.recognise_organs import recognise_organs
from readers.roles import modality_in, paired
from readers.segment_names import segments
from readers.source import Source
from readers.survey import survey
from readers.volume_labels import present_values
from schemas.errors import CaseError

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")
_HEADERS = 5
_LOOKED_INTO = 50
_BYTES = 16 << 20
"""Label volumes that are looked into for their values, and the bytes of them after which no further one is."""
_ACDC = {"right ventricle": 1, "myocardium": 2, "left ventricle": 3}


def recognise_pairs(source: Source) -> Recognition | None:
    """A claim with drafted options, or None."""
    volumes = [path for path in survey(source) if path.lower().endswith(_ENDINGS)]
    return _han_seg(volumes) or _acdc(volumes) or recognise_organs(source, volumes) or _named(source, volumes)


def _named(source: Source, volumes: list[str]) -> Recognition | None:
    """``patient001.nii.gz`` and ``patient001_seg.nii.gz``, ``images/1.nii.gz`` and ``labels/1.nii.gz``, and so on."""
    for pairs in paired(volumes, "case"):
        if pairs.extra:
            continue
        text = f"{pairs.images[0]} has its label in {pairs.labels[0]}"
        why = f"{text}, and so have {len(pairs.images) - 1} others" if len(pairs.images) > 1 else text
        claim = _claim(source, list(pairs.labels), pairs.image, pairs.label, why)
        if claim is not None:
            folders = [name for name in pairs.names if name.startswith("folder")]
            split = {"split": "shipped"} if "split" in pairs.names else {}
            return replace(claim, hints={**claim.hints, **({"group": folders[-1]} if folders else {}), **split})
    return None


def _claim(source: Source, labels: list[str], image: str, label: str, why: str) -> Recognition | None:
    options: dict[str, Any] = {"image": image, "label": label, "slices": {"policy": "largest_region"}}
    hints = {"label_kind": "multi_label", **({"modality": modality_in(image)} if modality_in(image) else {})}
    named = {each.name: None for path in labels[:_HEADERS] for each in segments(source, path)}
    if named:
        return Recognition(0.9, f"{why}, whose header names its segments", options, tuple(named), hints)
    values = class_values(source, labels)
    if not values or len(values) > 200:
        return None
    options["values"] = {f"class_{value}": value for value in values}
    return Recognition(0.88, why, options, tuple(options["values"]), hints)


def _acdc(volumes: list[str]) -> Recognition | None:
    pattern = re.compile(
        r"(?P<base>(?:.*/)?)(?P<patient>patient\d+)/(?P=patient)_frame\d+_gt(?P<ending>\.nii(?:\.gz)?)"
    )
    found = next((match for match in map(pattern.fullmatch, volumes) if match), None)
    if found is None:
        return None
    stem = f"{found['base']}patient{{patient}}/patient{{patient}}_frame{{frame}}"
    options = {"image": f"{stem}{found['ending']}", "label": f"{stem}_gt{found['ending']}", "values": _ACDC}
    options |= {"slices": {"policy": "largest_region"}}
    why = "frames and their ground truth are named as ACDC names them; a frame is no patient"
    hints = {"modality": "MRI", "anatomy": "heart", "group": "patient", "label_kind": "multi_label"}
    return Recognition(0.95, why, options, tuple(_ACDC), hints)


def _han_seg(volumes: list[str]) -> Recognition | None:
    pattern = re.compile(r"(?P<base>(?:.*/)?)(?P<case>case_\d+)/(?P=case)_OAR_(?P<label>[^/]+)\.seg\.nrrd")
    found = [match for match in map(pattern.fullmatch, volumes) if match]
    if not found:
        return None
    stem = f"{found[0]['base']}{{case}}/{{case}}"
    options = {"image": f"{stem}_IMG_CT.nrrd", "masks": f"{stem}_OAR_{{label}}.seg.nrrd"}
    words = tuple(sorted({match["label"] for match in found}))
    hints = {"modality": "CT", "anatomy": "head and neck", "group": "case", "label_kind": "multi_label"}
    return Recognition(
        0.95, "each case has a CT and one .seg.nrrd per organ, as HaN-Seg has them", options, words, hints
    )


def class_values(source: Source, labels: list[str]) -> list[int]:
    """The values other than 0 that the first of these label volumes hold; those that cannot be read hold none."""
    found: set[int] = set()
    left = _BYTES
    for path in labels[:_LOOKED_INTO]:
        with suppress(CaseError):
            left -= source.size(path)
            found |= {int(value) for value in present_values(read_volume(source, path).voxels)}
        if left < 0:
            break
    return sorted(found - {0})
