"""Real DICOM files: every transfer syntax, kinds of segmentation, multi-frame and hostile ones."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from readers.base import Item, Refusal, open_reader
from readers.pixels.dicom import dicom_refs, render_dicom
from readers.pixels.dicom_file import open_dicom
from readers.pixels.dicom_frames import stored_frame
from readers.source import Source
from schemas.errors import CaseError

LOSSLESS = [
    "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2",
    "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99",
    "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
    "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80",
    "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70",
    "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57",
    "RLELosslessTransferSyntax_1.2.840.10008.1.2.5",
]
LOSSY = [
    "JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91",
    "JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81",
    "JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50",
    "JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51",
]
UNDECODABLE = [
    "JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55",
    "JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53",
]
PLAIN = "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1"


@pytest.fixture
def syntaxes(shared_data) -> Source:
    return Source.open(str(shared_data / "dicom_transfer_syntaxes"))


def shown(source: Source, name: str) -> np.ndarray:
    refs, _ = dicom_refs(source, name)
    with Image.open(io.BytesIO(render_dicom(source, refs[0]).data)) as picture:
        return np.asarray(picture)


def file_of(syntax: str) -> str:
    return f"CTImage.dcm_{syntax}.dcm"


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_syntaxes_give_equal_pixels(syntaxes, syntax):
    stored = stored_frame(open_dicom(syntaxes, file_of(syntax)))
    assert (stored == stored_frame(open_dicom(syntaxes, file_of(PLAIN)))).all()
    assert (shown(syntaxes, file_of(syntax)) == shown(syntaxes, file_of(PLAIN))).all()


@pytest.mark.parametrize("syntax", LOSSY)
def test_lossy_syntaxes_give_near_pixels(syntaxes, syntax):
    off = np.abs(shown(syntaxes, file_of(syntax)).astype(int) - shown(syntaxes, file_of(PLAIN)).astype(int))
    assert np.median(off) <= 3


@pytest.mark.parametrize("syntax", UNDECODABLE)
def test_what_nobody_decodes_is_named(syntaxes, syntax):
    with pytest.raises(CaseError) as caught:
        stored_frame(open_dicom(syntaxes, file_of(syntax)))
    assert caught.value.code == "undecodable_syntax"


def test_plain_frames_are_what_pydicom_makes_of_them(shared_data):
    from readers.pixels.dicom_frames import _plain, _unpacked

    source, seen = Source.open(str(shared_data / "dicom_pydicom")), 0
    for path in source.walk("test_files"):
        try:
            file = open_dicom(source, path)
            stored_frame(file)
        except CaseError:
            continue
        plain = _plain(file, 0)
        if plain is not None:
            theirs = _unpacked(file, 0)
            assert plain.dtype == theirs.dtype and (plain == theirs).all(), path
            seen += 1
    assert seen > 20


def test_other_files_of_that_folder(syntaxes):
    assert shown(syntaxes, "US-YBR_FULL_422-EVRLE.dcm").shape == (555, 800, 3)
    assert shown(syntaxes, "no-pixel-spacing.dcm").shape == (600, 800, 3)
    assert shown(syntaxes, "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm").shape == (512, 512)
    with pytest.raises(CaseError) as caught:
        dicom_refs(syntaxes, "no-pixel-data.dcm")
    assert caught.value.code == "not_an_image"


# Hostile files: what is wanted of each is in EXPECTED.csv.


@pytest.fixture
def nasty(shared_data) -> Source:
    return Source.open(str(shared_data / "nasty" / "dicom"))


def test_nasty_monochrome1_looks_as_its_twin(nasty, shared_data):
    # The twin holds 2145 - s of the other, so that what is bright in one is bright in the other; its window was
    # left as it is, so that the grey values themselves are not the same.
    one = shown(nasty, "monochrome1.dcm").astype(int)
    two = shown(Source.open(str(shared_data / "dicom_pydicom" / "test_files")), "MR_small.dcm").astype(int)
    inside = (one > 0) & (one < 255) & (two > 0) & (two < 255)
    assert inside.any() and np.corrcoef(one[inside], two[inside])[0, 1] > 0.999


@pytest.mark.parametrize("name", ["no_extension_IM000001", "no_preamble.dcm", "phi_full_header.dcm"])
def test_nasty_readable_files(nasty, shared_data, name):
    plain = shown(Source.open(str(shared_data / "dicom_pydicom" / "test_files")), "MR_small.dcm")
    assert (shown(nasty, name) == plain).all()


@pytest.mark.parametrize(
    ("name", "code"), [("truncated_pixels.dcm", "truncated_pixels"), ("png_named_dcm.dcm", "not_dicom")]
)
def test_nasty_refused_files(nasty, name, code):
    with pytest.raises(CaseError) as caught:
        shown(nasty, name)
    assert caught.value.code == code


def test_nasty_burned_in_text_that_the_header_admits_is_flagged(nasty):
    # What a header denies has to be found in the pixels: test_nasty_medical.py holds that.
    assert [finding.code for finding in dicom_refs(nasty, "burned_in_yes.dcm")[1]] == ["burned_in_annotation"]
    assert dicom_refs(nasty, "burned_in_lies_no.dcm")[1] == ()


def test_nasty_header_leaves_nothing_in_the_case(nasty, make_spec):
    from schemas.case import Case

    spec = make_spec("dicom_series", {"include": "phi_full_header.dcm"}, root=nasty.root, access="restricted")
    reader = open_reader(spec)
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    case = reader.read(item)
    dataset = open_dicom(nasty, "phi_full_header.dcm").dataset
    assert isinstance(case, Case)
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "InstitutionName"):
        value = str(dataset.get(keyword, ""))
        assert not value or value not in repr(case)


# Segmentations of every kind, against counts from the stored frames themselves.


@pytest.fixture
def segmented(shared_data, tmp_path, make_spec):
    """A reader over the four slices of pydicom's tiny CT with one segmentation of highdicom beside them."""

    def make(name: str, labels=None):
        slices = shared_data / "dicom_pydicom" / "test_files" / "dicomdirtests" / "77654033" / "CT2"
        for path in slices.iterdir():
            shutil.copy(path, tmp_path / path.name)
        shutil.copy(shared_data / "dicom_highdicom" / name, tmp_path / "seg.dcm")
        dataset = open_dicom(Source.open(str(shared_data / "dicom_highdicom")), name).dataset
        words = [segment.SegmentLabel for segment in dataset.SegmentSequence]
        options = {"labels": "seg", "slices": {"policy": "all"}}
        reader = open_reader(make_spec("dicom_series", options, labels={word: word.lower() for word in words}))
        items = [entry for entry in reader.items() if isinstance(entry, Item)]
        return dataset, next(reader.read(item) for item in items if item.data["marks"])

    return make


