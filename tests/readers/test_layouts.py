"""The layouts of the field, each laid out exactly so and read with a few options."""

# ruff: noqa: E501 - lines of tables and JSON as they are published

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from readers.pixels.render import render
from readers.source import Source
from schemas.masks import source_mask

XY = {"x": "x_min", "y": "y_min", "x2": "x_max", "y2": "y_max", "label": "class_name"}


def _texts(case):
    return {text.kind: text.content for text in case.texts}


def _labels(case):
    return {label.original: label.polarity for label in case.labels}


def test_chexpert(put, ingest):
    path = "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg"
    head = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Edema"
    root = put(
        {path.removeprefix("CheXpert-v1.0/"): None, "train.csv": f"{head}\n{path},Female,68,Frontal,AP,,-1.0,1.0\n"}
    )
    options = {
        "image": ["Path"],
        "one_hot": ["No Finding", "Cardiomegaly", "Edema"],
        "sex": "Sex",
        "age": "Age",
        "view": "AP/PA",
    }
    labels = {"No Finding": "no finding", "Cardiomegaly": "cardiomegaly", "Edema": "edema"}
    group = {"by": "pattern", "pattern": "(patient[0-9]+)"}
    # The table's paths begin with the archive's own folder, which is the root here.
    options["strip_prefix"] = "CheXpert-v1.0/"
    cases, lost = ingest(root, "table", options, labels=labels, group=group)
    assert lost == {}
    (case,) = cases.values()
    assert _labels(case) == {"Cardiomegaly": "uncertain", "Edema": "present"}
    assert (case.group, case.demographics.age_years, case.acquisition.view) == ("patient00001", 68, "AP")


def test_nih_chest(put, ingest):
    head = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
    rows = "00000001_000.png,Cardiomegaly|Emphysema,0,1,058Y,M,PA\n00000002_000.png,No Finding,0,2,81,F,AP\n"
    root = put(
        {
            "images_001/images/00000001_000.png": None, "images_002/images/00000002_000.png": None,
            "Data_Entry_2017.csv": f"{head}\n{rows}", "train_val_list.txt": "00000001_000.png",
            "test_list.txt": "00000002_000.png",
        }
    )  # fmt: skip
    options = {
        "table": ["Data_Entry_2017.csv"], "image": ["Image Index"], "labels": ["Finding Labels"],
        "split_files": {"train": "train_val_list.txt", "test": "test_list.txt"}, "key": "Image Index",
        "age": "Patient Age", "sex": "Patient Gender",
    }  # fmt: skip
    labels = {"Cardiomegaly": "cardiomegaly", "Emphysema": "emphysema", "No Finding": "no finding"}
    cases, lost = ingest(root, "table", options, labels=labels, group={"by": "field", "field": "Patient ID"})
    assert lost == {}
    assert {key: (case.split, case.group) for key, case in cases.items()} == {
        "00000001_000.png": ("train", "1"),
        "00000002_000.png": ("test", "2"),
    }
    assert _labels(cases["00000001_000.png"]) == {"Cardiomegaly": "present", "Emphysema": "present"}


def test_vindr_boxes_of_several_readers(put, ingest):
    rows = ["a,Nodule,R1,1,1,4,3", "a,Nodule,R2,1,1,5,3", "b,No finding,R1,,,,"]
    root = put(
        {
            "train/a.png": None,
            "train/b.png": None,
            "t.csv": "image_id,class_name,rad_id,x_min,y_min,x_max,y_max\n" + "\n".join(rows),
        }
    )
    options = {"image": ["image_id"], "image_dir": ["train"], "join": True, "boxes": {**XY, "instance": "rad_id"}}
    cases, lost = ingest(root, "table", options, labels={"Nodule": "nodule"}, ignore_labels=["No finding"])
    assert lost == {}
    regions = cases["train/a.png"].regions
    assert [(region.instance, region.box) for region in regions] == [("R1", (1, 1, 4, 3)), ("R2", (1, 1, 5, 3))]
    assert cases["train/b.png"].regions == ()


