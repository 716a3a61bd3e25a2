"""Published layouts, made small: read by a short spec, and by the draft that `inspect` makes of them."""

import textwrap
from pathlib import Path

import pytest

from readers.inspect import draft_spec
from schemas.spec import load_spec

HEAD = """\
name: t
title: T
license: LicenseRef-test
access: restricted
root: {root}
modality: X-ray
anatomy: chest
clinical_task: test
"""
SHORT = 25
"""Lines that the whole spec of a common layout may take."""


@pytest.fixture
def read_spec(ingest, tmp_path):
    """Read a root by the lines that a spec of its layout needs beside its title, licence and triplet."""

    def run(root: Path, lines: str):
        text = HEAD.format(root=root) + textwrap.dedent(lines).strip() + "\n"
        assert text.count("\n") <= SHORT
        return _ingest(ingest, tmp_path, text)

    return run


@pytest.fixture
def read_draft(ingest, tmp_path):
    """Read a root by the spec that `inspect` drafts, nothing edited."""

    def run(root: Path, reader: str = ""):
        return _ingest(ingest, tmp_path, draft_spec(root, reader))

    return run


def _ingest(ingest, folder: Path, text: str):
    path = folder / "drafted-spec.yaml"
    path.write_text(text)
    spec = load_spec(path)
    path.unlink()
    fields = spec.model_dump(exclude={"reader", "root"})
    return ingest(spec.root, spec.reader.type, spec.reader.options, **fields)


def words(case) -> dict[str, str]:
    """Canonical label -> polarity."""
    return {label.name: label.polarity for label in case.labels}


def texts(case) -> dict[str, str]:
    """Kind -> content."""
    return {text.kind: text.content for text in case.texts}


def boxes(case) -> list[tuple]:
    """Label, image, box of every region."""
    return [(region.label, region.image_index, region.box) for region in case.regions]
