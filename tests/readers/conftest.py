"""Small datasets for the readers' tests."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from readers.source import Source
from schemas.spec import DatasetSpec


def encoded(width: int = 8, height: int = 6, seed: int = 0, kind: str = "PNG", **save: Any) -> bytes:
    """An encoded RGB picture of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **save)
    return out.getvalue()


@pytest.fixture
def picture_bytes():
    """`encoded`."""
    return encoded


@pytest.fixture
def put(tmp_path):
    """Write files below ``tmp_path``: text, bytes, arrays as PNG, or None for a small random picture."""

    def write_files(files: dict[str, Any]) -> Path:
        for number, (name, content) in enumerate(files.items()):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                content = encoded(seed=number, kind="JPEG" if name.endswith("jpg") else "PNG")
            if isinstance(content, np.ndarray):
                Image.fromarray(content).save(path)
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return write_files


@pytest.fixture
def spec_of():
    """A spec with the needful filled in; ``reader`` is the type, ``options`` its options."""

    def make(root: Path | str, reader: str, options: dict[str, Any] | None = None, **fields: Any) -> DatasetSpec:
        facts = {
            "name": "t", "title": "T", "license": "CC0-1.0", "access": "open", "root": str(root), "modality": "CT",
            "anatomy": "abdomen", "clinical_task": "test", "reader": {"type": reader, "options": options or {}},
        }  # fmt: skip
        return DatasetSpec.model_validate({**facts, **fields})

    return make


@pytest.fixture
def ingest(spec_of):
    """List and read a dataset: ``(cases by key, (code, status) by key of what failed)``."""
    from readers.base import Item, open_reader
    from schemas.errors import CaseError

    def run(root: Path | str, reader: str, options: dict[str, Any] | None = None, **fields: Any):
        cases, refused = {}, {}
        made = open_reader(spec_of(root, reader, options, **fields))
        for item in made.items():
            if not isinstance(item, Item):
                assert item.key not in refused, item.key
                refused[item.key] = (item.code, item.status)
                continue
            try:
                assert item.key not in cases, item.key
                cases[item.key] = made.read(item)
            except CaseError as error:
                refused[item.key] = (error.code, error.status)
        return cases, refused

    return run


@pytest.fixture
def nasty(shared_data) -> Source:
    """The folder of hostile files."""
    return Source.open(str(shared_data / "nasty"))
