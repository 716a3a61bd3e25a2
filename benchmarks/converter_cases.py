"""Cases for the converter benchmark: fourteen kinds of datasets, invented, without pixels, every case different."""

import random
from typing import Any

import numpy as np

from schemas.case import (
    Case,
    Demographics,
    Extent,
    ImageRef,
    Label,
    QuestionAnswer,
    Region,
    Region3D,
    Text,
    VolumeRef,
)
from schemas.masks import mask_region
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.view import View

CASES = 1000


def workloads() -> list[tuple[DatasetSpec, list[Case]]]:
    """(spec, cases) of each kind of dataset."""
    draw = random.Random(0)
    cells = ["red blood cell", "white blood cell", "platelet"]
    classes = [f"class {number}" for number in range(8)]
    findings = [f"finding {number}" for number in range(14)]
    organs = ["liver", "spleen", "left kidney", "right kidney", "pancreas", "stomach"]
    grades = ["mild", "moderate", "severe"]
    quality = ["good quality", "usable", "bad quality"]
    pelvis = ["urinary bladder", "rectum", "prostate", "uterus"]
    solid = [*organs, "gallbladder", "aorta", "liver tumor", "kidney cyst"]
    return [
        (spec("cells", cells, "none"), [detection(draw, f"d{n}", cells, 15) for n in range(CASES)]),
        (spec("classes", classes, "multi_class"), [labelled(f"c{n}", [classes[n % 8]], []) for n in range(CASES)]),
        (
            spec("findings", findings, "multi_label"),
            [labelled(f"f{n}", draw.sample(findings, 3), findings) for n in range(CASES)],
        ),
        (spec("organs", organs, "none"), [slices(draw, f"s{n}", organs) for n in range(CASES // 4)]),
        (spec("pairs", [], "none"), [pairs(f"q{n}") for n in range(CASES)]),
        (spec("grades", grades, "ordinal"), [labelled(f"g{n}", [grades[n % 3]], []) for n in range(CASES)]),
        (spec("visits", findings, "multi_label"), [visits(draw, f"v{n}", findings) for n in range(CASES // 4)]),
        (spec("reports", [], "none"), [report(f"r{n}") for n in range(CASES // 2)]),
        (spec("notes", classes, "multi_class"), [note(f"t{n}", classes[n % 8]) for n in range(CASES // 2)]),
        (spec("masks", organs, "none"), [masks(draw, f"m{n}", organs) for n in range(CASES // 8)]),
        (
            spec("quality", quality, "multi_class", clinical_task="retinal image quality grading"),
            [labelled(f"l{n}", [quality[n % 3]], []) for n in range(CASES // 4)],
        ),
        (spec("hands", [], "none", modality="X-ray", anatomy="hand"), [hand(f"h{n}", n) for n in range(CASES // 4)]),
        (
            spec("pelvis", pelvis, "none", modality="MRI", anatomy="pelvis"),
            [sexed(draw, f"p{n}", n) for n in range(CASES // 8)],
        ),
        (spec("volumes", solid, "none"), [volume(draw, f"w{n}", solid) for n in range(CASES // 8)]),
    ]


def spec(name: str, labels: list[str], kind: str, **more: str) -> DatasetSpec:
    return DatasetSpec.model_validate({
        "name": name, "title": name, "license": "CC0-1.0", "access": "open", "reader": ReaderChoice(type="none"),
        "modality": "CT", "anatomy": "abdomen", "clinical_task": "detection", "label_kind": kind,
        "labels": {word: word for word in labels}, **more,
    })  # fmt: skip


def picture(name: str, **more: object) -> ImageRef:
    view = View(640, 480, 640, 480, spacing=(0.7, 0.7), **more)  # type: ignore[arg-type]
    return ImageRef((f"{name}.png",), "image/png", view)


def some_box(draw: random.Random, label: str, image: int) -> Region:
    u, v = draw.uniform(0, 560), draw.uniform(0, 400)
    return Region(label, label, "box", image, (u, v, u + draw.uniform(5, 80), v + draw.uniform(5, 80)))


def detection(draw: random.Random, key: str, labels: list[str], number: int) -> Case:
    regions = tuple(some_box(draw, draw.choice(labels), 0) for _ in range(number))
    return Case("cells", key, key, "train", (picture(key),), regions=regions)


def labelled(key: str, present: list[str], every: list[str]) -> Case:
    labels = tuple(Label(name, name) for name in present)
    absent = tuple(Label(name, name, "absent") for name in every if name not in present)
    return Case("labels", key, key, "train", (picture(key),), labels=labels + absent)


def slices(draw: random.Random, key: str, labels: list[str]) -> Case:
    images = tuple(picture(key, orientation="LP", axis=2, index=number) for number in range(4))
    regions = tuple(some_box(draw, name, image) for image in range(4) for name in draw.sample(labels, 5))
    return Case("organs", key, key, "train", images, regions=regions)


def visits(draw: random.Random, key: str, every: list[str]) -> Case:
    labels = tuple(Label(name, name, draw.choice(("present", "absent")), image) for image in (0, 1) for name in every)
    return Case("visits", key, key, "train", (picture(f"{key}a"), picture(f"{key}b")), labels=labels)


def report(key: str) -> Case:
    said = (
        f"The heart is enlarged in film {key}. Compared with the prior film, nothing has changed. The lungs are clear."
    )
    texts = (
        Text("findings", said),
        Text("impression", f"Cardiomegaly ({key})."),
        Text("caption", f"Chest film {key}, frontal."),
    )
    return Case("reports", key, key, "train", (picture(key),), texts=texts)


def note(key: str, label: str) -> Case:
    text = Text("text", f"Note {key}: the patient has had a dry cough for two weeks.")
    return Case("notes", key, key, "train", texts=(text,), labels=(Label(label, label),))


def masks(draw: random.Random, key: str, labels: list[str]) -> Case:
    """Four slices with five ellipses each, 640x480."""
    v, u = np.mgrid[:480, :640]
    images = tuple(picture(key, orientation="LP", axis=2, index=number) for number in range(4))
    regions = []
    for image in range(4):
        for name in draw.sample(labels, 5):
            wide, high = draw.randint(15, 60), draw.randint(15, 60)
            x, y = draw.randint(wide, 639 - wide), draw.randint(high, 479 - high)
            region = mask_region(((u - x) / wide) ** 2 + ((v - y) / high) ** 2 <= 1, name, name, image)
            assert region is not None
            regions.append(region)
    return Case("masks", key, key, "train", images, regions=tuple(regions))


def hand(key: str, age: int) -> Case:
    """Of a patient up to 89 years old."""
    return Case("hands", key, key, "train", (picture(key),), demographics=Demographics(age_years=float(age % 90)))


def sexed(draw: random.Random, key: str, number: int) -> Case:
    """A slice of the pelvis with two organs that everybody has and one that tells the sex."""
    sex, organ = (("male", "prostate"), ("female", "uterus"))[number % 2]
    regions = tuple(some_box(draw, name, 0) for name in ("urinary bladder", "rectum", organ))
    shown = picture(key, orientation="LP", axis=2, index=0)
    return Case("pelvis", key, key, "train", (shown,), regions=regions, demographics=Demographics(sex=sex))  # type: ignore[arg-type]


def volume(draw: random.Random, key: str, labels: list[str]) -> Case:
    """A CT volume of 512 x 512 x 100 voxels with seven of ten parts, none of its slices shown."""
    name = f"{key}.nii.gz"
    whole = VolumeRef((name,), "application/x-nifti", (512, 512, 100), (0.8, 0.8, 5.0), "RAS")
    parts = tuple(solid(draw, label, whole) for label in draw.sample(labels, 7))
    return Case("volumes", key, key, "train", (), (whole,), volume_regions=parts)


def solid(draw: random.Random, label: str, whole: VolumeRef) -> Region3D:
    """An ellipsoid; lesions were looked for piece by piece."""
    low = [draw.uniform(0.02, 0.6) for _ in range(3)]
    wide = [draw.uniform(0.02, 0.3) for _ in range(3)]
    place: Any = (*low, *(a + b for a, b in zip(low, wide, strict=True)))
    centre: Any = tuple(a + b / 2 for a, b in zip(low, wide, strict=True))
    voxels = [part * side for part, side in zip(wide, whole.shape, strict=True)]
    size: Any = tuple(number * step for number, step in zip(voxels, whole.spacing, strict=True))
    number = int(voxels[0] * voxels[1] * voxels[2] * np.pi / 6)
    box: Any = tuple(float(round(edge * side)) for edge, side in zip(place, whole.shape * 2, strict=True))
    extent = Extent(box, place, centre, number, size, size[0] * size[1] * size[2] * np.pi / 6000)
    pieces = (extent,) if label in ("liver tumor", "kidney cyst") else ()
    return Region3D(label, label, 0, extent, (0, 0, 0), (f"labels/{whole.files[0]}",), (1,), False, pieces)


def pairs(key: str) -> Case:
    asked = tuple(QuestionAnswer(f"Is there a finding {number}?", "yes", key=str(number)) for number in range(4))
    return Case("pairs", key, key, "train", (picture(key),), questions=asked)
