"""The manifest: written last, and only then does a release exist."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.instruction import SCHEMA_VERSION


class ReleaseFile(BaseModel):
    """One file of a release."""

    model_config = ConfigDict(extra="forbid")

    path: str
    """Relative to the release folder, with forward slashes."""
    sha256: str
    bytes: int
    rows: int = 0
    """Instructions in a shard, lines of a ledger, 0 for other files."""


class Manifest(BaseModel):
    """``manifest.json`` of one release."""

    model_config = ConfigDict(extra="forbid")

    name: str
    version: str
    schema_version: int = SCHEMA_VERSION
    code_version: str
    files: list[ReleaseFile]
    recipe: dict[str, Any]
    specs: list[dict[str, Any]]
    totals: dict[str, dict[str, int]]
    """Ledger totals: ``{"case": {"kept": ..}, "row": {..}}``."""
    gates: list[dict[str, Any]]
    """Verdicts of the release gates: gate, passed, detail, waived_by."""
    license: str = ""
    access: str = ""
    parent: str = ""
    """``name@version`` of the release before this one, or empty."""
    subset: str = ""
    """Where this is a part of a release that was pulled: which part, e.g. ``split = test``; else empty."""
