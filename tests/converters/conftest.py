"""Small cases to ask about, built by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from schemas.case import Case, ImageRef, Label, QuestionAnswer, Region
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.masks import mask_region
from schemas.plugins import load
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.view import View


def view(width=640, height=480, **more):
    return View(width, height, more.pop("w", width), more.pop("h", height), **more)


def ref(shown=None, name="p1/secret_name.jpg"):
    return ImageRef((name,), "image/jpeg", shown or view())


def spec(labels=(), kind="none", **more):
    facts = {"modality": "microscopy", "anatomy": "blood", "clinical_task": "detection", "license": "MIT"} | more
    return DatasetSpec(
        name="ds",
        title="t",
        access="open",
        reader=ReaderChoice(type="x"),
        labels={f"raw {name}": name for name in labels},
        label_kind=kind,
        **facts,
    )


def case(key="c1", images=None, **more):
    return Case("ds", key, None, "", images=(ref(),) if images is None else tuple(images), **more)


def box(label, edges, image=0, **more):
    return Region(label, f"raw {label}", "box", image, tuple(float(edge) for edge in edges), **more)


def mask(label, size, edges, image=0, instance=""):
    """A rectangle of ones: size (height, width), edges u0 v0 u1 v1."""
    grid = np.zeros(size, bool)
    u0, v0, u1, v1 = edges
    grid[v0:v1, u0:u1] = True
    return mask_region(grid, label, f"raw {label}", image, instance)


def label(name, polarity="present", image=-1):
    return Label(name, f"raw {name}", polarity, image)


def ask(name, one, described, seed=0, language="en", **options) -> list[Instruction]:
    kind = load("converters", name)
    return list(kind(kind.Options(**options)).convert(one, Context(described, seed, language)))


@pytest.fixture(scope="session")
def make():
    return SimpleNamespace(
        view=view, ref=ref, spec=spec, case=case, box=box, mask=mask, label=label, ask=ask, qa=QuestionAnswer
    )


@pytest.fixture(scope="session")
def blood(make):
    """2 red blood cells, 1 platelet, no white blood cell, on a picture without orientation."""
    regions = (
        make.box("red blood cell", (64, 48, 128, 96)),
        make.box("red blood cell", (320, 240, 384, 288)),
        make.box("platelet", (512, 384, 544, 408)),
    )
    return make.case(regions=regions), make.spec(["red blood cell", "white blood cell", "platelet"])


@pytest.fixture(scope="session")
def chest(make):
    """A frontal film with one class of four."""
    described = make.spec(
        ["normal", "pneumonia", "pneumothorax", "lung cancer"], "multi_class", modality="X-ray", anatomy="chest"
    )
    return make.case(images=[make.ref(make.view(orientation="LI"))], labels=(make.label("pneumonia"),)), described
