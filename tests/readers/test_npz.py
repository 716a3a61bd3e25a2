"""MedMNIST and MedSegBench files as their libraries write them."""

import io

import numpy as np
import pytest
from PIL import Image

from readers.pixels.render import render
from readers.source import Source
from schemas.masks import source_mask

AB = {"A": "alpha", "B": "beta"}
CLASSES = {"classes": {0: "A", 1: "B"}}


def _pixels(source, ref):
    return np.asarray(Image.open(io.BytesIO(render(source, ref).data)))


@pytest.mark.parametrize("packed", [False, True])
def test_medmnist(tmp_path, ingest, packed):
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 3), dtype=np.uint8)
    save = np.savez_compressed if packed else np.savez
    save(tmp_path / "x.npz", train_images=images, train_labels=np.array([[0], [1], [5]]),
         val_images=images[:1, ..., 0], val_labels=np.array([1]))  # fmt: skip
    cases, refused = ingest(tmp_path / "x.npz", "npz", CLASSES, labels=AB)
    assert {key: (case.split, case.labels[0].name) for key, case in cases.items()} == {
        "train/0": ("train", "alpha"),
        "train/1": ("train", "beta"),
        "val/0": ("val", "beta"),
    }
    assert refused == {"train/2": ("label_not_in_map", "quarantined")}
    source = Source.open(str(tmp_path / "x.npz"))
    assert (_pixels(source, cases["train/1"].images[0]) == images[1]).all()
    assert (_pixels(source, cases["val/0"].images[0]) == images[0, ..., 0]).all()


def test_several_labels_and_volumes(tmp_path, ingest):
    volumes = np.random.default_rng(0).integers(0, 256, (1, 28, 20, 24), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", test_images=volumes, test_labels=np.array([[1, 0]]))
    cases, _ = ingest(tmp_path, "npz", CLASSES, labels=AB)
    case = cases["test/0"]
    assert [(label.name, label.polarity) for label in case.labels] == [("alpha", "present"), ("beta", "absent")]
    assert [image.view.index for image in case.images] == [4, 14, 23]
    source = Source.open(str(tmp_path))
    # Slice k along the first voxel axis: u is the second axis, v the third.
    assert (_pixels(source, case.images[0]) == volumes[0, 4].T).all()


def test_medsegbench(tmp_path, ingest):
    images = np.zeros((2, 16, 16), np.uint8)
    masks = np.zeros((2, 16, 16), np.uint8)
    masks[0, 2:4, 3:8] = 1
    np.savez(tmp_path / "x.npz", train_images=images, train_label=masks, test_images=images, test_label=masks)
    cases, refused = ingest(tmp_path, "npz", {"classes": {1: "A"}}, labels=AB)
    assert (len(cases), refused) == (4, {})
    (region,) = cases["train/0"].regions
    assert (region.box, region.area, region.label) == ((3, 2, 8, 4), 10, "alpha")
    assert (source_mask(region) == masks[0]).all()
    assert cases["test/1"].regions == ()


def test_objects_are_never_unpickled(tmp_path, ingest):
    from schemas.errors import CaseError

    np.savez(tmp_path / "x.npz", train_images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(CaseError) as caught:
        ingest(tmp_path, "npz", CLASSES, labels=AB)
    assert caught.value.code == "pickle_refused"


def test_a_cut_file_is_said_to_be_broken(tmp_path, ingest):
    from schemas.errors import CaseError

    np.savez(tmp_path / "x.npz", train_images=np.zeros((4, 28, 28), np.uint8))
    data = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(CaseError) as caught:
        ingest(tmp_path, "npz", CLASSES, labels=AB)
    assert caught.value.code == "broken_array"


def test_masks_of_each_class_are_told_from_those_of_a_part_of_the_pictures(tmp_path, ingest):
    images, masks = np.zeros((3, 16, 16), np.uint8), np.zeros((3, 16, 16), np.uint8)
    masks[:, 2:4, 3:8] = 1
    # As MedSegBench has wbc: C1 are the pictures of lymphocytes, rows of their own.
    part = {"train_images_C1": images[:1], "train_label_C1": np.ones((1, 16, 16), np.uint8)}
    np.savez(tmp_path / "x.npz", train_images=images, train_label=masks, **part)
    cases, refused = ingest(tmp_path, "npz", {"classes": {1: "A"}}, labels=AB)
    assert (len(cases), refused) == (3, {})
    assert [region.box for case in cases.values() for region in case.regions] == [(3, 2, 8, 4)] * 3
    # As it has idrib: one array a class over all pictures, and their sum, which is none of the classes.
    classes = {"train_label_C1": masks, "train_label_C2": masks[:, ::-1]}
    np.savez(tmp_path / "x.npz", train_images=images, train_label=masks, **classes)
    cases, refused = ingest(tmp_path, "npz", {"classes": {1: "A", 2: "B"}}, labels=AB)
    assert refused == {}
    assert [(region.label, region.box) for region in cases["train/0"].regions] == [
        ("alpha", (3, 2, 8, 4)),
        ("beta", (3, 12, 8, 14)),
    ]


def test_published_arrays_are_drafted_with_their_words(tmp_path, read_draft_of):
    images = np.zeros((2, 28, 28, 3), np.uint8)
    np.savez(tmp_path / "organamnist.npz", train_images=images, train_labels=np.array([[0], [8]]))
    cases = read_draft_of(tmp_path)
    assert [case.labels[0].name for case in cases] == ["urinary bladder", "right lung"]


@pytest.fixture
def read_draft_of(tmp_path):
    from readers.base import Item, open_reader
    from readers.inspect import draft_spec
    from schemas.spec import load_spec

    def run(root):
        (tmp_path / "drafted.yaml").write_text(draft_spec(root))
        reader = open_reader(load_spec(tmp_path / "drafted.yaml"))
        return [reader.read(item) for item in reader.items() if isinstance(item, Item)]

    return run


def test_the_words_of_published_arrays_are_numbered_from_where_their_publishers_do():
    from readers.recognise_npz import known_arrays

    sets = known_arrays()
    assert len(sets) == 18 + 35
    assert [name for name, known in sets.items() if not (known.classes or known.binary)] == []
    assert {min(known.classes) for name, known in sets.items() if "mnist" in name} == {0}
    # The same organs stand in another order in 2D and in 3D.
    assert (sets["organsmnist"].classes[4], sets["organmnist3d"].classes[4]) == ("kidney-left", "femur-left")
