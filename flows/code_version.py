"""Which code made a release: the installed version and a digest of the code itself."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from schemas import plugins
from schemas.identity import digest

PACKAGES = ("schemas", "readers", "converters", "synthesis", "quality", "storage", "flows")


@cache
def code_version() -> str:
    """``<version>+<digest of every code and data file of the packages>``; a changed line changes it.

    Behind it stands the same of every other package that has registered a part (``+my_package.<digest>``): what an
    earlier try made with a converter that has been mended since must be made again.
    """
    root = Path(__file__).resolve().parent.parent
    own = f"{version('medcurate')}+{_digest_of([root / package for package in PACKAGES])}"
    return "+".join([own, *(f"{name}.{_digest_of(places)}" for name, places in _packages_of_others())])


def _packages_of_others() -> Iterator[tuple[str, list[Path]]]:
    """Name and place of each top-level package that holds a registered part and is none of ours."""
    for name in sorted(plugins.modules() - set(PACKAGES)):
        found = find_spec(name)
        if found is not None and found.submodule_search_locations:
            yield name, [Path(place) for place in found.submodule_search_locations]
        elif found is not None and found.origin:
            yield name, [Path(found.origin)]


def _digest_of(places: list[Path]) -> str:
    parts: list[str] = []
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in {".py", ".yaml", ".txt", ".html", ".json"} and "__pycache__" not in path.parts:
                parts += [
                    path.relative_to(place.parent).as_posix(),
                    digest(path.read_bytes().decode("utf-8", "replace")),
                ]
    return digest(*parts)[:12]
