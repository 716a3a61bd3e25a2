"""A made-up head with nose, eyes and chin: its face is found by its outline, and cut off without touching the brain."""

import gzip
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from flows.faces import defaced, face_polygon, treat_faces
from flows.steps import render_pictures, run_steps
from quality.row_gates import open_gates
from readers.base import open_reader
from readers.face import Face, find_face
from readers.source import Source
from schemas.case import Case
from schemas.context import Context
from schemas.errors import UserError
from schemas.instruction import Instruction, Message, Provenance
from schemas.spec import DatasetSpec, GroupRule, ReaderChoice
from schemas.work import Work

MM = 3.0
SHAPE = (70, 84, 90)
AIR, SKIN, BRAIN, EYE = -1000, 40, 35, 60


def head(ct: bool = True) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Voxels (RAS+, 3 mm), affine, and the masks of its parts.

    The vertex lies at z = 250 mm, the occiput at y = 30 and the forehead at 220, so it is 190 mm long, and 150 wide;
    the eyes lie 115 mm below the vertex, the tip of the nose 25 mm before the forehead.
    """
    x, y, z = (np.arange(size).reshape([-1 if n == axis else 1 for n in range(3)]) * MM
               for axis, size in enumerate(SHAPE))  # fmt: skip

    def ball(at: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
        return np.asarray(sum(((c - a) / r) ** 2 for c, a, r in zip((x, y, z), at, radii, strict=True)) <= 1)

    skull = ball((105, 125, 165), (75, 95, 85))
    jaw = ball((105, 160, 75), (50, 55, 60))
    neck = ball((105, 105, 40), (50, 50, 120))
    nose = ball((105, 225, 115), (12, 20, 16))
    eyes = ball((73, 205, 135), (12, 12, 12)) | ball((137, 205, 135), (12, 12, 12))
    brain = ball((105, 122, 180), (62, 80, 62)) & (z >= 140)
    lips = ball((105, 212, 75), (22, 8, 8))
    values = np.full(SHAPE, AIR, np.int16)
    for mask, value in ((skull | jaw | neck | nose | lips, SKIN), (eyes, EYE), (brain, BRAIN)):
        values[mask] = value
    rng = np.random.default_rng(1)
    shown = (
        values + rng.integers(-10, 11, SHAPE) if ct else np.where(values > AIR, values * 10, rng.integers(0, 20, SHAPE))
    )
    affine = np.diag([MM, MM, MM, 1.0])
    affine[:3, 3] = -105, -125, -165
    return shown.astype(np.int16), affine, {"nose": nose, "eyes": eyes, "lips": lips, "brain": brain}


def upright(behind: float, top: float) -> Face:
    """What lies in front of ``y = behind`` and below ``z = top``."""
    return Face((0, 1, 0, -behind), (0, 0, -1, top))


def inside(face: Face, affine: np.ndarray) -> np.ndarray:
    places = np.einsum("ab,bijk->aijk", affine[:3, :3], np.indices(SHAPE)) + affine[:3, 3][:, None, None, None]
    return np.asarray(face.holds(*places))


@pytest.mark.parametrize("ct", [True, False])
@pytest.mark.parametrize("letters", ["RAS", "LPS", "SRA"])
def test_the_face_is_found_in_any_voxel_order_and_the_brain_is_spared(ct: bool, letters: str) -> None:
    voxels, affine, parts = head(ct)
    turned = nib.Nifti1Image(voxels, affine).as_reoriented(
        nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(letters))
    )
    face = find_face(np.asarray(turned.dataobj), turned.affine, ct)
    assert face is not None
    # By hand: L is 190 mm and the vertex at z = 250 - 165 = 85, so the brow is at 85 - 95 = -10, within two grid steps;
    # the nose ends at y = 245 - 125 = 120, so the cut is at 120 - 57 = 63.
    assert face.below == pytest.approx((0, 0, -1, -10), abs=9) and face.below[:3] == pytest.approx((0, 0, -1))
    assert face.front == pytest.approx((0, 1, 0, -63), abs=6) and face.front[:3] == pytest.approx((0, 1, 0))
    gone = inside(face, affine)
    assert gone[parts["nose"]].all() and gone[parts["lips"]].all()
    assert gone[parts["eyes"]].mean() > 0.9
    assert gone[parts["brain"]].mean() < 0.005


@pytest.mark.parametrize(("pitch", "yaw"), [(20, 0), (-25, 0), (0, 15), (20, 15)])
def test_of_a_tilted_head_the_same_is_cut_off(pitch: float, yaw: float) -> None:
    voxels, affine, _ = head()
    a, b = np.radians(pitch), np.radians(yaw)
    nod = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    shake = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    tilted = affine.copy()
    tilted[:3] = (shake @ nod) @ affine[:3]
    face, straight = find_face(voxels, tilted, True), find_face(voxels, affine, True)
    assert face is not None and straight is not None
    wanted = inside(straight, affine)
    assert wanted.any()
    # But for the one layer of voxels whose centres lie on a plane.
    assert (inside(face, tilted) != wanted).mean() < 0.003
    made = nib.Nifti1Image.from_bytes(defaced(nib.Nifti1Image(voxels, tilted).to_bytes(), face))
    assert ((np.asarray(made.dataobj) != voxels) & ~wanted).mean() < 0.003


def test_no_head_and_no_face_in_the_volume() -> None:
    voxels, affine, _ = head()
    upper = affine.copy()
    upper[2, 3] += 45 * MM
    # Only what lies above z = 135 mm: the eyes are cut through, nose and mouth are not there.
    assert find_face(voxels[:, :, 45:], upper, True) is None
    assert find_face(np.full(SHAPE, AIR, np.int16), affine, True) is None
    chest = np.full((120, 90, 60), SKIN, np.int16)
    chest[:3], chest[-3:], chest[:, :3], chest[:, -3:] = AIR, AIR, AIR, AIR
    assert find_face(chest, affine, True) is None


def test_published_volumes_lose_the_face_and_nothing_else() -> None:
    voxels, affine, _ = head()
    face = find_face(voxels, affine, True)
    assert face is not None
    data = gzip.compress(nib.Nifti1Image(voxels, affine).to_bytes())
    for given in (data, gzip.decompress(data)):
        made = defaced(given, face)
        assert (made[:2] == b"\x1f\x8b") == (given[:2] == b"\x1f\x8b")
        plain = gzip.decompress(made) if made[:2] == b"\x1f\x8b" else made
        image = nib.Nifti1Image.from_bytes(plain)
        new, gone = np.asarray(image.dataobj), inside(face, affine)
        assert (new[gone] == voxels.min()).all()
        assert (new[~gone] == voxels[~gone]).all()
        assert plain[:352] == gzip.decompress(data)[:352]
        assert defaced(given, face) == made


def spec(root: Path, reader: str, anatomy: str = "head", **options: Any) -> DatasetSpec:
    return DatasetSpec(
        name="heads", title="Heads", license="CC0-1.0", access="open", root=str(root), modality="CT", anatomy=anatomy,
        clinical_task="diagnosis", reader=ReaderChoice(type=reader, options=options), group=GroupRule(by="case"),
    )  # fmt: skip


def treated(own: DatasetSpec, **options: Any) -> Work:
    source = Source.open(own.root)
    reader = open_reader(own, source=source)
    [item] = reader.items()
    case: Case = reader.read(item)  # type: ignore[arg-type]
    rows = [
        Instruction(id=f"{n:032}", task="open", provenance=Provenance("t"), images=(ref,), volumes=case.volumes,
                    messages=(Message("user", "<image>\nWhat?"), Message("assistant", "it")))
        for n, ref in enumerate(case.images)
    ]  # fmt: skip
    gates = open_gates({"faces": options})
    steps = [render_pictures(source, True, False), treat_faces(gates, source, Context(own))]
    [done] = run_steps(iter([Work(case.key, case, rows=rows)]), steps)
    return done


@pytest.fixture(scope="module")
def nifti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    voxels, affine, _ = head()
    folder = tmp_path_factory.mktemp("nifti")
    (folder / "a").mkdir()
    nib.save(nib.Nifti1Image(voxels, affine), folder / "a/ct.nii.gz")
    return folder


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same head as axial CT slices: rows run to the patient's left, columns to posterior."""
    voxels, affine, _ = head()
    folder = tmp_path_factory.mktemp("series")
    for k in range(SHAPE[2]):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"1.2.{k + 1}"
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID = CTImageStorage, f"1.2.{k + 1}", "1.3"
        data.Modality, data.BodyPartExamined, data.InstanceNumber = "CT", "HEAD", k + 1
        plane = voxels[::-1, ::-1, k].T
        data.Rows, data.Columns = plane.shape
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.RescaleSlope, data.RescaleIntercept, data.WindowCenter, data.WindowWidth = 1, 0, 40, 400
        data.PixelSpacing, data.ImageOrientationPatient = [MM, MM], [1, 0, 0, 0, 1, 0]
        right = affine[0, 3] + (SHAPE[0] - 1) * MM
        anterior = affine[1, 3] + (SHAPE[1] - 1) * MM
        data.ImagePositionPatient = [-right, -anterior, affine[2, 3] + k * MM]
        data.PixelData = np.ascontiguousarray(plane).tobytes()
        data.save_as(folder / f"{k}.dcm", enforce_file_format=True)
    return folder


