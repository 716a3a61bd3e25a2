"""Layouts are recognised, and the drafted spec reads the dataset."""

import pytest

from readers.base import Item, open_reader
from readers.inspect import draft_spec, inspect
from schemas.errors import UserError
from schemas.spec import load_spec

LAYOUTS = {
    "det_voc_bccd": ("voc", {"RBC", "WBC", "Platelets"}, 60),
    "det_coco_rbc": ("coco", {"rbc", "wbc"}, 60),
    "cls_folders_bloodcells": ("class_folders", {"RBC", "WBC", "Platelets"}, 120),
    "cls_multilabel_csv_bccd": ("table", {"RBC", "WBC", "Platelets"}, 30),
    "cls_csv_hannover_cxr": ("table", set(), 14),
    "seg2d_ct_slices": ("mask_pairs", {"label_5", "label_1", "label_6"}, 12),
    "seg3d_hippocampus_msd": ("decathlon", {"Anterior", "Posterior"}, 24),
    "dicom_ct_series_seg_rtstruct": ("dicom_series", None, None),
    "vqa_rad": ("vqa_json", set(), 50),
    "seg3d_totalseg": ("volumes", None, None),
    "seg2d_cxr_cropped_masks": ("table", None, None),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_real_dataset_is_recognised_and_its_draft_reads_it(shared_data, tmp_path, name):
    reader, labels, count = LAYOUTS[name]
    (first, said), *_ = inspect(shared_data / name)
    assert first == reader
    assert said.why.strip()
    if labels is not None:
        assert set(said.labels) == labels
    path = tmp_path / "drafted.yaml"
    path.write_text(draft_spec(shared_data / name))
    spec = load_spec(path)
    assert spec.reader.type == reader
    made = open_reader(spec)
    items = list(made.items())
    if count is not None:
        assert len(items) == count
    case = made.read(next(item for item in items if isinstance(item, Item)))
    assert case.images


def test_what_the_files_say_is_in_the_draft(shared_data):
    text = draft_spec(shared_data / "cls_csv_hannover_cxr", name="hannover")
    assert "name: hannover" in text
    assert "license: CC-BY-3.0" in text
    assert "field: patient_id" in text
    assert "split: {policy: shipped}" in draft_spec(shared_data / "cls_folders_bloodcells")
    assert "test_para" in draft_spec(shared_data / "vqa_rad")


def test_a_draft_that_groups_by_a_column_says_that_a_run_asks_whose_ids_they_are(put):
    draft = draft_spec(put({"a.png": None, "b.png": None, "t.csv": "file,Patient ID,Edema\na.png,p1,1\nb.png,p2,0\n"}))
    assert "group: {by: field, field: Patient ID}  # keeps a patient in one split; a run wants to know whose" in draft


def test_an_empty_folder_is_said_to_be_unknown(tmp_path):
    assert inspect(tmp_path) == []
    with pytest.raises(UserError, match="not recognised"):
        draft_spec(tmp_path)
    with pytest.raises(UserError, match="check the path, or `root` in the spec"):
        inspect(tmp_path / "nothing")


def test_hostile_folders_do_not_disturb(nasty):
    for folder in nasty.listing()[0]:
        assert isinstance(inspect(f"{nasty.root}/{folder}"), list)


def test_further_layouts_are_recognised(put, tmp_path, picture_bytes):
    import io

    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    stack = io.BytesIO()
    np.savez(stack, train_images=np.zeros((2, 8, 8), np.uint8), train_labels=np.zeros((2, 1)))
    table = io.BytesIO()
    pictures = [{"bytes": picture_bytes(seed=i), "path": None} for i in range(3)]
    pq.write_table(pa.table({"image": pictures, "label": ["A", "B", "A"]}), table)
    report = "<eCitation><AbstractText Label='FINDINGS'>x</AbstractText><parentImage id='f'/></eCitation>"
    put(
        {
            "yolo/data.yaml": "names: [A, B]", "yolo/train/images/x.png": None,
            "yolo/train/labels/x.txt": "0 0.5 0.5 0.2 0.2\n",
            "npz/x.npz": stack.getvalue(),
            "openi/1.xml": report, "openi/f.png": None,
            "parquet/train-0.parquet": table.getvalue(),
            "onehot/t.csv": "Path,A,B\nimg/x.png,1,0\nimg/y.png,,1\n",
            "onehot/img/x.png": None, "onehot/img/y.png": None,
        }
    )  # fmt: skip
    found = {name: inspect(tmp_path / name)[0] for name in ("yolo", "npz", "openi", "parquet", "onehot")}
    assert {name: reader for name, (reader, _) in found.items()} == {
        "yolo": "yolo", "npz": "npz", "openi": "openi", "parquet": "table", "onehot": "table",
    }  # fmt: skip
    assert found["yolo"][1].labels == ("A", "B")
    assert found["parquet"][1].options["labels"] == ["label"]
    assert found["parquet"][1].labels == ("A", "B")
    assert found["onehot"][1].options["one_hot"] == ["A", "B"]


def test_words_that_are_not_in_the_taxonomy_are_drafted_with_their_nearest(put):
    root = put({f"{word}/{word}{n}.png": None for word in ("Pnuemonia", "Normal", "Zzqx") for n in range(3)})
    lines = draft_spec(root).split("\n")
    assert "  Normal: normal" in lines
    (typo,) = [line for line in lines if line.startswith("  Pnuemonia:")]
    assert "not in the taxonomy; near to it: " in typo and "pneumonia" in typo.partition("near to it")[2]
    assert "  Zzqx: zzqx  # not in the taxonomy" in lines


def test_structures_of_every_structure_set_are_drafted(shared_data):
    said = dict(inspect(shared_data / "dicom_rtstruct"))["dicom_series"]
    # dicompyler's set names the first, that of rt-utils the second.
    assert {"Tumor Bed", "ROI-1"} <= set(said.labels)


def test_one_can_draft_for_another_reader_than_the_likeliest(shared_data):
    root = shared_data / "caption_report_covid_ccby"
    assert "type: coco" in draft_spec(root) and "license: CC-BY-4.0" in draft_spec(root)
    text = draft_spec(root, "table")
    assert "type: table" in text and 'license: "license"' in text
    with pytest.raises(UserError, match="not recognised as voc; it may be read by coco, table, files"):
        draft_spec(root, "voc")
