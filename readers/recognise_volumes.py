"""Which of the known orders of volumes a folder has."""

import re
from itertools import islice

from readers.base import Recognition
from readers.recognise_volume_pairs import class_values, recognise_pairs
from readers.records import Record, read_records
from readers.roles import paired
from readers.source import Source

_LOOK_AT = 3000
_BRATS = re.compile(
    r"(?P<root>.*?)(?P<case>BraTS[^/]*)/(?P=case)(?P<sep>[-_])"
    r"(?P<channel>t1n|t1c|t2w|t2f|t1|t1ce|t2|flair)\.nii(\.gz)?"
)
_TOTAL = re.compile(r"(?P<root>(.*/)?)(?P<case>[^/]+)/(?P<image>ct|mri)\.nii\.gz")
_MASK = re.compile(r"(.*/)?[^/]+/segmentations/(?P<label>[^/]+)\.nii\.gz")


def recognise_volumes(source: Source) -> Recognition | None:
    """A claim with drafted options, or None."""
    paths = list(islice(source.walk(), _LOOK_AT))
    return _brats(paths) or _total(source, paths) or _bids(source, paths) or recognise_pairs(source)


def _brats(paths: list[str]) -> Recognition | None:
    found = [match for match in map(_BRATS.fullmatch, paths) if match]
    if not found:
        return None
    first = found[0]
    root, sep = first["root"], first["sep"]
    ending = ".nii.gz" if first.string.endswith(".gz") else ".nii"
    new = any(match["channel"] == "t1n" for match in found)
    # Up to 2022 enhancing tumour was 4; from 2023 on it is 3.
    values = {"necrotic core": 1, "edema": 2, "enhancing tumor": 3 if new else 4}
    options = {
        "image": f"{root}{{case}}/{{case}}{sep}{{channel}}{ending}",
        "channels": ["t1n", "t1c", "t2w", "t2f"] if new else ["t1", "t1ce", "t2", "flair"],
        "channel": 3,
        "label": f"{root}{{case}}/{{case}}{sep}seg{ending}",
        "values": values,
        "slices": {"policy": "largest_region"},
    }
    why = f"folders and files are named as BraTS names them ({first['case']})"
    return Recognition(0.95, why, options, tuple(values), {"modality": "MRI", "anatomy": "brain"})


def _total(source: Source, paths: list[str]) -> Recognition | None:
    images = [match for match in map(_TOTAL.fullmatch, paths) if match]
    labels = sorted({match["label"] for match in map(_MASK.fullmatch, paths) if match})
    if not images or not labels:
        return None
    root, image = images[0]["root"], images[0]["image"]
    options: dict[str, object] = {
        "image": f"{root}{{case}}/{image}.nii.gz",
        "masks": f"{root}{{case}}/segmentations/{{label}}.nii.gz",
    }
    if source.exists(f"{root}meta.csv"):
        told = {"on": "image_id", "delimiter": ";", "sex": "gender", "age": "age", "split": "split"}
        options["subjects"] = {"file": f"{root}meta.csv", "key": "{case}", **told}
    why = f"each case folder has {image}.nii.gz and a folder segmentations with one mask per organ"
    hints = {"modality": "CT" if image == "ct" else "MRI", "group": "case", "label_kind": "multi_label"}
    if "subjects" in options:
        hints["split"] = "shipped"
    return Recognition(0.95, why, options, tuple(labels), hints)


def _bids(source: Source, paths: list[str]) -> Recognition | None:
    if not source.exists("dataset_description.json"):
        return None
    volumes = [path for path in paths if path.endswith((".nii", ".nii.gz"))]
    pairs = next((each for each in paired(volumes, "case") if not each.extra), None)
    images = pairs.images if pairs else [path for path in volumes if re.fullmatch(r"(rawdata/)?sub-[^/]+/.*", path)]
    if not images:
        return None
    options: dict[str, object] = {"image": _bids_pattern(images[0])}
    classes: dict[str, int] = {}
    if pairs:
        values = class_values(source, list(pairs.labels)) or [1]
        classes = {"lesion": 1} if values == [1] else {f"class_{value}": value for value in values}
        options |= {"label": _bids_pattern(pairs.labels[0]), "values": classes, "slices": {"policy": "largest_region"}}
    options |= _participants(source)
    why = "dataset_description.json lies beside folders sub-*, which is BIDS"
    return Recognition(0.9, why, options, tuple(classes), {"group": "subject"})


def _participants(source: Source) -> dict[str, object]:
    """The option ``subjects`` where there is a table of participants with sex or age."""
    path = next((name for name in ("participants.tsv", "rawdata/participants.tsv") if source.exists(name)), "")
    first = next((r for r in read_records(source, path) if isinstance(r, Record)), None) if path else None
    if first is None or "participant_id" not in first.fields:
        return {}
    columns: dict[str, object] = {role: role for role in ("sex", "age") if role in first.fields}
    return {"subjects": {"file": path, **columns}}


def _bids_pattern(path: str) -> str:
    """The path with its subject and session left open."""
    path = re.sub(r"sub-[^/_]+", "sub-{subject}", path)
    return re.sub(r"ses-[^/_]+", "ses-{session}", path)
