"""README.md of a release: a dataset card whose ``configs:`` tell `datasets` where the splits are.

`datasets` takes one kind of file from one card, so the WebDataset shards have a card of their own in their folder,
which also declares the features: without it they would be inferred from the first five samples.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from schemas.identity import digest
from schemas.ledger import Status
from schemas.manifest import Manifest, ReleaseFile
from storage.atomic import write_bytes
from storage.plan import split_rank
from storage.store import shard_split
from storage.tar import member_names
from storage.webdataset_shard import features

CARDS = ("README.md", "webdataset/README.md", "croissant.json")
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
KNOWN_LICENSES = {
    "MIT", "Apache-2.0", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "BSD-3-Clause", "BSD-2-Clause", "PDDL-1.0",
}  # fmt: skip
"""SPDX ids that Hugging Face knows under the same name in lower case."""

STATUSES = tuple(str(status) for status in Status)

Totals = Mapping[str, Mapping[str, Mapping[str, int]]]


def write_card(folder: Path, manifest: Manifest, totals: Totals) -> None:
    """Write ``README.md`` and, where there are WebDataset shards, ``webdataset/README.md``.

    Args:
        folder: the release folder; its tars are looked through for the names of their members.
        manifest: of the release, with the shards in ``files``.
        totals: kind (``case``, ``row``) -> dataset -> status -> count.
    """
    splits = by_split(manifest.files)
    pattern = "data/{}-*.parquet" if any(file.path.startswith("data/") for file in manifest.files) else ""
    head = _front(manifest, splits, pattern or "webdataset/{}-*.tar")
    write_bytes(folder / "README.md", _card(head, _body(manifest, splits, totals)))
    tars = [folder / file.path for file in manifest.files if file.path.startswith("webdataset/")]
    if tars:
        head = {"configs": _configs(manifest, splits, "{}-*.tar"), "dataset_info": {"features": _members(tars)}}
        write_bytes(folder / "webdataset" / "README.md", _card(head, _webdataset_body(manifest)))
        if not pattern:
            root = _front(manifest, splits, "webdataset/{}-*.tar") | {"dataset_info": head["dataset_info"]}
            write_bytes(folder / "README.md", _card(root, _body(manifest, splits, totals)))


def narrow_cards(folder: Path, manifest: Manifest, subset: str) -> None:
    """Make the cards of a pulled part name only the splits that are here, and say that it is a part."""
    present = set(by_split(manifest.files))
    for name in ("README.md", "webdataset/README.md"):
        path = folder / name
        if path.is_file():
            head, body = split_card(path.read_text("utf-8"))
            for config in head.get("configs", []):
                config["description"] = _identity(manifest)
                config["data_files"] = [item for item in config["data_files"] if item["split"] in present]
            note = f"> This copy holds only a part of the release: `{subset}`. The numbers below are of the whole.\n\n"
            write_bytes(path, _card(head, note + body))
    from storage.croissant import write_croissant

    if (folder / "croissant.json").is_file():
        write_croissant(folder, manifest)


def split_card(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and body of a card."""
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body.lstrip("\n")


def licenses(manifest: Manifest) -> list[str]:
    """SPDX ids of the datasets, sorted, without repetition."""
    return sorted({str(spec["license"]) for spec in manifest.specs if spec.get("license")})


def _card(head: Mapping[str, Any], body: str) -> bytes:
    front = yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{front}---\n\n{body}".encode()


def _front(manifest: Manifest, splits: Mapping[str, Any], pattern: str) -> dict[str, Any]:
    rows = sum(rows for rows, _ in splits.values())
    found = licenses(manifest)
    known = len(found) == 1 and found[0] in KNOWN_LICENSES
    head: dict[str, Any] = {
        "pretty_name": manifest.recipe.get("title") or manifest.name,
        "license": found[0].lower() if known else "other",
    }
    if not known:
        head["license_name"] = " AND ".join(found) or "unstated"
    return head | {
        "task_categories": ["visual-question-answering", "image-text-to-text"],
        "tags": ["medical", "medcurate"],
        "size_categories": [next((name for limit, name in SIZES if rows < limit), "n>10M")],
        "configs": _configs(manifest, splits, pattern),
    }


def _configs(manifest: Manifest, splits: Iterable[str], pattern: str) -> list[dict[str, Any]]:
    files = [{"split": split, "path": pattern.format(split)} for split in splits]
    return [{"config_name": "default", "description": _identity(manifest), "data_files": files}]


def _identity(manifest: Manifest) -> str:
    """Name, version and a digest of the shards.

    `datasets` finds its cache by the folder's last name (here the version) and these configs: two releases of
    version 1.0 whose configs were equal would be taken for each other, silently.
    """
    shards = sorted(file.sha256 for file in manifest.files if shard_split(file.path))
    return f"{manifest.name} {manifest.version} {digest(*shards)}"


