"""croissant.json: the release described for machines (MLCommons Croissant 1.0)."""

import json
from pathlib import Path
from typing import Any

from schemas.manifest import Manifest
from storage.atomic import write_bytes
from storage.card import licenses
from storage.store import shard_split

CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "samplingRate": "cr:samplingRate", "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
    "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex",
    "repeated": "cr:repeated", "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator",
    "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip

COLUMNS = (
    "id", "task", "answer", "answer_index", "modality", "anatomy", "clinical_task", "dataset", "case_id", "group_id",
    "split", "license", "access",
)  # fmt: skip
"""Flat columns; nested ones have no type in Croissant and are left to the Parquet schema."""


def write_croissant(folder: Path, manifest: Manifest) -> None:
    """Write ``croissant.json`` with every shard's sha256 and a record set for the Parquet files of each split."""
    text = json.dumps(describe(manifest), indent=2, ensure_ascii=False)
    write_bytes(folder / "croissant.json", (text + "\n").encode())


def describe(manifest: Manifest) -> dict[str, Any]:
    """The description as JSON-LD."""
    shards = [file for file in manifest.files if shard_split(file.path)]
    files = [
        {
            "@type": "cr:FileObject", "@id": file.path, "name": file.path, "contentUrl": file.path,
            "contentSize": f"{file.bytes} B", "sha256": file.sha256,
            "encodingFormat": "application/x-parquet" if file.path.endswith(".parquet") else "application/x-tar",
        }
        for file in shards
    ]  # fmt: skip
    citations = [" ".join(str(spec["citation"]).split()) for spec in manifest.specs if spec.get("citation")]
    homepages = [str(spec["homepage"]) for spec in manifest.specs if spec.get("homepage")]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": manifest.name,
        "description": str(
            manifest.recipe.get("description") or "Instruction data for medical vision-language models."
        ),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "version": manifest.version,
        "license": licenses(manifest) or ["unstated"],
        "creator": {"@type": "Organization", "name": "medcurate"},
        "citeAs": " ".join(citations) or f"{manifest.name} {manifest.version}",
        **({"url": homepages[0]} if homepages else {}),
        "distribution": files,
        "recordSet": [_record_set(file.path) for file in shards if file.path.endswith(".parquet")],
    }


def _record_set(path: str) -> dict[str, Any]:
    name = Path(path).stem
    return {
        "@type": "cr:RecordSet", "@id": name, "name": name, "key": {"@id": f"{name}/id"},
        "field": [_field(name, path, column) for column in COLUMNS],
    }  # fmt: skip


def _field(record: str, path: str, column: str) -> dict[str, Any]:
    kind = "sc:Integer" if column == "answer_index" else "sc:Text"
    source = {"fileObject": {"@id": path}, "extract": {"column": column}}
    return {
        "@type": "cr:Field", "@id": f"{record}/{column}", "name": f"{record}/{column}", "dataType": kind,
        "source": source,
    }  # fmt: skip
