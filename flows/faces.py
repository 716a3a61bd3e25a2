"""The step that finds faces in volumes of the head, and flags, refuses or cuts them off."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from flows.steps import Step, unexpected
from quality.faces import Faces
from readers.face import Face, Plane, face_of, find_face
from readers.pixels.dicom_file import open_dicom
from readers.pixels.dicom_frames import stored_frame
from readers.pixels.dicom_luts import modality_values
from readers.pixels.dicom_view import pixel_spacing, plane_geometry
from readers.pixels.render import render
from readers.pixels.sniff import VOLUMES
from readers.pixels.volume_file import load_volume
from readers.source import Source
from schemas.case import Case, ImageRef, Mark, VolumeRef
from schemas.context import Context
from schemas.errors import CaseError
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.rendered import Carried
from schemas.taxonomy import canonical, within
from schemas.work import Drop, Work

FOUND = "privacy_face"
REMOVED = "privacy_face_removed"
UNKNOWN = "privacy_face_unknown"
LEAST_SLICES = 8
"""A series of fewer images shows no face in depth.  Ours."""

Point = tuple[float, float]
Ras = Callable[[float, float], tuple[float, float, float]]


def treat_faces(gates: Sequence[Any], source: Source, context: Context) -> Step:
    """Look for faces in the volumes and series that rows show, where the gate ``faces`` is on."""
    wanted = [one for one in gates if isinstance(one, Faces) and one.options.action != "accept"]

    def step(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            if wanted and work.case is not None and work.dropped is None and _may_be_head(work.case, context):
                _guarded(work, _Faces(work, source, wanted[0].options.action, _modality(work.case, context)))
            yield work

    return step


def _guarded(work: Work, faces: "_Faces") -> None:
    try:
        faces.treat()
    except CaseError as error:
        work.drop(Status(error.status), "gate", error.code, error.detail)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong must not let a face through
        work.drop(Status.FAILED, "gate", "unexpected_error", unexpected(work.case_id, error))


def _may_be_head(case: Case, context: Context) -> bool:
    if _modality(case, context) not in ("CT", "MRI", "PET", "PET-CT", "mixed", ""):
        return False
    known = canonical("anatomy", case.acquisition.anatomy or context.spec.anatomy)
    return known is None or known in ("mixed", "whole body") or within("anatomy", known, "head and neck")


def _modality(case: Case, context: Context) -> str:
    stated = case.acquisition.modality or context.spec.modality
    return stated if stated == "mixed" else canonical("modality", stated) or ""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is known of one source: its face, or that nobody can tell."""

    face: Face | None
    unknown: bool = False


class _Faces:
    def __init__(self, work: Work, source: Source, action: str, modality: str) -> None:
        assert work.case is not None
        self._is_ct = modality == "CT"
        self._work, self._case, self._source, self._action = work, work.case, source, action
        self._found: dict[str, _Looked] = {}

    def treat(self) -> None:
        for ref in list(self._work.pictures):
            looked = self._looked(ref.files[0], ref.media_type)
            if self._says(looked, partial(_shows_picture, ref)) and looked.face is not None:
                self._paint(ref, looked.face)
        for volume in list(self._work.volumes):
            looked = self._looked(volume.grid or volume.files[0], volume.media_type)
            if self._says(looked, partial(_shows_volume, volume)) and looked.face is not None:
                self._cut(volume, looked.face)

    def _says(self, looked: _Looked, shows: Callable[[Instruction], bool]) -> bool:
        """Flag or refuse the rows that show it; whether its face is to be cut off."""
        work = self._work
        if looked.face is None and not looked.unknown:
            return False
        code = UNKNOWN if looked.unknown else FOUND
        # What cannot be looked at cannot be cut off either.
        if self._action == "refuse" or (self._action == "deface" and looked.unknown):
            drop = Drop(Status.QUARANTINED, "gate", code, "a face could be rebuilt from its volume")
            for row in [row for row in work.rows if shows(row)]:
                work.refuse(row, drop)
            if not work.rows:
                work.dropped = drop
            return False
        code = REMOVED if self._action == "deface" else code
        work.rows = [_flagged(row, code) if shows(row) else row for row in work.rows]
        return self._action == "deface"

    def _looked(self, file: str, media_type: str) -> _Looked:
        if file not in self._found:
            self._found[file] = self._look(file, media_type)
        return self._found[file]

    def _look(self, file: str, media_type: str) -> _Looked:
        if media_type in VOLUMES:
            volume = load_volume(self._source, file)
            if min(volume.shape) < LEAST_SLICES:
                return _Looked(None)
            is_ct = self._is_ct or float(volume.channel(0).min()) * volume.slope + volume.intercept < -500
            return _Looked(face_of(volume, is_ct)) if volume.oriented else _Looked(None, unknown=True)
        if media_type == "application/dicom" and len(self._case.series) >= LEAST_SLICES:
            return self._series()
        return _Looked(None)

    def _series(self) -> _Looked:
        """The series put together; its images have one size and orientation (`readers.pixels.dicom_stack`)."""
        planes, first = [], None
        for path in self._case.series:
            file = open_dicom(self._source, path)
            place = plane_geometry(file.dataset)
            if place is None:
                return _Looked(None, unknown=True)
            first = first or (place, pixel_spacing(file.dataset))
            planes.append((place[0], modality_values(stored_frame(file), file.dataset).T))
        assert first is not None
        ((x, y, z), along_u, along_v), (wide, high) = first
        if not wide or not high or planes[0][1].ndim != 2:
            return _Looked(None, unknown=True)
        step = (np.array(planes[-1][0]) - np.array(planes[0][0])) / (len(planes) - 1)
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1], affine[:3, 2] = np.array(along_u) * wide, np.array(along_v) * high, step
        affine[:3, 3] = x, y, z
        if abs(float(np.linalg.det(affine))) < 1e-9:
            return _Looked(None, unknown=True)
        affine[:2] *= -1  # LPS to RAS
        return _Looked(find_face(np.stack([plane for _, plane in planes], axis=-1), affine, self._is_ct))

    def _paint(self, ref: ImageRef, face: Face) -> None:
        """Paint over the part of a slice that shows the face."""
        edge = face_polygon(ref, self._to_ras(ref), face)
        if len(edge) < 3:
            return
        mark = Mark("fill", tuple(value for point in edge for value in point), colour=(0, 0, 0))
        notes = self._work.pictures[ref].findings
        made = render(self._source, replace(ref, marks=(*ref.marks, mark)))
        self._work.pictures[ref] = replace(made, findings=notes)
        self._work.rows = [_hit(row, ref, edge) for row in self._work.rows]

    def _to_ras(self, ref: ImageRef) -> Ras:
        """From view pixels to RAS millimetres."""
        view = ref.view
        if ref.media_type in VOLUMES:
            affine = load_volume(self._source, ref.files[0]).affine
            across, down = (axis for axis in range(3) if axis != view.axis)

            def of_volume(x: float, y: float) -> tuple[float, float, float]:
                u, v = view.to_source(x, y)
                index = np.zeros(4)
                index[across], index[down], index[view.axis], index[3] = u - 0.5, v - 0.5, view.index, 1
                right, anterior, superior = (affine @ index)[:3]
                return float(right), float(anterior), float(superior)

            return of_volume
        header = open_dicom(self._source, ref.files[0]).dataset
        place = plane_geometry(header, view.frame)
        assert place is not None
        (origin, along_u, along_v), (wide, high) = place, pixel_spacing(header, view.frame)

        def of_slice(x: float, y: float) -> tuple[float, float, float]:
            u, v = view.to_source(x, y)
            left, posterior, superior = (
                origin[n] + along_u[n] * wide * (u - 0.5) + along_v[n] * high * (v - 0.5) for n in range(3)
            )
            return -left, -posterior, superior

        return of_slice

    def _cut(self, volume: VolumeRef, face: Face) -> None:
        """Set the voxels of the face to the volume's least value, all else byte for byte as it was."""
        carried = self._work.volumes[volume]
        self._work.volumes[volume] = Carried(defaced(carried.data, face), carried.source_sha256)