def test_ham10000_groups_by_lesion(put, ingest):
    table = "lesion_id,image_id,dx,dx_type,age,sex,localization\nHAM_1,ISIC_1,mel,histo,80.0,male,back\n"
    root = put({"HAM10000_images_part_1/ISIC_1.jpg": None, "HAM10000_metadata.csv": table})
    options = {"image": ["image_id"], "labels": ["dx"], "sex": "sex", "age": "age", "anatomy": "localization"}
    cases, _ = ingest(root, "table", options, labels={"mel": "melanoma"}, group={"by": "field", "field": "lesion_id"})
    (case,) = cases.values()
    assert (case.group, case.demographics.age_years, _labels(case)) == ("HAM_1", 80, {"mel": "present"})


def test_slake_in_two_languages(put, ingest):
    asked = [
        {"img_name": "xmlab1/source.jpg", "question": "Is it CT?", "answer": "Yes", "q_lang": "en", "answer_type": "CLOSED",
         "base_type": "vqa", "content_type": "Modality", "modality": "CT", "location": "Abdomen", "qid": 1, "triple": ["v", "_", "_"]},
        {"img_name": "xmlab1/source.jpg", "question": "是CT吗？", "answer": "是", "q_lang": "zh", "answer_type": "CLOSED",
         "base_type": "vqa", "content_type": "Modality", "modality": "CT", "location": "Abdomen", "qid": 2, "triple": ["v", "_", "_"]},
    ]  # fmt: skip
    root = put({"imgs/xmlab1/source.jpg": None, "train.json": json.dumps(asked, ensure_ascii=False)})
    questions = {"language": "q_lang", "key": "qid", "question_type": "content_type", "answer_type": "answer_type"}
    options = {"table": ["train.json"], "image_dir": ["imgs"], "questions": questions, "split_from_path": True}
    options |= {"modality": "modality", "anatomy": "location"}
    cases, _ = ingest(root, "vqa_json", options)
    (case,) = cases.values()
    assert [(q.language, q.answer) for q in case.questions] == [("en", "Yes"), ("zh", "是")]
    assert (case.split, case.acquisition.modality, case.acquisition.anatomy) == ("train", "CT", "abdomen")
    english, _ = ingest(root, "vqa_json", {**options, "where": {"q_lang": ["en"]}})
    assert [q.language for case in english.values() for q in case.questions] == ["en"]


def test_pmc_vqa(put, ingest):
    table = (
        "index,Figure_path,Caption,Question,Choice A,Choice B,Answer,split\n1,f.jpg,Cap.,Which?, A:x , B:y ,B,test\n"
    )
    root = put({"images/f.jpg": None, "test_2.csv": table})
    options = {
        "table": ["test_2.csv"], "image": ["Figure_path"], "image_dir": ["images"], "split": "split",
        "texts": {"caption": "Caption"},
        "questions": {"question": "Question", "answer": "", "options": ["Choice A", "Choice B"], "letter": "Answer"},
    }  # fmt: skip
    cases, _ = ingest(root, "table", options)
    (case,) = cases.values()
    assert (case.questions[0].options, case.questions[0].answer, case.split) == (("x", "y"), "y", "test")
    assert _texts(case) == {"caption": "Cap."}


def test_omnimedvqa(put, ingest):
    asked = [{"dataset": "D", "question_id": "D_0", "question_type": "Modality", "question": "What?", "gt_answer": "CT",
              "image_path": "Images/d/1.png", "option_A": "MR", "option_B": "CT", "modality_type": "CT"}]  # fmt: skip
    root = put({"Images/d/1.png": None, "QA_information/Open-access/D.json": json.dumps(asked)})
    questions = {"answer": "gt_answer", "options": ["option_A", "option_B", "option_C"], "key": "question_id"}
    options = {"table": ["QA_information/Open-access/*.json"], "questions": questions, "modality": "modality_type"}
    cases, lost = ingest(root, "vqa_json", options)
    assert lost == {}
    (question,) = cases["Images/d/1.png"].questions
    assert (question.options, question.answer, question.answer_index) == (("MR", "CT"), "CT", 1)


def test_vqa_med_2019(put, ingest):
    root = put(
        {
            "Train_images/synpic1.jpg": None,
            "All_QA_Pairs_train.txt": "synpic1|what plane is it?|axial\nsynpic1|mr?|no\n",
        }
    )
    options = {
        "table": ["All_QA_Pairs_train.txt"], "delimiter": "|", "header": ["img", "question", "answer"], "image": ["img"],
        "image_dir": ["Train_images"], "join": True, "questions": {}, "split_from_path": True,
    }  # fmt: skip
    cases, _ = ingest(root, "table", options)
    (case,) = cases.values()
    assert [(q.question, q.answer, q.answer_type) for q in case.questions] == [
        ("what plane is it?", "axial", "open"),
        ("mr?", "no", "closed"),
    ]
    assert case.split == "train"


