"""Chest radiographs in three layouts: class folders, an "A|B" table, and a one-hot table with uncertainty."""

import shutil
from pathlib import Path
from typing import Any

from flows.phantoms.canvas import rng, save_jpeg, save_png, save_text
from flows.phantoms.chest import Film, Finding, Side, film

Truth = dict[str, Any]
SIDES: tuple[Side, Side] = ("right", "left")


def class_folders(folder: Path, seed: int) -> Truth:
    """``<class>/<patient>_<n>.jpg|png``: three classes, eight patients each, every third seen twice.

    Deliberately bad: ``normal/cxr031_1.jpg`` is cut off, ``normal/cxr002_2.jpg`` repeats ``cxr002_1.jpg``,
    ``unreadable_film/`` is known to the spec and left out.
    """
    truth: Truth = {}
    classes: tuple[tuple[str, Any], ...] = (
        ("normal", None),
        ("pneumonia", "pneumonia"),
        ("effusion", "pleural effusion"),
    )
    for number, (name, finding) in enumerate(classes):
        for patient in range(1, 9):
            side = SIDES[patient % 2]
            for visit in range(1, 3 if patient % 3 == 0 else 2):
                key = f"{name}/cxr{number * 10 + patient:03d}_{visit}"
                shown = film(seed, f"folders/{key}", (Finding(finding, side),) if finding else ())
                suffix = _save(folder / key, shown, png=patient % 4 == 0)
                truth[key + suffix] = shown.truth
    shutil.copyfile(folder / "normal/cxr002_1.jpg", folder / "normal/cxr002_2.jpg")
    truth["normal/cxr002_2.jpg"] = truth["normal/cxr002_1.jpg"]
    whole = folder / "normal/cxr001_1.jpg"
    (folder / "normal/cxr031_1.jpg").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    _save(folder / "unreadable_film/cxr032_1", film(seed, "folders/dark"), png=False)
    return truth


def table(folder: Path, seed: int) -> Truth:
    """``images/*.png`` with ``labels.csv`` in the manner of ChestX-ray14: "A|B" labels, sex, age, view.

    Deliberately bad: one line names a picture that is not there, one has no label, one film is all black.
    """
    draw = rng(seed, "cxr_table")
    words = {
        "pneumonia": "Pneumonia",
        "pleural effusion": "Effusion",
        "nodule": "Nodule",
        "cardiomegaly": "Cardiomegaly",
    }
    ages: dict[int, int] = {}
    lines = ["Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position"]
    truth: Truth = {}
    for number in range(1, 19):
        patient = (number + 1) // 2
        findings = _some_findings(number)
        name = f"{patient:05d}_{number:03d}.png"
        shown = film(seed, f"table/{name}", findings)
        _save(folder / "images" / name.removesuffix(".png"), shown, png=True)
        truth[name] = shown.truth
        label = "|".join(words[finding.name] for finding in findings) or "No Finding"
        age, sex = ages.setdefault(patient, 30 + int(draw.integers(0, 50))), "MF"[patient % 2]
        lines.append(f"{name},{label},{patient:05d},{age},{sex},{'PA' if number % 3 else 'AP'}")
    lines += [
        "00010_019.png,Effusion,00010,61,M,PA",
        "00011_020.png,,00011,47,F,PA",
        "00012_021.png,No Finding,00012,58,M,PA",
    ]
    _save(folder / "images/00011_020", film(seed, "table/unlabelled"), png=True)
    save_png(folder / "images/00012_021.png", film(seed, "table/black").pixels // 255)
    save_text(folder / "labels.csv", "\n".join(lines) + "\n")
    return truth


def one_hot(folder: Path, seed: int) -> Truth:
    """``patient/study/view1_frontal.jpg`` with ``train.csv`` in the manner of CheXpert: 1, 0, -1 (uncertain), blank."""
    columns = ["Cardiomegaly", "Pneumonia", "Pleural Effusion"]
    words = {"Cardiomegaly": "cardiomegaly", "Pneumonia": "pneumonia", "Pleural Effusion": "pleural effusion"}
    lines = ["Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding," + ",".join(columns)]
    truth: Truth = {}
    for number in range(1, 13):
        findings = _some_findings(number, ("pneumonia", "pleural effusion", "cardiomegaly"))
        key = f"train/patient{number:05d}/study1/view1_frontal"
        shown = film(seed, f"onehot/{key}", findings)
        _save(folder / key, shown, png=False)
        truth[key + ".jpg"] = shown.truth
        present = {finding.name for finding in findings}
        values = ["1" if words[name] in present else "0" for name in columns]
        if number % 3 == 0:
            values[(number // 3) % 3] = "-1"
        if number % 5 == 0:
            values[(number // 5) % 3] = ""
        row = [key + ".jpg", ("Male", "Female")[number % 2], str(40 + number), "Frontal", ("AP", "PA")[number % 2]]
        lines.append(",".join([*row, "" if present else "1", *values]))
    save_text(folder / "train.csv", "\n".join(lines) + "\n")
    return truth


def _some_findings(
    number: int, names: tuple[Any, ...] = ("pneumonia", "pleural effusion", "nodule", "cardiomegaly")
) -> tuple[Finding, ...]:
    """None for every fifth film, two for every fourth, one for the others; sides alternate."""
    if number % 5 == 0:
        return ()
    chosen = [names[number % len(names)]]
    if number % 4 == 0:
        chosen.append(names[(number + 1) % len(names)])
    return tuple(
        Finding(name, "" if name == "cardiomegaly" else SIDES[(number // 2 + at) % 2]) for at, name in enumerate(chosen)
    )


def _save(path: Path, shown: Film, png: bool) -> str:
    suffix = ".png" if png else ".jpg"
    path = path.with_name(path.name + suffix)
    (save_png if png else save_jpeg)(path, shown.pixels)
    return suffix