def defaced(data: bytes, face: Face) -> bytes:
    """A NIfTI-1 file, plain or gzip, whose voxels in the face hold the least value of the file."""
    import imagecodecs
    import nibabel

    packed = data[:2] == b"\x1f\x8b"
    raw = bytearray(imagecodecs.gzip_decode(data) if packed else data)
    image: Any = nibabel.Nifti1Image.from_stream(io.BytesIO(bytes(raw)))
    header = image.header
    shape = tuple(header.get_data_shape())
    stored = np.frombuffer(raw, header.get_data_dtype(), int(np.prod(shape)), image.dataobj.offset)
    voxels = stored.reshape(shape, order="F")
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    place = (row[0] * i + row[1] * j + row[2] * k + row[3] for row in image.affine[:3])
    voxels[face.holds(*place)] = voxels.min()
    return bytes(imagecodecs.gzip_encode(bytes(raw), level=4)) if packed else bytes(raw)


def face_polygon(ref: ImageRef, to_ras: Ras, face: Face) -> list[Point]:
    """The corners, in view pixels, of the part of a slice that lies in the face; empty where none does."""
    width, height = ref.view.width, ref.view.height
    edge: list[Point] = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    for plane in (face.front, face.below):
        edge = _clipped(edge, partial(_before, plane, to_ras))
    return edge


def _before(plane: Plane, to_ras: Ras, point: Point) -> float:
    """Millimetres by which a view pixel lies in front of a plane."""
    return sum(a * b for a, b in zip(plane, (*to_ras(*point), 1.0), strict=True))


def _clipped(edge: list[Point], inside: Callable[[Point], float]) -> list[Point]:
    """A convex polygon cut to where a function, linear on the plane, is positive (Sutherland and Hodgman)."""
    kept: list[Point] = []
    for one, two in zip(edge, edge[1:] + edge[:1], strict=True):
        a, b = inside(one), inside(two)
        if a > 0:
            kept.append(one)
        if (a > 0) != (b > 0):
            part = a / (a - b)
            kept.append((one[0] + part * (two[0] - one[0]), one[1] + part * (two[1] - one[1])))
    return kept


def _shows_picture(ref: ImageRef, row: Instruction) -> bool:
    return ref in row.images


def _shows_volume(volume: VolumeRef, row: Instruction) -> bool:
    return volume in row.volumes


def _flagged(row: Instruction, code: str) -> Instruction:
    return replace(row, flags=tuple(dict.fromkeys((*row.flags, code))))


def _hit(row: Instruction, ref: ImageRef, edge: Sequence[Point]) -> Instruction:
    """The row with a flag where a region of it lies where the face was."""
    x0, x1 = min(x for x, _ in edge) / ref.view.width, max(x for x, _ in edge) / ref.view.width
    y0, y1 = min(y for _, y in edge) / ref.view.height, max(y for _, y in edge) / ref.view.height
    for place in row.regions:
        mine = place.image_index < len(row.images) and row.images[place.image_index] == ref
        if mine and place.box[0] < x1 and x0 < place.box[2] and place.box[1] < y1 and y0 < place.box[3]:
            return _flagged(row, "privacy_face_on_region")
    return row