def test_roco_with_a_licence_an_image(put, ingest):
    root = put(
        {
            "train/radiology/images/PMC1_f.jpg": None,
            "train/radiology/captions.txt": "ROCO_00001\t A film. \nROCO_00002\t Lost.\n",
            "train/radiology/licences.txt": "ROCO_00001,PMC1_f.jpg,CC BY 4.0\n",
            "t.csv": "id,image,caption,licence\nROCO_00001,PMC1_f.jpg, A film. ,CC BY 4.0\n",
        }
    )
    # The captions alone, their ids found among names given by a column that joins them.
    options = {
        "table": ["train/radiology/licences.txt"], "delimiter": ",", "header": ["id", "image", "licence"], "key": "id",
        "image_dir": ["train/radiology/images"], "license": "licence", "split_from_path": True,
        "lookup": {"file": "train/radiology/captions.txt", "delimiter": "\t", "header": ["id", "caption"], "on": "id"},
        "texts": {"caption": "caption"},
    }  # fmt: skip
    cases, lost = ingest(root, "table", options)
    assert lost == {}
    case = cases["ROCO_00001"]
    assert (_texts(case), case.license, case.split) == ({"caption": "A film."}, "CC-BY-4.0", "train")


def test_pmc_oa_and_medicat(put, ingest):
    root = put(
        {
            "images/PMC1_1.jpg": None, "pmc_oa.jsonl": json.dumps({"image": "PMC1_1.jpg", "caption": "Cap."}),
            "figures/abc_2-Figure1-1.png": None,
            "s2.jsonl": json.dumps({"pdf_hash": "abc", "fig_uri": "2-Figure1-1.png", "s2_caption": "Figure 1.", "radiology": True,
                                    "s2orc_references": ["see it"], "oa_info": {"license": "CC BY-NC 4.0"}}),
        }
    )  # fmt: skip
    options = {"table": ["pmc_oa.jsonl"], "image_dir": ["images"], "texts": {"caption": "caption"}}
    cases, _ = ingest(root, "table", options)
    assert _texts(cases["images/PMC1_1.jpg"]) == {"caption": "Cap."}
    options = {
        "table": ["s2.jsonl"], "image_template": "figures/{pdf_hash}_{fig_uri}", "license": "oa_info.license",
        "texts": {"caption": "s2_caption", "mention": "s2orc_references"}, "where": {"radiology": ["True"]},
    }  # fmt: skip
    cases, lost = ingest(root, "table", options)
    assert lost == {}
    (case,) = cases.values()
    assert (_texts(case), case.license) == ({"caption": "Figure 1.", "mention": "see it"}, "CC-BY-NC-4.0")


def test_medpix(put, ingest):
    descriptions = [{"Type": "CT", "U_id": "MPX1", "image": "MPX1_synpic1", "Location": "Thorax", "Location Category": "Thorax",
                     "Description": {"Age": "45", "Caption": "A mass.", "Modality": "CT", "Plane": "Axial", "Sex": "male"}}]  # fmt: skip
    root = put({"images/MPX1_synpic1.png": None, "Descriptions.json": json.dumps(descriptions)})
    options = {
        "table": ["Descriptions.json"], "image_dir": ["images"], "texts": {"caption": "Description.Caption"},
        "modality": "Type", "plane": "Description.Plane", "sex": "Description.Sex", "age": "Description.Age",
    }  # fmt: skip
    cases, _ = ingest(root, "table", options, group={"by": "field", "field": "U_id"})
    (case,) = cases.values()
    assert (case.group, _texts(case), case.acquisition.plane) == ("MPX1", {"caption": "A mass."}, "axial")
    assert (case.demographics.sex, case.demographics.age_years) == ("male", 45)


