"""Rows per second that the converters make on one core, without pixels: ``python -m benchmarks.converters``.

Cases are made beforehand (detection with 15 boxes, one class of eight, findings of fourteen, grades, two visits,
reports, notes, shipped pairs, CT slices with boxes, CT slices with masks), every one different.  First each converter
alone sees all cases; then, as in a run, each case is seen by all converters in turn, which is the number that counts.
Time is the process's own, so that neighbours do not count.
"""

import random
import statistics
import time
import tracemalloc
from collections.abc import Sequence

import numpy as np

from schemas.case import Case, ImageRef, Label, QuestionAnswer, Region, Text
from schemas.context import Context
from schemas.masks import mask_region
from schemas.plugins import load, names
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.view import View

CASES = 1000
TARGET = 20_000


def main() -> None:
    """Print a table: converter, rows, rows per second, and the total of a run."""
    jobs = workloads()
    registered = names("converters")
    print(f"{'converter':26}{'rows':>10}{'rows/s':>12}")
    for name in registered:
        rows, seconds = measure([name], jobs)
        print(f"{name:26}{rows:>10,}{rows / seconds:>12,.0f}" if rows else f"{name:26}{0:>10}{'-':>12}")
    rows, seconds = measure(registered, jobs)
    print(f"{'all, case by case':26}{rows:>10,}{rows / seconds:>12,.0f}   (target {TARGET:,})")
    print(f"memory held after all cases, beside the cases: {held(jobs) / 1e6:.1f} MB")


def measure(asked: Sequence[str], jobs: Sequence[tuple[DatasetSpec, list[Case]]]) -> tuple[int, float]:
    """Rows that these converters make over all jobs, and the median of three runs' seconds of processor time."""
    times, rows = [], 0
    for seed in range(3):
        converters = [(kind := load("converters", name))(kind.Options()) for name in asked]
        start = time.process_time()
        rows = 0
        for spec, cases in jobs:
            context = Context(spec, seed)
            for case in cases:
                for converter in converters:
                    for _ in converter.convert(case, context):
                        rows += 1
        times.append(time.process_time() - start)
    return rows, statistics.median(times)


def held(jobs: Sequence[tuple[DatasetSpec, list[Case]]]) -> int:
    """Bytes that stay allocated after every converter has seen every case."""
    converters = [(kind := load("converters", name))(kind.Options()) for name in names("converters")]
    tracemalloc.start()
    for spec, cases in jobs:
        for case in cases:
            for converter in converters:
                for _ in converter.convert(case, Context(spec, 9)):
                    pass
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return now


def workloads() -> list[tuple[DatasetSpec, list[Case]]]:
    """Ten kinds of datasets, each with its cases."""
    draw = random.Random(0)
    cells = ["red blood cell", "white blood cell", "platelet"]
    classes = [f"class {number}" for number in range(8)]
    findings = [f"finding {number}" for number in range(14)]
    organs = ["liver", "spleen", "left kidney", "right kidney", "pancreas", "stomach"]
    grades = ["mild", "moderate", "severe"]
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
    ]


def spec(name: str, labels: list[str], kind: str) -> DatasetSpec:
    return DatasetSpec.model_validate({
        "name": name, "title": name, "license": "CC0-1.0", "access": "open", "reader": ReaderChoice(type="none"),
        "modality": "CT", "anatomy": "abdomen", "clinical_task": "detection", "label_kind": kind,
        "labels": {word: word for word in labels},
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


def pairs(key: str) -> Case:
    asked = tuple(QuestionAnswer(f"Is there a finding {number}?", "yes", key=str(number)) for number in range(4))
    return Case("pairs", key, key, "train", (picture(key),), questions=asked)


if __name__ == "__main__":
    main()
