"""Which code made a release: the installed version and a digest of the code itself."""

from functools import cache
from importlib.metadata import version
from pathlib import Path

from schemas.identity import digest

PACKAGES = ("schemas", "readers", "converters", "synthesis", "quality", "storage", "flows")


@cache
def code_version() -> str:
    """``<version>+<digest of every code and data file of the packages>``; a changed line changes it."""
    root = Path(__file__).resolve().parent.parent
    parts: list[str] = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in {".py", ".yaml", ".txt", ".html", ".json"} and "__pycache__" not in path.parts:
                parts += [path.relative_to(root).as_posix(), digest(path.read_bytes().decode("utf-8", "replace"))]
    return f"{version('medcurate')}+{digest(*parts)[:12]}"