def test_openi_xml_and_csv(put, ingest):
    xml = (
        "<eCitation><Abstract><AbstractText Label='COMPARISON'>None.</AbstractText><AbstractText Label='FINDINGS'>Clear XXXX "
        "lungs.</AbstractText><AbstractText Label='IMPRESSION'></AbstractText></Abstract><MeSH><major>normal</major></MeSH>"
        "<parentImage id='CXR1_1_IM-0001-3001'/><parentImage id='CXR1_1_IM-0001-4001'/></eCitation>"
    )
    root = put({"ecgen-radiology/1.xml": xml, "png/CXR1_1_IM-0001-3001.png": None, "png/CXR1_1_IM-0001-4001.png": None})
    cases, lost = ingest(root, "openi", {"mesh_labels": True}, labels={"normal": "normal"})
    assert lost == {}
    assert len(cases["1"].images) == 2
    assert _texts(cases["1"]) == {"section": "None.", "findings": "Clear XXXX lungs."}
    root = put(
        {
            "indiana_reports.csv": "uid,MeSH,findings,impression\n1,normal,Clear.,Normal.\n",
            "indiana_projections.csv": "uid,filename,projection\n1,CXR1_1_IM-0001-3001.png,Frontal\n1,CXR1_1_IM-0001-4001.png,Lateral\n",
        }
    )
    options = {
        "table": ["indiana_projections.csv"], "image": ["filename"], "image_dir": ["png"], "key": "uid", "join": True,
        "lookup": {"file": "indiana_reports.csv", "on": "uid"}, "texts": {"findings": "findings", "impression": "impression"},
    }  # fmt: skip
    cases, _ = ingest(root, "table", options)
    assert len(cases["1"].images) == 2
    assert _texts(cases["1"]) == {"findings": "Clear.", "impression": "Normal."}


def test_mimic_cxr(put, ingest):
    head = "dicom_id,study_id,subject_id,split,ViewPosition"
    root = put(
        {
            "files/p10/p10000032/s50414267/aa.jpg": None, "files/p10/p10000032/s50414267/bb.jpg": None,
            "files/p10/p10000032/s50414267.txt": "FINDINGS: none",
            "split.csv": f"{head}\naa,50414267,10000032,train,PA\nbb,50414267,10000032,train,LATERAL\n",
        }
    )  # fmt: skip
    folder = "files/p{subject_id:.2}/p{subject_id}/s{study_id}"
    options = {
        "table": ["split.csv"], "image_template": f"{folder}/{{dicom_id}}.jpg", "key": "study_id", "join": True,
        "split": "split", "text_files": {"report": f"{folder}.txt"},
    }  # fmt: skip
    cases, _ = ingest(root, "table", options, group={"by": "field", "field": "subject_id"})
    (case,) = cases.values()
    assert (len(case.images), case.group, case.split, _texts(case)) == (
        2,
        "10000032",
        "train",
        {"report": "FINDINGS: none"},
    )


def test_r2gen(put, ingest):
    study = {
        "id": "CXR1_IM-1",
        "report": "Clear.",
        "image_path": ["CXR1_IM-1/0.png", "CXR1_IM-1/1.png"],
        "split": "val",
    }
    root = put({"images/CXR1_IM-1/0.png": None, "images/CXR1_IM-1/1.png": None})
    put({"annotation.json": json.dumps({"train": [], "val": [study]})})
    options = {
        "table": ["annotation.json"],
        "records": "val",
        "image": ["image_path"],
        "image_dir": ["images"],
        "key": "id",
    }
    cases, _ = ingest(root, "table", {**options, "split": "split", "texts": {"report": "report"}})
    assert (len(cases["CXR1_IM-1"].images), cases["CXR1_IM-1"].split) == (2, "val")


def test_cropped_masks_placed_by_a_table(shared_data, ingest):
    folder = shared_data / "seg2d_cxr_cropped_masks"
    masks = {"mask": "Mask", "label": "Class", "left": "Left", "top": "Top", "width": "Width", "height": "Height"}
    options = {"table": ["structure.csv"], "image": ["Filename"], "image_dir": ["images"], "join": True, "masks": masks}
    words = set()
    with (folder / "structure.csv").open() as file:
        import csv

        rows = list(csv.DictReader(file))
        words = {row["Class"] for row in rows}
    cases, lost = ingest(folder, "table", options, labels={word: word.lower() for word in words})
    assert (len(cases), lost) == (3, {})
    row = rows[0]
    case = cases[f"images/{row['Filename']}"]
    region = next(region for region in case.regions if region.instance == row["Mask"].rpartition("/")[2][:-4])
    left, top = int(row["Left"]), int(row["Top"])
    stored = np.asarray(Image.open(folder / row["Mask"]))[..., :3].max(axis=2) > 0
    mask = source_mask(region)
    assert (mask[top : top + stored.shape[0], left : left + stored.shape[1]] == stored).all()
    assert mask.sum() == stored.sum()


