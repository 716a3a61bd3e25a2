"""Cases of every sort that converters ask about, invented, small, and without pixels."""

from typing import Any

import numpy as np

from schemas.case import (
    Acquisition,
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

Edges = tuple[int, int, int, int]


def samples() -> list[tuple[DatasetSpec, list[Case]]]:
    """(spec, cases) of each sort."""
    return [
        _quality(),
        _hands(),
        _pelvis(),
        _cells(),
        _classes(),
        _findings(),
        _grades(),
        _organs(),
        _visits(),
        _reports(),
        _texts(),
    ]


def _spec(name: str, labels: list[str], kind: str, modality: str, anatomy: str) -> DatasetSpec:
    return DatasetSpec.model_validate({
        "name": name, "title": name, "license": "CC0-1.0", "access": "open", "reader": ReaderChoice(type="none"),
        "modality": modality, "anatomy": anatomy, "clinical_task": "detection", "label_kind": kind,
        "labels": {word: word for word in labels},
    })  # fmt: skip


def _image(name: str, **more: Any) -> ImageRef:
    return ImageRef((f"images/{name}.png",), "image/png", View(320, 240, 320, 240, **more))


def _box(label: str, edges: Edges) -> Region:
    u0, v0, u1, v1 = edges
    return Region(label, label, "box", 0, (float(u0), float(v0), float(u1), float(v1)))


def _mask(label: str, edges: Edges, image: int, hole: Edges | None = None) -> Region:
    grid = np.zeros((240, 320), bool)
    grid[edges[1] : edges[3], edges[0] : edges[2]] = True
    if hole:
        grid[hole[1] : hole[3], hole[0] : hole[2]] = False
    region = mask_region(grid, label, label, image)
    assert region is not None
    return region


def _cells() -> tuple[DatasetSpec, list[Case]]:
    names = ["red blood cell", "white blood cell", "platelet"]
    placed: list[list[tuple[str, Edges]]] = [
        [
            ("red blood cell", (10, 10, 50, 50)),
            ("red blood cell", (100, 20, 140, 60)),
            ("platelet", (250, 180, 270, 200)),
        ],
        [("white blood cell", (140, 90, 200, 150)), ("red blood cell", (20, 150, 60, 190))],
        [("platelet", (30, 30, 45, 45)), ("platelet", (200, 40, 215, 55)), ("platelet", (100, 200, 115, 215))],
    ]
    cases = [
        Case(
            "cells",
            f"smear_{n:03d}",
            None,
            "train",
            (_image(f"smear_{n:03d}"),),
            regions=tuple(_box(*p) for p in boxes),
        )
        for n, boxes in enumerate(placed)
    ]
    return _spec("cells", names, "none", "microscopy", "blood"), cases


def _classes() -> tuple[DatasetSpec, list[Case]]:
    names = ["normal", "pneumonia", "pneumothorax", "lung nodule", "cardiomegaly"]
    cases = [
        Case("classes", f"film_{n:03d}", f"p{n}", "", (_image(f"film_{n:03d}", orientation="LI"),),
             labels=(Label(name, name),), acquisition=Acquisition("X-ray", "chest", "PA"))
        for n, name in enumerate(names)
    ]  # fmt: skip
    return _spec("classes", names, "multi_class", "X-ray", "chest"), cases


def _findings() -> tuple[DatasetSpec, list[Case]]:
    names = ["pleural effusion", "edema", "consolidation", "fracture", "atelectasis"]
    said = [
        {"pleural effusion": "present", "edema": "absent", "consolidation": "uncertain", "fracture": "absent"},
        {"pleural effusion": "present", "edema": "present", "fracture": "absent", "atelectasis": "absent"},
        {"pleural effusion": "absent", "edema": "absent"},
    ]
    cases = [
        Case("findings", f"study_{n:03d}", f"p{n}", "", (_image(f"study_{n:03d}"),),
             labels=tuple(Label(name, name, polarity) for name, polarity in one.items()))  # type: ignore[arg-type]
        for n, one in enumerate(said)
    ]  # fmt: skip
    return _spec("findings", names, "multi_label", "X-ray", "chest"), cases


def _grades() -> tuple[DatasetSpec, list[Case]]:
    names = ["no retinopathy", "mild retinopathy", "moderate retinopathy", "severe retinopathy"]
    cases = [
        Case("grades", f"eye_{n:03d}", f"p{n}", "", (_image(f"eye_{n:03d}"),), labels=(Label(name, str(n)),))
        for n, name in enumerate(names)
    ]
    return _spec("grades", names, "ordinal", "fundus photography", "eye"), cases


def _organs() -> tuple[DatasetSpec, list[Case]]:
    names = ["liver", "spleen", "left kidney", "right kidney", "liver tumor"]
    images = tuple(_image(f"ct_{i}", orientation="LP", axis=2, index=i, spacing=(1.0, 1.0)) for i in (10, 20, 30))
    tumor = (60, 80, 80, 100)
    regions = (
        _mask("liver", (30, 60, 130, 150), 0, hole=tumor), _mask("liver tumor", tumor, 0),
        _mask("spleen", (250, 150, 290, 210), 0),
        _mask("liver", (30, 60, 120, 140), 1), _mask("left kidney", (210, 160, 245, 200), 1),
        _mask("right kidney", (70, 160, 105, 200), 1), _mask("right kidney", (70, 150, 100, 190), 2),
    )  # fmt: skip
    volume = VolumeRef(("volumes/ct_0007.nii.gz",), "application/x-nifti", (320, 240, 40), (1.0, 1.0, 5.0), "RAS")
    solids = (
        _solid("liver", (165, 90, 8, 290, 180, 34), 180_000, 1), _solid("spleen", (30, 30, 12, 70, 90, 26), 20_000, 2),
        _solid("left kidney", (70, 40, 10, 110, 80, 22), 12_000, 3),
        _solid("liver tumor", (240, 140, 8, 260, 160, 16), 900, 5),
    )  # fmt: skip
    made = Acquisition(contrast="portal venous")
    case = Case("organs", "ct_0007", "p7", "", images, (volume,), (), regions, solids, acquisition=made)
    return _spec("organs", names, "none", "CT", "abdomen"), [case, _stack()]


def _stack() -> Case:
    """Three slices of one volume file."""
    name = "volumes/ct_0008.nii.gz"
    views = (
        View(320, 240, 320, 240, axis=2, index=index, orientation="LP", spacing=(1.0, 1.0)) for index in (8, 16, 24)
    )
    images = tuple(ImageRef((name,), "application/x-nifti", view) for view in views)
    volume = VolumeRef((name,), "application/x-nifti", (320, 240, 40), (1.0, 1.0, 5.0), "RAS")
    regions = (
        _mask("liver", (30, 60, 90, 120), 1), _mask("liver", (30, 60, 130, 150), 2),
        _mask("spleen", (250, 150, 290, 210), 2),
    )  # fmt: skip
    return Case("organs", "ct_0008", "p8", "", images, (volume,), regions=regions)


def _solid(label: str, box: tuple[int, int, int, int, int, int], voxels: int, value: int) -> Region3D:
    """A solid in a RAS volume of 320 x 240 x 40 voxels of 1 x 1 x 5 mm."""
    shape = (320, 240, 40)
    i0, j0, k0, i1, j1, k1 = (edge / shape[at % 3] for at, edge in enumerate(box))
    centre = ((i0 + i1) / 2, (j0 + j1) / 2, (k0 + k1) / 2)
    size = (float(box[3] - box[0]), float(box[4] - box[1]), 5.0 * (box[5] - box[2]))
    edges = (float(box[0]), float(box[1]), float(box[2]), float(box[3]), float(box[4]), float(box[5]))
    extent = Extent(edges, (i0, j0, k0, i1, j1, k1), centre, voxels, size, voxels * 0.005)
    pieces = (extent,) if label == "liver tumor" else ()
    return Region3D(
        label, label, 0, extent, (box[0], box[1], box[2]), ("labels/ct_0007.nii.gz",), (value,), False, pieces
    )


def _visits() -> tuple[DatasetSpec, list[Case]]:
    names = ["pleural effusion", "edema", "fracture"]
    first = (Label(names[0], "e", "present", 0), Label(names[1], "o", "absent", 0), Label(names[2], "f", "absent", 0))
    second = (Label(names[0], "e", "absent", 1), Label(names[1], "o", "present", 1), Label(names[2], "f", "absent", 1))
    case = Case("visits", "pair_001", "p1", "", (_image("first_001"), _image("second_001")), labels=first + second)
    return _spec("visits", names, "multi_label", "X-ray", "chest"), [case]


def _reports() -> tuple[DatasetSpec, list[Case]]:
    texts = (
        Text("findings", "The heart is enlarged. Compared with the prior film, the effusion grew. No pneumothorax."),
        Text("impression", "Cardiomegaly without acute disease."),
        Text("caption", "Figure 2. Chest film with an enlarged cardiac silhouette."),
        Text("section", "The ribs are intact on both sides.", title="BONES"),
    )
    questions = (
        QuestionAnswer("Is the heart enlarged? ", "yes", answer_type="closed", key="q1"),
        QuestionAnswer("What is enlarged?", "the heart", answer_type="open", key="q2"),
        QuestionAnswer("Which organ?", "B", ("A: lung", "B: heart"), answer_type="choice", key="q3"),
        QuestionAnswer("NULL", "NULL", key="q4"),
    )
    case = Case("reports", "exam_001", "p1", "", (_image("exam_001"),), texts=texts, questions=questions)
    return _spec("reports", [], "none", "X-ray", "chest"), [case]


def _texts() -> tuple[DatasetSpec, list[Case]]:
    case = Case(
        "texts", "note_001", None, "", texts=(Text("text", "The patient has had a dry cough for two weeks."),),
        labels=(Label("respiratory", "R"),),
    )  # fmt: skip
    return _spec("texts", ["respiratory", "cardiac"], "multi_class", "mixed", "mixed"), [case]


def _quality() -> tuple[DatasetSpec, list[Case]]:
    names = ["good quality", "usable", "bad quality"]
    cases = [
        Case("quality", f"photo_{n:03d}", f"p{n}", "", (_image(f"photo_{n:03d}"),), labels=(Label(name, str(n)),))
        for n, name in enumerate(names)
    ]
    spec = _spec("quality", names, "multi_class", "fundus photography", "eye")
    return spec.model_copy(update={"clinical_task": "retinal image quality grading"}), cases


def _hands() -> tuple[DatasetSpec, list[Case]]:
    """Ages on both sides of what the growth plates tell."""
    cases = [
        Case(
            "hands", f"hand_{n:03d}", f"p{n}", "", (_image(f"hand_{n:03d}"),), demographics=Demographics(age_years=age)
        )
        for n, age in enumerate((6.0, 15.0, 42.0))
    ]
    return _spec("hands", [], "none", "X-ray", "hand"), cases


def _pelvis() -> tuple[DatasetSpec, list[Case]]:
    """An organ that agrees with the stated sex, and one that does not."""
    cases = []
    for n, organ in enumerate(("prostate", "uterus")):
        regions = (_mask(organ, (100, 100, 160, 150), 0),)
        images = (_image(f"mr_{n:03d}"),)
        stated = Demographics(sex="male")
        cases.append(Case("pelvis", f"mr_{n:03d}", f"p{n}", "", images, regions=regions, demographics=stated))
    return _spec("pelvis", ["prostate", "uterus"], "none", "MRI", "pelvis"), cases