@pytest.mark.parametrize(
    "name",
    [
        "seg_image_ct_binary.dcm", "seg_image_ct_binary_overlap.dcm", "seg_image_ct_binary_fractional.dcm",
        "seg_image_ct_true_fractional.dcm",
    ],
)  # fmt: skip
def test_segmentations_hold_what_their_frames_hold(segmented, name):
    import highdicom

    dataset, case = segmented(name)
    stored = dataset.pixel_array
    if dataset.SegmentationType == "FRACTIONAL":
        stored = stored >= dataset.MaximumFractionalValue / 2
    truth: dict[str, int] = {}
    for frame, groups in zip(stored, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        number = str(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        truth[number] = truth.get(number, 0) + int(np.count_nonzero(frame))
    found: dict[str, int] = {}
    for region in case.regions:
        found[region.instance] = found.get(region.instance, 0) + int(region.area)
    assert found == {number: count for number, count in truth.items() if count}
    # highdicom itself lays the frames on the same slices.
    segmentation = highdicom.seg.Segmentation.from_dataset(dataset)
    uids = [uid for _, _, uid in segmentation.get_source_image_uids()]
    on_slices = segmentation.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=True, rescale_fractional=False, assert_missing_frames_are_empty=True
    )
    if dataset.SegmentationType == "FRACTIONAL":
        on_slices = on_slices >= dataset.MaximumFractionalValue / 2
    theirs = sorted(int(np.count_nonzero(plane)) for plane in np.moveaxis(on_slices, -1, 1).reshape(-1, 16, 16))
    assert sorted(int(region.area) for region in case.regions) == [count for count in theirs if count]


@pytest.mark.parametrize("name", ["liver.dcm", "partial_overlaps.dcm"])
def test_segmentations_of_dcmqi_equal_their_nrrd(shared_data, tmp_path, make_spec, name):
    from readers.pixels.volume_file import load_volume

    root = shared_data / "dicom_seg_sr_dcmqi" / "segmentations"
    for path in (root / "ct-3slice").glob("*.dcm"):
        shutil.copy(path, tmp_path / path.name)
    shutil.copy(root / name, tmp_path / "seg.dcm")
    dataset = open_dicom(Source.open(str(root)), name).dataset
    labels = {segment.SegmentLabel: segment.SegmentLabel.lower() for segment in dataset.SegmentSequence}
    reader = open_reader(make_spec("dicom_series", {"labels": "seg", "slices": {"policy": "all"}}, labels=labels))
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    case = reader.read(item)
    source = Source.open(str(root))
    names = ["liver_seg.nrrd"] if name == "liver.dcm" else [f"partial_overlaps-{n}.nrrd" for n in (1, 2, 3)]
    truth = sum(int(np.count_nonzero(load_volume(source, name).voxels)) for name in names)
    assert sum(int(region.area) for region in case.regions) == truth


def test_a_label_map_segmentation(shared_data, tmp_path, make_spec):
    root = shared_data / "dicom_seg_sr_dcmqi" / "segmentations"
    for path in (root / "24x38x3" / "image").glob("*.dcm"):
        shutil.copy(path, tmp_path / path.name)
    shutil.copy(root / "sparse-labelmap-ppv5.dcm", tmp_path / "seg.dcm")
    dataset = open_dicom(Source.open(str(root)), "sparse-labelmap-ppv5.dcm").dataset
    labels = {segment.SegmentLabel: "thing" for segment in dataset.SegmentSequence}
    reader = open_reader(make_spec("dicom_series", {"labels": "seg", "slices": {"policy": "all"}}, labels=labels))
    found = list(reader.items())
    (item,) = [entry for entry in found if isinstance(entry, Item)]
    if not item.data["marks"]:
        (refusal,) = [entry for entry in found if isinstance(entry, Refusal)]
        pytest.skip(f"the segmentation refers to another series: {refusal.code}")
    case = reader.read(item)
    truth = int(np.count_nonzero(dataset.pixel_array != 5))
    assert sum(int(region.area) for region in case.regions) == truth


# Multi-frame


@pytest.mark.parametrize("name", ["T1", "T2", "T2-interleaved", "T2_", "T2_-interleaved"])
def test_enhanced_frames_are_ordered_by_place(shared_data, name):
    import nibabel as nib

    root = shared_data / "dicom_multiframe_enhanced" / "nitest-balls1"
    source = Source.open(str(root))
    refs, findings = dicom_refs(source, f"DICOM/{name}.dcm", 99)
    volumes = nib.load(root / "NIFTI" / f"{name}.nii.gz")
    # The converter wrote the stored values, columns first, slices from the feet up, in the scanner's own directions.
    assert nib.aff2axcodes(volumes.affine) == ("L", "P", "S")
    truth = volumes.dataobj.get_unscaled().reshape(80, 80, 10, -1)[..., 0]
    assert len(refs) == 10 and refs[0].view.orientation == "LP"
    assert [finding.code for finding in findings] == (["several_volumes"] if "_" in name else [])
    for index, ref in enumerate(refs):
        assert (stored_frame(open_dicom(source, f"DICOM/{name}.dcm"), ref.view.frame) == truth[:, :, index].T).all()


def test_every_pydicom_file_ends_in_a_picture_or_a_reason(shared_data):
    source = Source.open(str(shared_data / "dicom_pydicom"))
    reasons, pictures = set(), 0
    for path in source.walk():
        try:
            refs, _ = dicom_refs(source, path, 2)
            for ref in refs:
                render_dicom(source, ref)
                pictures += 1
        except CaseError as error:
            reasons.add(error.code)
    assert pictures > 100
    assert reasons <= {
        "not_dicom", "not_an_image", "missing_pixels", "truncated_pixels", "corrupt_pixels", "corrupt_dicom",
        "undecodable_syntax",
    }  # fmt: skip


def test_a_segmentation_of_a_multi_frame_image(shared_data, tmp_path, make_spec):
    root = shared_data / "dicom_seg_sr_dcmqi" / "segmentations" / "24x38x3"
    shutil.copy(root / "multiframe" / "mf.dcm", tmp_path / "mf.dcm")
    # The segmentation was made from the single-frame twin of this image: here it refers to the multi-frame one.
    segmentation = open_dicom(Source.open(str(root)), "seg/label.seg").dataset
    image = open_dicom(Source.open(str(root)), "multiframe/mf.dcm").dataset
    segmentation.ReferencedSeriesSequence[0].SeriesInstanceUID = image.SeriesInstanceUID
    segmentation.save_as(tmp_path / "seg.dcm")
    labels = {segment.SegmentLabel: "thing" for segment in segmentation.SegmentSequence}
    reader = open_reader(make_spec("dicom_series", {"labels": "seg", "slices": {"policy": "all"}}, labels=labels))
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    case = reader.read(item)
    assert sorted(ref.view.frame for ref in case.images) == [0, 1, 2]
    assert sum(int(region.area) for region in case.regions) == int(np.count_nonzero(segmentation.pixel_array))
