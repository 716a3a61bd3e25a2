"""Published volumes: the voxels as they were, no free text, masks on the image's grid."""

import gzip
import io
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from quality.carriers import nifti_carried
from readers.pixels.volume import volume_ref
from readers.pixels.volume_file import load_volume
from readers.volume_bytes import volume_bytes
from schemas.case import VolumeRef

VOXELS = np.arange(480, dtype=np.int16).reshape(12, 10, 4)
AFFINE = np.diag([-2.0, 3.0, 5.0, 1.0])


def published(source, path):
    return volume_bytes(source, volume_ref(load_volume(source, path)))


def opened(data: bytes) -> nib.Nifti1Image:
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return nib.Nifti1Image.from_stream(io.BytesIO(data))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_without_texts_is_published_to_the_byte(make_nifti, source, tmp_path, name):
    image = nib.Nifti1Image(VOXELS, AFFINE)
    data = image.to_bytes()
    (tmp_path / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith("gz") else data)
    assert published(source, name).data == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_and_extensions_are_cut_and_everything_else_stays(source, tmp_path, name, order):
    image = nib.Nifti1Image(VOXELS.astype(f"{order}i2"), AFFINE, nib.Nifti1Header(endianness=order))
    image.header.set_slope_inter(0.5, -100)
    image.header["descrip"], image.header["aux_file"], image.header["db_name"] = b"Jane Doe", b"doe.txt", b"1234"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"seen by Dr. Roe"))
    image.to_filename(tmp_path / name)
    made = published(source, name)
    assert nifti_carried((tmp_path / name).read_bytes()) != "" == nifti_carried(made.data)
    back = opened(made.data)
    assert (np.asarray(back.dataobj.get_unscaled()) == VOXELS).all()
    assert (back.dataobj.slope, back.dataobj.inter) == (0.5, -100)
    assert (back.affine == AFFINE).all() and back.header.endianness == order and not back.header.extensions
    assert made.source_sha256 == (load_volume(source, name).sha256,)
    assert published(source, name) == made


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("where", ["behind", "between", "member", "time"])
def test_what_lies_around_the_voxels_goes(source, tmp_path, packed, where):
    image = nib.Nifti1Image(VOXELS, AFFINE)
    data = image.to_bytes()
    if where == "between":
        header = image.header.copy()
        header["vox_offset"], header["magic"] = 384, b"n+1"
        data = header.binaryblock + bytes(4) + b"Jane Doe".ljust(32, b"\0") + data[352:]
    whole = data + b"Jane Doe" if where == "behind" else data
    written = gzip.compress(whole, mtime=1331251200 if where == "time" else 0) if packed else whole
    written += gzip.compress(b"Jane Doe", mtime=0) if where == "member" and packed else b""
    written += b"Jane Doe" if where == "member" and not packed else b""
    (tmp_path / "a.nii").write_bytes(written)
    made = published(source, "a.nii")
    assert nifti_carried(made.data) == ""
    assert b"Jane" not in (gzip.decompress(made.data) if packed else made.data)
    if packed:
        assert made.data[4:8] == bytes(4)
    back = opened(made.data)
    assert (np.asarray(back.dataobj) == VOXELS).all() and (back.affine == AFFINE).all()


def test_other_formats_come_as_nifti(source, tmp_path):
    image = sitk.GetImageFromArray(VOXELS.T)
    image.SetSpacing((2.0, 3.0, 5.0))
    sitk.WriteImage(image, str(tmp_path / "a.mhd"))
    nib.Nifti2Image(VOXELS, AFFINE).to_filename(tmp_path / "b.nii")
    nib.Nifti1Pair(VOXELS, AFFINE).to_filename(tmp_path / "c.hdr")
    for name, letters in (("a.mhd", "LPS"), ("b.nii", "LAS"), ("c.hdr", "LAS")):
        made = published(source, name).data
        back = opened(made)
        assert (np.asarray(back.dataobj) == VOXELS).all() and back.get_data_dtype() == np.int16
        assert "".join(nib.aff2axcodes(back.affine)) == letters and nifti_carried(made) == ""
        assert np.allclose(back.affine, load_volume(source, name).affine)


def test_a_mask_lies_on_the_grid_of_its_image(make_nifti, source):
    label = np.zeros((12, 10, 4), np.uint8)
    label[2:5, 1:3, 1], label[7, 7, 3] = 3, 5
    make_nifti("image.nii.gz", VOXELS, AFFINE)
    # The label is stored from right to left, the image from left to right.
    turned = np.diag([2.0, 3.0, 5.0, 1.0])
    turned[0, 3] = -22.0
    make_nifti("label.nii.gz", label[::-1], turned)
    image = volume_ref(load_volume(source, "image.nii.gz"))
    ref = replace(image, files=("label.nii.gz",), mask=True, mask_of=(3,), grid="image.nii.gz")
    made = volume_bytes(source, ref)
    back = opened(made.data)
    assert (np.asarray(back.dataobj) == (label == 3)).all() and back.get_data_dtype() == np.uint8
    assert (back.affine == AFFINE).all() and nifti_carried(made.data) == ""
    both = opened(volume_bytes(source, replace(ref, mask_of=(3, 5))).data)
    assert np.asarray(both.dataobj).sum() == 7


def test_a_binary_mask_may_be_stored_as_255(make_nifti, source):
    make_nifti("image.nii", VOXELS, AFFINE)
    make_nifti("liver.nii", (VOXELS > 100).astype(np.uint8) * 255, AFFINE)
    image = volume_ref(load_volume(source, "image.nii"))
    made = volume_bytes(source, replace(image, files=("liver.nii",), mask=True, grid="image.nii"))
    assert (np.asarray(opened(made.data).dataobj) == (VOXELS > 100)).all()


def test_real_volumes_are_rid_of_the_names_of_their_tools(shared_data):
    from readers.source import Source

    source = Source.open(str(shared_data / "seg3d_hippocampus_msd"))
    path = "imagesTr/hippocampus_001.nii.gz"
    assert nifti_carried(source.read_bytes(path)) == "privacy_nifti_text"
    made = published(source, path)
    assert nifti_carried(made.data) == ""
    before = nib.load(shared_data / "seg3d_hippocampus_msd" / path)
    after = opened(made.data)
    assert (np.asarray(before.dataobj) == np.asarray(after.dataobj)).all() and (before.affine == after.affine).all()
    assert isinstance(volume_ref(load_volume(source, path)), VolumeRef)
