"""The files of a release beside its shards, and the manifest that lists them all."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from flows.accounting import Totals
from flows.code_version import code_version
from schemas.errors import ReleaseError
from schemas.ledger import Status
from schemas.manifest import Manifest, ReleaseFile
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec

STATUSES = tuple(str(status) for status in Status)


def refuse_if(verdicts: Sequence[Any]) -> None:
    """Raise `ReleaseError` where a gate refused and nobody waived it."""
    refusing = [verdict for verdict in verdicts if not verdict.passed and not verdict.waived_by]
    if refusing:
        raise ReleaseError(
            "; ".join(f"gate {verdict.gate} refuses the release: {verdict.detail}" for verdict in refusing)
        )


def remove_strangers(folder: Path, plans: Sequence[Any]) -> None:
    """Remove files of an earlier try that the present shard plan does not name."""
    wanted = {path for plan in plans for path in plan.paths()}
    for sub in ("data", "webdataset"):
        for path in (folder / sub).glob("*"):
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()


def write_all(
    recipe: Recipe,
    specs: Sequence[DatasetSpec],
    folder: Path,
    shards: Sequence[ReleaseFile],
    totals: Totals,
    verdicts: Sequence[Any],
) -> Manifest:
    """Write card, croissant and report, and return the manifest of everything in ``folder``."""
    from quality.licences import check_licences
    from storage.card import write_card
    from storage.croissant import write_croissant
    from storage.report import write_report

    terms = check_licences(recipe, specs)
    manifest = Manifest(
        name=recipe.name,
        version=recipe.version,
        code_version=code_version(),
        files=list(shards),
        recipe=_portable(recipe),
        specs=[spec.model_dump(mode="json", exclude={"root"}) for spec in specs],
        totals={kind: _summed(sets) for kind, sets in totals.items()},
        gates=[verdict.to_json() for verdict in verdicts],
        license=terms.license,
        access=terms.access,
        parent=recipe.parent,
    )
    write_card(folder, manifest, totals)
    write_croissant(folder, manifest)
    write_report(folder, manifest, totals)
    others = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    known = {file.path for file in shards} | {"manifest.json"}
    manifest.files += [entry(path, folder) for path in others if path.relative_to(folder).as_posix() not in known]
    return manifest


def entry(path: Path, folder: Path) -> ReleaseFile:
    """The manifest's line for one file."""
    with path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    rows = pq.read_metadata(path).num_rows if path.suffix == ".parquet" else 0
    return ReleaseFile(path=path.relative_to(folder).as_posix(), sha256=sha256, bytes=path.stat().st_size, rows=rows)


def _portable(recipe: Recipe) -> dict[str, Any]:
    """The recipe without places of this machine."""
    data = recipe.model_dump(mode="json", exclude={"store", "work"})
    data["decisions"] = Path(recipe.decisions).name
    for choice in data["datasets"]:
        choice["spec"] = Path(choice["spec"]).name
    for choice in data["benchmarks"]:
        choice.update({name: Path(choice[name]).name for name in ("spec", "release", "folder")})
    return data


def _summed(sets: dict[str, dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for found in sets.values():
        total.update(found)
    return {status: total.get(status, 0) for status in STATUSES}