def by_split(files: Iterable[ReleaseFile]) -> dict[str, tuple[int, int]]:
    """Split -> rows and bytes of its shards, in one format (Parquet where there is any)."""
    shards = [(split, file) for file in files if (split := shard_split(file.path))]
    first = "data/" if any(file.path.startswith("data/") for _, file in shards) else "webdataset/"
    rows: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for split, file in shards:
        if file.path.startswith(first):
            rows[split] += file.rows
            size[split] += file.bytes
    return {split: (rows[split], size[split]) for split in sorted(rows, key=split_rank)}


def _members(tars: Iterable[Path]) -> list[dict[str, Any]]:
    """Features of every member that any sample has; one that a sample lacks reads as ``None``."""
    names = sorted({name.split(".", 1)[1] for tar in tars for name in member_names(tar)} - {"json"})
    listed: list[dict[str, Any]] = [{"name": name, "dtype": _kind(name)} for name in names]
    listed.append({"name": "json", "struct": features()})
    return [*listed, {"name": "__key__", "dtype": "string"}, {"name": "__url__", "dtype": "string"}]


def _kind(name: str) -> str:
    return "image" if name.rsplit(".", 1)[-1] in ("jpg", "png") else "binary"


def _body(manifest: Manifest, splits: Mapping[str, tuple[int, int]], totals: Totals) -> str:
    parts = [
        f"# {manifest.recipe.get('title') or manifest.name} {manifest.version}\n",
        str(manifest.recipe.get("description") or "Instruction data for medical vision-language models.") + "\n",
        "## Splits\n",
        _table(("split", "rows", "bytes"), [(split, rows, size) for split, (rows, size) in splits.items()]),
        "## Datasets\n",
        _table(("dataset", "licence", "access", "modality", "anatomy", "task", "home"), map(_source, manifest.specs)),
        _citations(manifest.specs),
        "## What became of every case and row\n",
        _table(("dataset", "of", "in", *STATUSES), ledger_lines(totals)),
        "## Gates\n",
        _gates(manifest.gates),
        "## Reading it\n",
        _usage(splits),
        f"Made by medcurate {manifest.code_version}, row schema {manifest.schema_version}"
        + (f", after `{manifest.parent}`" if manifest.parent else "")
        + ". `manifest.json` has the sha256 of every file.\n",
    ]
    return "\n".join(part for part in parts if part)


def _source(spec: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = ("license", "access", "modality", "anatomy", "clinical_task", "homepage")
    return (f"{spec['title']} (`{spec['name']}`)", *(spec.get(key) or "" for key in keys))


def _citations(specs: Iterable[Mapping[str, Any]]) -> str:
    lines = [f"- `{spec['name']}`: {' '.join(str(spec['citation']).split())}" for spec in specs if spec.get("citation")]
    return "\n".join([*lines, ""]) if lines else ""


def ledger_lines(totals: Totals) -> list[tuple[Any, ...]]:
    """Dataset, kind, all that came in, and the count of each of `STATUSES`."""
    return [
        (name, kind, sum(found.values()), *(found.get(status, 0) for status in STATUSES))
        for kind, sets in totals.items()
        for name, found in sorted(sets.items())
    ]


def _gates(verdicts: Iterable[Mapping[str, Any]]) -> str:
    lines = []
    for verdict in verdicts:
        waived = verdict.get("waived_by")
        state = "passed" if verdict.get("passed") else "waived" if waived else "refused"
        lines.append((verdict.get("gate", ""), state, verdict.get("detail", ""), waived or ""))
    return _table(("gate", "verdict", "detail", "waived because"), lines) if lines else "No release gate was run.\n"


def _usage(splits: Mapping[str, Any]) -> str:
    split = next(iter(splits), "train")
    return (
        "```python\nfrom datasets import load_dataset\n\n"
        f'rows = load_dataset("path/to/this/folder", split="{split}")\n'
        'print(rows[0]["messages"], rows[0]["images"])\n```\n\n'
        "`webdataset/` holds the same as tar shards, a sample being a case with all its rows; "
        "polars and duckdb read the Parquet files as they are.\n"
    )


def _webdataset_body(manifest: Manifest) -> str:
    return (
        f"# {manifest.name} {manifest.version} as WebDataset\n\n"
        "A sample is a case: its first picture is `jpg` or `png`, the others `1.jpg`, `2.jpg`, ...; a volume is "
        "`nii.gz`. `json` holds the case and its `rows`; in a row, `images`, `volumes`, `options`, `regions`, "
        "`labels`, `view`, `source_sha256`, `provenance` and `quality` are strings of JSON, the first two naming "
        "members of the sample.\n"
    )


def _table(names: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    def line(cells: Iterable[Any]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    heads = list(names)
    return "\n".join([line(heads), line("---" for _ in heads), *map(line, lines)]) + "\n"
