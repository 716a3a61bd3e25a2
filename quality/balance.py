"""Whom a release is about: counts of cases by sex, age, maker of the device, site, modality, body part and label.

Small counts are hidden.  What a header says of maker and institution is not repeated: makers are those of a list, sites
are numbered.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from quality.release_options import BalanceOptions
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "balance"
FILE = "balance.json"
UNKNOWN = "not stated"
AGES = ((18, "0 to 17"), (40, "18 to 39"), (60, "40 to 59"), (80, "60 to 79"), (200, "80 and over"))
"""Upper bounds in years, not included.  Ages over 89 are never told apart (HIPAA Safe Harbor)."""
AXES = ("sex", "age", "device", "site", "modality", "anatomy")
STATED = ("sex", "age", "device", "site")
"""Axes of which one value may be too common."""
MAKERS = (
    "Agfa", "Canon", "Carestream", "Esaote", "Fujifilm", "GE", "Hitachi", "Hologic", "Kodak", "Konica", "Leica",
    "Mindray", "Neusoft", "Olympus", "Philips", "Samsung", "Shimadzu", "Siemens", "Sirona", "Topcon", "Toshiba",
    "United Imaging", "Varian", "Zeiss",
)  # fmt: skip
OTHER = "another maker"
MOST = 30
"""Labels that are set against sex and age, the commonest."""


def balance(people: Sequence[Path], decisions: Path, options: BalanceOptions, folder: Path) -> list[ReleaseFinding]:
    """Write ``balance.json`` and say where one value of an axis all but fills the release.

    Args:
        people: the partitions' ``people.parquet`` (order, dataset, sex, age, device, site, modality, anatomy, labels).
        decisions: the fate of every case by ``order``.
        options: the size below which a count is hidden, and the share from which a value is too common.
        folder: ``quality`` of the release.
    """
    table = _kept(people, decisions)
    axes = {axis: _counts(table.select("dataset", value=axis), options.min_cell) for axis in AXES}
    labels = table.select("order", "dataset", "sex", "age", label="labels").explode("label").drop_nulls("label")
    axes["label"] = _counts(labels.select("dataset", value="label"), options.min_cell)
    told = {
        "cases": table.height,
        "hidden_below": options.min_cell,
        "axes": axes,
        "label_by": {axis: _crossed(labels, axis, options.min_cell) for axis in ("sex", "age")},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    return _findings(table, options)


@lru_cache(maxsize=1024)
def maker(text: str) -> str:
    """Whose device it is, as far as the list goes; a header may hold anything, so its own words are not told."""
    words = text.casefold().replace("_", " ").replace(".", "")
    return next((one for one in MAKERS if re.search(rf"\b{one.casefold()}\b", words)), OTHER if words.strip() else "")


def hidden(counts: Mapping[str, int], min_cell: int) -> dict[str, int | str]:
    """The counts by falling size, those of 1 to ``min_cell - 1`` as ``"<n"``.

    Where only one would be hidden, it could be had from the total: then the next smallest is hidden too.
    """
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    small = [name for name, count in ordered if count < min_cell]
    if len(small) == 1 and len(ordered) > 1:
        small.append(ordered[-2][0])
        return {name: "hidden" if name in small else count for name, count in ordered}
    return {name: f"<{min_cell}" if name in small else count for name, count in ordered}


def _kept(people: Sequence[Path], decisions: Path) -> Any:
    import polars as pl

    group = pl.lit(UNKNOWN)
    for bound, name in reversed(AGES):
        group = pl.when(pl.col("age") < bound).then(pl.lit(name)).otherwise(group)
    kept = pl.scan_parquet(decisions).filter(pl.col("status") == "kept").select("order")
    named = [
        pl.when(pl.col(name) == "").then(pl.lit(UNKNOWN)).otherwise(name).alias(name)
        for name in ("sex", "device", "site")
    ]
    tables = pl.scan_parquet([str(path) for path in people])
    told = tables.join(kept, on="order", how="semi").with_columns(*named, age=group).sort("order").collect()
    return told.with_columns(site=told["site"].replace(_numbered(told["site"])))


def _numbered(sites: Any) -> dict[str, str]:
    """A number for each digest of a site, by falling count."""
    counted = sites.filter(sites != UNKNOWN).value_counts(sort=True).sort(["count", "site"], descending=[True, False])
    return {one: f"site {number}" for number, one in enumerate(counted["site"], 1)}


def _counts(values: Any, min_cell: int) -> dict[str, dict[str, int | str]]:
    """dataset -> value -> cases."""
    found: dict[str, dict[str, int]] = {}
    for dataset, value, count in values.group_by("dataset", "value").len().sort("dataset", "value").iter_rows():
        found.setdefault(dataset, {})[str(value)] = count
    return {dataset: hidden(counts, min_cell) for dataset, counts in found.items()}


def _crossed(labels: Any, axis: str, min_cell: int) -> dict[str, dict[str, int | str]]:
    """label -> value of the axis -> cases, over all datasets; nothing where the axis is stated nowhere."""
    known = labels.filter(labels[axis] != UNKNOWN)
    common = (
        known["label"].value_counts(sort=True).sort(["count", "label"], descending=[True, False]).head(MOST)["label"]
    )
    found: dict[str, dict[str, int]] = {}
    shown = known.filter(known["label"].is_in(common.to_list()))
    for label, value, count in shown.group_by("label", axis).len().sort("label", axis).iter_rows():
        found.setdefault(label, {})[value] = count
    return {label: hidden(counts, min_cell) for label, counts in found.items()}


def _findings(table: Any, options: BalanceOptions) -> list[ReleaseFinding]:
    """One for each dataset and axis on which one value is too common among the cases that state it."""
    found = []
    for axis in STATED:
        stated = table.filter(table[axis] != UNKNOWN)
        for dataset in sorted(set(stated["dataset"])):
            values = stated.filter(stated["dataset"] == dataset)[axis].value_counts(sort=True)
            value, most = values.sort(["count", axis], descending=[True, False]).row(0)
            total = int(values["count"].sum())
            if total < options.min_cases or most <= options.max_share * total:
                continue
            text = f"{dataset}: {most / total:.0%} of the {total} cases that state {axis} are {value}"
            severity = Severity.REFUSE_RELEASE if options.refuse else Severity.FLAG
            found.append(ReleaseFinding(GATE, severity, text, dataset))
    return found
