"""Fixtures of real cases for ``medcurate check-converter``, as they may be kept beside code."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from converters.contract import save_cases
from flows.rows import Identities
from schemas.case import Case, ImageRef, VolumeRef


def record(folder: Path, spec: Path, identities: Identities, cases: Sequence[Case]) -> None:
    """Write ``cases.json`` and ``spec.yaml`` into ``folder``.

    What the source says of persons stays out, groups are hashed as a release hashes them, and where ids could lead to
    a person, so are keys, and files are only numbered.
    """
    save_cases(folder / "cases.json", [_shareable(case, identities) for case in cases])
    (folder / "spec.yaml").write_text(spec.read_text("utf-8"), "utf-8")


def _shareable(case: Case, identities: Identities) -> Case:
    group = None if case.group is None else identities.group_id(case)
    shared = replace(case, group=group, identifiers=(), series=())
    return _hidden(shared, identities) if identities.spec.group.ids == "identifier" else shared


def _hidden(case: Case, identities: Identities) -> Case:
    names: dict[str, str] = {}
    return replace(
        case,
        key=identities.case_id(case.key),
        alias=identities.alias(case.key),
        images=tuple(_image(image, names) for image in case.images),
        volumes=tuple(_volume(volume, names) for volume in case.volumes),
        volume_regions=tuple(replace(region, files=_numbered(region.files, names)) for region in case.volume_regions),
    )


def _image(image: ImageRef, names: dict[str, str]) -> ImageRef:
    tiles = tuple(replace(tile, image=_image(tile.image, names)) for tile in image.tiles)
    return replace(image, files=_numbered(image.files, names), tiles=tiles)


def _volume(volume: VolumeRef, names: dict[str, str]) -> VolumeRef:
    grid = _numbered((volume.grid,), names)[0] if volume.grid else ""
    return replace(volume, files=_numbered(volume.files, names), grid=grid)


def _numbered(files: tuple[str, ...], names: dict[str, str]) -> tuple[str, ...]:
    """``file1.dcm`` for each file: the same for the same one within a case."""
    for file in files:
        names.setdefault(file, f"file{len(names) + 1}{''.join(PurePosixPath(file).suffixes[-2:])}")
    return tuple(names[file] for file in files)
