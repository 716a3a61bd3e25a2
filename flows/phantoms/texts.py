"""Datasets whose substance is words: figures with captions, reports, visits, and notes without pictures."""

from pathlib import Path
from typing import Any

from flows.phantoms.canvas import save_jpeg, save_json, save_text
from flows.phantoms.chest import Finding, film

Truth = dict[str, Any]
_SAID = {
    "pneumonia": ("There is a hazy opacity in the {side} lung.", "Pneumonia of the {side} lung."),
    "pleural effusion": ("Fluid blunts the {side} costophrenic angle.", "Pleural effusion on the {side}."),
    "nodule": ("A small round nodule is seen in the {side} lung.", "Solitary nodule of the {side} lung."),
    "cardiomegaly": ("The heart is enlarged.", "Cardiomegaly."),
}
_CASES = (
    Finding("pneumonia", "right"), Finding("pleural effusion", "left"), Finding("nodule", "right"),
    Finding("cardiomegaly"), None, Finding("pneumonia", "left"), Finding("pleural effusion", "right"),
    Finding("nodule", "left"),
)  # fmt: skip


def figures(folder: Path, seed: int) -> Truth:
    """``radiology/captions.txt`` (tabs, a space before each caption) and ``radiology/images/*.jpg``, as ROCO."""
    lines, truth = [], {}
    for number, finding in enumerate(_CASES, 1):
        key = f"ROCO_{number:05d}"
        shown = film(seed, f"figures/{key}", (finding,) if finding else ())
        save_jpeg(folder / f"radiology/images/{key}.jpg", shown.pixels)
        words = _SAID[finding.name][0].format(side=finding.side) if finding else "The lungs are clear."
        lines.append(f"{key}\t Frontal chest radiograph. {words}")
        truth[key] = shown.truth
    save_text(folder / "radiology/captions.txt", "\n".join(lines) + "\n")
    return truth


def reports(folder: Path, seed: int) -> Truth:
    """``reports.csv`` with findings and impression, ``images/*.jpg``; one report compares with an earlier film."""
    lines, truth = ["study,image,indication,findings,impression"], {}
    for number, finding in enumerate(_CASES, 1):
        study = f"study{number:02d}"
        shown = film(seed, f"reports/{study}", (finding,) if finding else ())
        save_jpeg(folder / f"images/{study}.jpg", shown.pixels)
        seen, meant = (text.format(side=finding.side) for text in _SAID[finding.name]) if finding else (
            "No opacity and no effusion is seen.", "No acute disease of the chest.",
        )  # fmt: skip
        heart = "" if finding and finding.name == "cardiomegaly" else " The heart is of normal size."
        prior = " Unchanged since the previous examination." if number == 2 else ""
        lines.append(f'{study},{study}.jpg,Cough.,"{seen}{heart}{prior}","{meant}"')
        truth[study] = shown.truth
    save_text(folder / "reports.csv", "\n".join(lines) + "\n")
    return truth


def visits(folder: Path, seed: int) -> Truth:
    """``visits.csv``, two films of each patient, each with its own labels; what changed between them is the truth.

    The later film has a report that says what changed.
    """
    names = ("pneumonia", "pleural effusion", "cardiomegaly")
    lines, truth = ["patient,visit,image,report," + ",".join(names)], {}
    for number in range(1, 9):
        patient = f"VP{number:02d}"
        first = (Finding("pneumonia", "right"),) if number % 2 else ()
        second = ((), (Finding("pneumonia", "right"),), (Finding("pleural effusion", "left"),))[number % 3]
        for visit, findings in ((1, first), (2, second)):
            image = f"{patient}_{visit}.jpg"
            save_jpeg(folder / "images" / image, film(seed, f"visits/{patient}", findings).pixels)
            present = {finding.name for finding in findings}
            report = _changes(first, second) if visit == 2 else ""
            lines.append(f"{patient},{visit},{image},{report}," + ",".join(str(int(n in present)) for n in names))
        before, after = {finding.name for finding in first}, {finding.name for finding in second}
        truth[patient] = {
            "new": sorted(after - before),
            "resolved": sorted(before - after),
            "both": sorted(before & after),
        }
    save_text(folder / "visits.csv", "\n".join(lines) + "\n")
    return truth


def _changes(first: tuple[Finding, ...], second: tuple[Finding, ...]) -> str:
    before, after = ({finding.name for finding in findings} for findings in (first, second))
    said = [f"New {name}." for name in sorted(after - before)]
    said += [f"The {name} has resolved since the previous film." for name in sorted(before - after)]
    said += [f"The {name} is unchanged." for name in sorted(before & after)]
    return " ".join(said) or "No change since the previous film."


def notes(folder: Path) -> Truth:
    """``notes.json``: short made-up sentences with the topic that each belongs to, no pictures."""
    topics = {
        "chest": [
            "The lungs are clear.",
            "Fluid blunts the left costophrenic angle.",
            "A nodule lies in the right lung.",
        ],
        "abdomen": ["The liver is of normal size.", "The spleen is enlarged.", "A cyst lies in the left kidney."],
        "blood": ["Many neutrophils are seen.", "Platelets are few.", "The red cells are small and pale."],
    }
    records = [
        {"id": f"{topic}{number}", "text": text, "topic": topic}
        for topic, texts in topics.items()
        for number, text in enumerate(texts, 1)
    ]
    save_json(folder / "notes.json", records)
    return {record["id"]: record["topic"] for record in records}