def shown(work: Work, number: int) -> np.ndarray:
    picture = work.pictures[work.rows[number].images[0]]
    return np.asarray(Image.open(io.BytesIO(picture.data)))


def test_slices_and_volume_of_a_nifti(nifti: Path, tmp_path: Path) -> None:
    own = spec(nifti, "volumes", image="{case}/ct.nii.gz", keep_unlabelled=True, planes=["sagittal", "axial"],
               slices={"policy": "evenly", "count": 3})  # fmt: skip
    flagged = treated(own, action="flag")
    assert {row.flags for row in flagged.rows} == {("privacy_face",)}
    refused = treated(own, action="refuse")
    assert (refused.rows, {drop.reason for _, drop in refused.refused}) == ([], {"privacy_face"})
    done = treated(own, action="deface")
    assert {row.flags for row in done.rows} == {("privacy_face_removed",)}
    # The middle sagittal slice: the nose, 25 mm before the forehead and 135 mm below the vertex, is black now.
    before, after = shown(flagged, 1), shown(done, 1)
    changed = before != after
    assert changed.any() and (after[changed] == 0).all()
    Image.fromarray(np.hstack([before, after])).save(tmp_path / "sagittal.png")
    for volume in done.volumes:
        assert done.volumes[volume].data != flagged.volumes[volume].data
    assert treated(own.model_copy(update={"anatomy": "abdomen"}), action="refuse").refused == []


