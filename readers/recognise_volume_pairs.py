"""Recognises volumes with a label volume each: beside it under a longer name, or in another folder under the same."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from readers.base import Recognition
from readers.pixels.volume_file import read_volume
from readers.segment_names import segments
from readers.source import Source
from readers.survey import MASK_FOLDERS, survey
from readers.volume_labels import present_values
from schemas.errors import CaseError

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")
_MARKS = ("_gt", "_seg", "_segmentation", "_mask", "_label", "_labels", "-seg", "-label", ".seg", "_msk")
_LABEL_VOLUMES = 5
_ACDC = {"right ventricle": 1, "myocardium": 2, "left ventricle": 3}


def recognise_pairs(source: Source) -> Recognition | None:
    """A claim with drafted options, or None."""
    volumes = [path for path in survey(source) if path.lower().endswith(_ENDINGS)]
    return _han_seg(volumes) or _beside(source, volumes) or _apart(source, volumes)


def _beside(source: Source, volumes: list[str]) -> Recognition | None:
    """``patient001_frame01.nii.gz`` and ``patient001_frame01_gt.nii.gz``."""
    names = set(volumes)
    for mark in _MARKS:
        labels = [label for path in volumes for label in [_with(path, mark)] if label in names]
        if not labels:
            continue
        ending = _ending(labels[0])
        folder = PurePosixPath(labels[0]).parent
        if re.fullmatch(r"patient\d+_frame\d+_gt", PurePosixPath(labels[0]).name.removesuffix(ending)):
            return _acdc(str(folder.parent), ending)
        below = "" if str(folder) == "." else _opened(str(folder), labels)
        stem = f"{below}{{case}}"
        return _claim(
            source, labels, f"{stem}{ending}", f"{stem}{mark}{ending}", f"a volume X has its label in X{mark}"
        )
    return None


def _apart(source: Source, volumes: list[str]) -> Recognition | None:
    """``images/Case_00001_0000.nii.gz`` and ``labels/Case_00001.nii.gz``."""
    of: dict[str, list[str]] = {}
    for path in volumes:
        of.setdefault(path.rpartition("/")[0], []).append(path)
    for labels, marked in of.items():
        if labels.rpartition("/")[2].lower() not in MASK_FOLDERS | {"labelstr", "labels_tr"}:
            continue
        stems = {_stem(path) for path in marked}
        for images, shown in of.items():
            channel = "_0000" if all(_stem(path).endswith("_0000") for path in shown) else ""
            same = {_stem(path).removesuffix(channel) for path in shown} & stems
            if (
                images == labels
                or images.rpartition("/")[0] != labels.rpartition("/")[0]
                or len(same) < 0.5 * len(stems)
            ):
                continue
            endings = _ending(shown[0]), _ending(marked[0])
            patterns = f"{images}/{{case}}{channel}{endings[0]}", f"{labels}/{{case}}{endings[1]}"
            return _claim(source, marked, *patterns, f"volumes in {images} have a label of the same name in {labels}")
    return None


def _claim(source: Source, labels: list[str], image: str, label: str, why: str) -> Recognition | None:
    options: dict[str, Any] = {"image": image, "label": label, "slices": {"policy": "largest_region"}}
    hints = {"label_kind": "multi_label"}
    named = {each.name: None for path in labels[:_LABEL_VOLUMES] for each in segments(source, path)}
    if named:
        return Recognition(0.9, f"{why}, whose header names its segments", options, tuple(named), hints)
    values = sorted({value for path in labels[:_LABEL_VOLUMES] for value in _values(source, path)} - {0})
    if not values or len(values) > 200:
        return None
    options["values"] = {f"class_{value}": value for value in values}
    return Recognition(0.88, why, options, tuple(options["values"]), hints)


def _acdc(top: str, ending: str) -> Recognition:
    base = "" if top == "." else f"{top}/"
    stem = f"{base}patient{{patient}}/patient{{patient}}_frame{{frame}}"
    options = {"image": f"{stem}{ending}", "label": f"{stem}_gt{ending}", "values": _ACDC}
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


def _values(source: Source, path: str) -> Iterator[int]:
    try:
        yield from (int(value) for value in present_values(read_volume(source, path).voxels))
    except CaseError:
        return


def _opened(folder: str, labels: list[str]) -> str:
    """The folder with its last part left open where labels lie in several."""
    several = len({str(PurePosixPath(path).parent) for path in labels}) > 1
    above = str(PurePosixPath(folder).parent)
    return f"{folder}/" if not several else "{folder}/" if above == "." else f"{above}/{{folder}}/"


def _with(path: str, mark: str) -> str:
    ending = _ending(path)
    return f"{path[: -len(ending)]}{mark}{ending}"


def _stem(path: str) -> str:
    return path.rpartition("/")[2][: -len(_ending(path))]


def _ending(path: str) -> str:
    return path[-len(next(ending for ending in _ENDINGS if path.lower().endswith(ending))) :]
