"""Which of the known orders of volumes a folder has."""

import re
from itertools import islice

from readers.base import Recognition
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
    return _brats(paths) or _total(paths) or _bids(source, paths)


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


def _total(paths: list[str]) -> Recognition | None:
    images = [match for match in map(_TOTAL.fullmatch, paths) if match]
    labels = sorted({match["label"] for match in map(_MASK.fullmatch, paths) if match})
    if not images or not labels:
        return None
    root, image = images[0]["root"], images[0]["image"]
    options = {
        "image": f"{root}{{case}}/{image}.nii.gz",
        "masks": f"{root}{{case}}/segmentations/{{label}}.nii.gz",
    }
    why = f"each case folder has {image}.nii.gz and a folder segmentations with one mask per organ"
    return Recognition(0.95, why, options, tuple(labels), {"modality": "CT" if image == "ct" else "MRI"})


def _bids(source: Source, paths: list[str]) -> Recognition | None:
    if not source.exists("dataset_description.json"):
        return None
    images = [path for path in paths if re.fullmatch(r"(rawdata/)?sub-[^/]+/.*\.nii(\.gz)?", path)]
    masks = [path for path in paths if re.search(r"derivatives/.*_(msk|mask|dseg|label-\w+_mask)\.nii(\.gz)?$", path)]
    if not images:
        return None
    options: dict[str, object] = {"image": _bids_pattern(images[0])}
    if masks:
        options |= {"label": _bids_pattern(masks[0]), "values": {"lesion": 1}}
    why = "dataset_description.json lies beside folders sub-*, which is BIDS"
    return Recognition(0.9, why, options, ("lesion",) if masks else (), {"group": "subject"})


def _bids_pattern(path: str) -> str:
    """The path with its subject and session left open."""
    path = re.sub(r"sub-[^/_]+", "sub-{subject}", path)
    return re.sub(r"ses-[^/_]+", "ses-{session}", path)
