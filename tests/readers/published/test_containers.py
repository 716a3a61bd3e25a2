"""Hugging Face datasets on disk, Parquet, WebDataset, and layouts inside zip and tar, never unpacked."""

# ruff: noqa: E501 - files as they are published

import io
import json
import shutil
import tarfile

import nibabel as nib
import numpy as np
import pytest

from .conftest import boxes, texts, words


@pytest.fixture
def hugging_face(picture_bytes):
    """Three rows with an image and a class."""
    import datasets

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["benign", "malignant"])}
    )
    images = [{"bytes": picture_bytes(seed=n), "path": None} for n in range(3)]
    return datasets.Dataset.from_dict({"image": images, "label": [0, 1, 1]}, features=features)


LABELS = "labels: {benign: benign, malignant: malignant}\n"


def test_a_dataset_dictionary_saved_to_disk(hugging_face, tmp_path, read_spec, read_draft):
    import datasets

    root = tmp_path / "saved"
    datasets.DatasetDict({"train": hugging_face, "test": hugging_face.select([0])}).save_to_disk(root)
    lines = f"""
        reader: {{type: table, options: {{table: ["*/*.arrow"], labels: [label], split_from_path: true}}}}
        {LABELS}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        said = sorted((case.split, *words(case)) for case in cases.values())
        assert said == [("test", "benign"), ("train", "benign"), ("train", "malignant"), ("train", "malignant")]


def test_parquet_shards_of_a_hub_repository(hugging_face, tmp_path, read_spec, read_draft):
    (tmp_path / "hub/data").mkdir(parents=True)
    for split, part in (("train", 0), ("train", 1), ("test", 0)):
        hugging_face.to_parquet(tmp_path / f"hub/data/{split}-{part:05}-of-00002.parquet")
    lines = f"""
        reader: {{type: table, options: {{table: [data/*.parquet], labels: [label], split_from_path: true}}}}
        {LABELS}
    """
    for cases, lost in (read_spec(tmp_path / "hub", lines), read_draft(tmp_path / "hub")):
        assert (lost, len(cases)) == ({}, 9)
        case = cases["data/test-00000-of-00002.parquet!/image/1"]
        assert (case.split, words(case)) == ("test", {"malignant": "present"})


def _shard(path, samples):
    with tarfile.open(path, "w") as tar:
        for name, data in samples:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def test_webdataset_shards(tmp_path, read_spec, read_draft, picture_bytes):
    (tmp_path / "w").mkdir()
    for number, split in enumerate(("train", "test")):
        key = f"0-PMC{number}-0-fig"
        about = json.dumps({"article_license": "CC BY 4.0", "image_primary_label": ["Clinical Imaging"]}).encode()
        members = [(f"{key}.jpg", picture_bytes(kind="JPEG")), (f"{key}.txt", b"A film.\n"), (f"{key}.json", about)]
        _shard(tmp_path / f"w/{split}-000000.tar", members)
    lines = """
        reader:
          type: table
          options:
            table: ["*.tar"]
            image: [jpg]
            key: __key__
            texts: {caption: txt}
            license: article_license
            split_from_path: true
    """
    cases, lost = read_spec(tmp_path / "w", lines)
    assert lost == {}
    case = cases["0-PMC1-0-fig"]
    assert (texts(case), case.license, case.split) == ({"caption": "A film."}, "CC-BY-4.0", "test")
    drafted, lost = read_draft(tmp_path / "w")
    assert (lost, texts(drafted["0-PMC0-0-fig"])) == ({}, {"caption": "A film."})


MASK = np.zeros((6, 8), np.uint8)
MASK[1:4, 2:6] = 255
VOC = """<annotation><filename>a.png</filename><size><width>8</width><height>6</height><depth>3</depth></size>\
<object><name>WBC</name><bndbox><xmin>2</xmin><ymin>1</ymin><xmax>4</xmax><ymax>5</ymax></bndbox></object></annotation>"""
COCO = {"images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}], "categories": [{"id": 1, "name": "WBC"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 0, 3, 5]}]}  # fmt: skip
VOLUME = np.zeros((6, 8, 3), np.uint8)
VOLUME[2:6, 1:4, 1] = 1
NIFTI = nib.Nifti1Image(VOLUME, np.eye(4)).to_bytes()
DECATHLON = {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "WBC"}, "test": [],
             "training": [{"image": "./imagesTr/a.nii", "label": "./labelsTr/a.nii"}]}  # fmt: skip
PACKED = {
    "class_folders": ({"train/A/1.png": None, "train/B/2.png": None, "train/A/3.png": None, "train/B/4.png": None}, []),
    "table": ({"t.csv": "image,label\na.png,A\nb.png,B\n", "img/a.png": None, "img/b.png": None}, []),
    "coco": ({"a.png": None, "annotations.json": json.dumps(COCO)}, [("wbc", 0, (1, 0, 4, 5))]),
    "voc": ({"JPEGImages/a.png": None, "Annotations/a.xml": VOC}, [("wbc", 0, (1, 0, 4, 5))]),
    "yolo": ({"data.yaml": "names: [WBC]", "images/a.png": None, "labels/a.txt": "0 0.3125 0.41667 0.375 0.83333\n"}, None),
    "decathlon": ({"dataset.json": json.dumps(DECATHLON), "imagesTr/a.nii": NIFTI, "labelsTr/a.nii": NIFTI}, [("wbc", 0, (2, 1, 6, 4))]),
    "volumes": ({"a/ct.nii": NIFTI, "a/segmentations/liver.nii": NIFTI, "a/segmentations/spleen.nii": NIFTI}, None),
    "mask_pairs": ({"images/a.png": None, "masks/a.png": MASK}, [("foreground", 0, (2, 1, 6, 4))]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
@pytest.mark.parametrize("layout", PACKED)
def test_any_layout_inside_an_archive_is_drafted_and_read_in_place(
    put, tmp_path, read_draft, layout, kind, monkeypatch
):
    files, wanted = PACKED[layout]
    put({f"{layout}/top/{name}": content for name, content in files.items()})
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path / layout)
    shutil.rmtree(tmp_path / layout)
    before = sorted(path.name for path in tmp_path.iterdir())
    cases, lost = read_draft(packed)
    assert lost == {}
    assert cases and all(case.images for case in cases.values())
    if wanted is not None:
        found = [(label.lower(), index, box) for case in cases.values() for label, index, box in boxes(case)]
        assert [(label if label == "foreground" else "wbc", index, box) for label, index, box in found] == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == before, "something was unpacked"
