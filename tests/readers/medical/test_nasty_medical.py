"""What EXPECTED.csv wants of hostile medical files beyond a finding: the pixels that are shown, and the gates' word."""

import io

import nibabel as nib
import numpy as np
import polars as pl
import pytest
from PIL import Image

from quality.burned_in import BurnedIn, BurnedInOptions
from quality.leaks import leaks
from readers.base import Item, open_reader
from readers.images import image_refs
from readers.pixels.dicom_file import open_dicom
from readers.pixels.render import render
from readers.pixels.volume_file import load_volume
from readers.source import Source


@pytest.fixture
def nasty(shared_data) -> Source:
    return Source.open(str(shared_data / "nasty"))


def pictures(source, path):
    refs, _ = image_refs(source, path)
    return refs, [np.asarray(Image.open(io.BytesIO(render(source, ref).data))) for ref in refs]


def stored_at(voxels, view):
    """The stored values under the centres of the view's pixels."""
    shown = np.zeros((view.height, view.width, *voxels.shape[3:]), voxels.dtype)
    plane = np.take(voxels, view.index, view.axis)
    for y in range(view.height):
        for x in range(view.width):
            u, v = view.to_source(x + 0.5, y + 0.5)
            shown[y, x] = plane[int(u), int(v)]
    return shown


@pytest.mark.parametrize(
    "name",
    [
        "not_gzip.nii.gz", "4d_singleton.nii.gz", "flipped_LAS.nii.gz", "slope_inter.nii.gz",
        "4d_three_modalities.nii.gz",
    ],
)  # fmt: skip
def test_nasty_volumes_show_the_same_anatomy(nasty, name):
    # All were made from one volume; of several channels the first is shown.
    refs, plain = pictures(nasty, "nifti/int64.nii.gz")
    assert len(refs) == 3 and all(np.unique(one).size > 50 for one in plain)
    _, other = pictures(nasty, f"nifti/{name}")
    assert [one.tolist() for one in other] == [one.tolist() for one in plain]


def test_nasty_4d_three_modalities_are_channels_that_can_each_be_taken(nasty):
    volume = load_volume(nasty, "nifti/4d_three_modalities.nii.gz")
    stored = np.asarray(nib.load(f"{nasty.root}/nifti/4d_three_modalities.nii.gz").dataobj)
    assert volume.channels == 3
    assert all((volume.voxels[..., channel] == stored[..., channel]).all() for channel in range(3))


def test_nasty_int64_values_are_windowed_as_they_are(nasty):
    refs, shown = pictures(nasty, "nifti/int64.nii.gz")
    stored = np.asarray(nib.load(f"{nasty.root}/nifti/int64.nii.gz").dataobj)
    for ref, picture in zip(refs, shown, strict=True):
        low = ref.view.window_center - ref.view.window_width / 2
        wanted = np.clip((stored_at(stored, ref.view) - low) / ref.view.window_width * 255, 0, 255)
        assert np.abs(picture - wanted).max() <= 0.51


def test_nasty_no_orientation_claims_no_sides(nasty):
    refs, shown = pictures(nasty, "nifti/no_orientation.nii.gz")
    stored = np.asarray(nib.load(f"{nasty.root}/nifti/no_orientation.nii.gz").dataobj)
    assert [ref.view.orientation for ref in refs] == [""] * 3
    for ref, picture in zip(refs, shown, strict=True):
        order = np.argsort(stored_at(stored, ref.view), axis=None)
        assert (np.diff(picture.ravel()[order].astype(int)) >= 0).all()


def test_nasty_rgb24_keeps_its_colours(nasty):
    refs, shown = pictures(nasty, "nifti/rgb24.nii.gz")
    stored = np.asarray(nib.load(f"{nasty.root}/nifti/rgb24.nii.gz").dataobj)
    colours = np.stack([stored[name] for name in "RGB"], axis=-1)
    assert all((stored_at(colours, ref.view) == picture).all() for ref, picture in zip(refs, shown, strict=True))


def test_nasty_nan_inf_is_cleaned(nasty):
    refs, shown = pictures(nasty, "nifti/nan_inf.nii.gz")
    stored = nib.load(f"{nasty.root}/nifti/nan_inf.nii.gz").get_fdata()
    holes = 0
    for ref, picture in zip(refs, shown, strict=True):
        bad = ~np.isfinite(stored_at(stored, ref.view))
        holes += int(bad.sum())
        assert np.isfinite([ref.view.window_center, ref.view.window_width]).all()
        assert (picture[bad] == 0).all() and np.unique(picture[~bad]).size > 50
    assert holes > 0


@pytest.mark.parametrize(
    "path", ["phi/jpeg_burned_in.jpg", "dicom/burned_in_yes.dcm", "dicom/burned_in_lies_no.dcm"]
)  # fmt: skip
def test_nasty_burned_in_words_are_found_in_the_pixels(nasty, path):
    pytest.importorskip("rapidocr")
    gate = BurnedIn(BurnedInOptions(where="suspects"))
    (ref,), _ = image_refs(nasty, path)
    assert gate.wants(ref)
    said = gate.judged(gate.lines(render(nasty, ref)), ref, "picture 0")
    assert [finding.code for finding in said] == ["burned_in_text"]


def test_nasty_phi_full_header_is_handed_to_the_gates_and_leaves_no_trace(nasty, make_spec):
    reader = open_reader(make_spec("dicom_series", {"include": "phi_full_header.dcm"}, root=f"{nasty.root}/dicom"))
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    case = reader.read(item)
    header = open_dicom(nasty, "dicom/phi_full_header.dcm").header
    family = str(header.PatientName).split("^")[0]
    assert ("person", family) in case.identifiers
    assert ("record_number", str(header.PatientID)) in case.identifiers
    done = render(Source.open(f"{nasty.root}/dicom"), case.images[0])
    assert [finding.code for finding in done.findings] == ["metadata_removed"]
    assert family.encode() not in done.data


def test_nasty_patient_leak_refuses_the_release(nasty, make_spec):
    options = {"table": ["patient_leak.csv"], "image_dir": ["images"], "image": ["image"], "split": "split"}
    spec = make_spec("table", options, root=f"{nasty.root}/tables", group={"by": "field", "field": "patient"})
    reader = open_reader(spec)
    cases = [reader.read(item) for item in reader.items()]
    kept = pl.DataFrame({
        "dataset": [case.dataset for case in cases], "group_id": [case.group for case in cases],
        "split": [case.split for case in cases], "pictures": [[case.key] for case in cases],
        "origins": [[case.key] for case in cases],
    })  # fmt: skip
    (found,) = leaks(kept)
    assert (found.gate, str(found.severity)) == ("split_leak", "refuse_release")
    assert found.detail == "made: 1 of 1 groups in test are in train too"