def _shown(root, case):
    return [render(Source.open(str(root)), image).data for image in case.images]


def test_hugging_face_parquet(tmp_path, ingest, picture_bytes):
    import datasets

    data = [picture_bytes(seed=i) for i in range(3)]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["A", "B"]), "question": datasets.Value("string"),
         "answer": datasets.Value("string")}
    )  # fmt: skip
    rows = {
        "image": [{"bytes": each, "path": None} for each in data],
        "label": [0, 1, 1],
        "question": ["q?"] * 3,
        "answer": ["a"] * 3,
    }
    made = datasets.Dataset.from_dict(rows, features=features)
    made.to_parquet(tmp_path / "train-00000-of-00001.parquet")
    options = {"table": ["*.parquet"], "labels": ["label"], "questions": {}, "split_from_path": True}
    cases, lost = ingest(tmp_path, "table", options, labels={"A": "alpha", "B": "beta"})
    assert lost == {}
    assert [_shown(tmp_path, case) for case in cases.values()] == [[each] for each in data]
    assert [case.labels[0].name for case in cases.values()] == ["alpha", "beta", "beta"]
    assert {case.split for case in cases.values()} == {"train"}
    made.save_to_disk(tmp_path / "disk")
    cases, _ = ingest(
        tmp_path / "disk", "table", {"table": ["*.arrow"], "labels": ["label"]}, labels={"A": "alpha", "B": "beta"}
    )
    assert [_shown(tmp_path / "disk", case) for case in cases.values()] == [[each] for each in data]


def test_webdataset(tmp_path, ingest, picture_bytes):
    data = {name: picture_bytes(seed=i) for i, name in enumerate("ab")}
    with tarfile.open(tmp_path / "train-000000.tar", "w") as shard:
        for name, picture in data.items():
            for member, content in ((f"{name}.png", picture), (f"{name}.json", json.dumps({"caption": name}).encode())):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                shard.addfile(info, io.BytesIO(content))
    options = {"table": ["*.tar"], "image": ["jpg", "png"], "key": "__key__", "texts": {"caption": "caption"}}
    cases, lost = ingest(tmp_path, "table", options)
    assert lost == {}
    assert {key: (_shown(tmp_path, case), _texts(case)) for key, case in cases.items()} == {
        name: ([data[name]], {"caption": name}) for name in "ab"
    }


def test_pickled_questions_are_refused_with_a_cure(put, ingest):
    from schemas.errors import UserError

    root = put({"images/x.jpg": None, "train_qa.pkl": b"\x80\x04\x95"})
    with pytest.raises(UserError, match="pickle"):
        ingest(root, "table", {"table": ["train_qa.pkl"]})


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_layout_inside_an_archive_is_read_in_place(put, ingest, tmp_path, kind):
    import shutil

    root = put({"d/train/A/x.png": None, "d/test/B/y.png": None})
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, root / "d")
    cases, lost = ingest(packed, "class_folders", labels={"A": "alpha", "B": "beta"})
    assert lost == {}
    assert set(cases) == {"train/A/x.png", "test/B/y.png"}
    assert _shown(packed, cases["train/A/x.png"]) == [(root / "d/train/A/x.png").read_bytes()]


def test_yolo_with_boxes_and_polygons(put, ingest):
    root = put(
        {
            "data.yaml": "names: [A, B]\n", "train/images/x.png": None, "valid/images/y.png": None,
            "train/labels/x.txt": "0 0.5 0.5 0.25 0.5\n1 0 0 1 0 1 0.5 0 0.5\n", "valid/labels/y.txt": "",
        }
    )  # fmt: skip
    cases, lost = ingest(root, "yolo", labels={"A": "alpha", "B": "beta"})
    assert lost == {}
    case = cases["train/labels/x"]
    # 8x6 pixels: centre 4, 3, size 2, 3; the polygon is the upper half.
    assert [(region.kind, region.box, region.area) for region in case.regions] == [
        ("box", (3, 1.5, 5, 4.5), 0),
        ("mask", (0, 0, 8, 3), 24),
    ]
    assert (case.split, cases["valid/labels/y"].split, cases["valid/labels/y"].regions) == ("train", "val", ())