def test_slices_of_a_series(series: Path) -> None:
    own = spec(series, "dicom_series", slices={"policy": "evenly", "count": 3})
    flagged, done = treated(own, action="flag"), treated(own, action="deface")
    assert {row.flags for row in flagged.rows} == {("privacy_face",)}
    # Three of ninety slices, at z = 45, 135 and 225 mm: jaw, eyes (the brow is at 155) and crown.
    low, eyes, crown = ((shown(flagged, n), shown(done, n)) for n in range(3))
    for before, after in (low, eyes):
        rows = np.flatnonzero((before != after).any(axis=1))
        # The top of an axial picture is anterior: from the front to the cut at y = 63 + 125 = 188 mm of 252.
        assert rows.size and abs(rows[-1] - (252 - 188) / MM) <= 3
        assert (after[: rows[-1]] == 0).all() and (after[rows[-1] + 1 :] == before[rows[-1] + 1 :]).all()
    assert (crown[0] == crown[1]).all()


def test_a_polygon_by_hand(nifti: Path) -> None:
    own = spec(nifti, "volumes", image="{case}/ct.nii.gz", keep_unlabelled=True)
    ref = treated(own, action="flag").rows[0].images[0]
    view = replace(ref.view, width=10, height=10)
    # x to the left, y downwards: anterior is 10 - y, superior is 4 everywhere.
    edge = face_polygon(replace(ref, view=view), lambda x, y: (x, 10 - y, 4), upright(7, 5))
    assert edge == [(0.0, 0.0), (10.0, 0.0), (10.0, 3.0), (0.0, 3.0)]
    assert face_polygon(replace(ref, view=view), lambda x, y: (x, 10 - y, 6), upright(7, 5)) == []


def test_faces_are_accepted_only_with_a_reason() -> None:
    with pytest.raises(UserError, match="written reason"):
        open_gates({"faces": {"action": "accept"}})
    assert any(
        one.name == "faces" for one in open_gates({"faces": {"action": "accept", "reason": "they are phantoms"}})
    )
    assert not any(one.name == "faces" for one in open_gates({}))
