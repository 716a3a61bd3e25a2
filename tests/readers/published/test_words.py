"""Captions, questions, reports and instruction data as their publishers lay them out."""

# ruff: noqa: E501 - lines of tables and JSON as they are published

import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image

from readers.inspect import draft_spec
from readers.pixels.render import render
from readers.source import Source
from schemas.errors import UserError

from .conftest import texts, words


def lines_of(*records) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


REPORT = """\
                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___F with new onset ascites  // eval for infection

 FINDINGS:

 There is no focal consolidation, pleural effusion
 or pneumothorax.

 IMPRESSION:

 No acute cardiopulmonary process.
"""


def test_mimic_cxr_jpg_with_its_four_files(put, read_spec, read_draft):
    study = "files/p10/p10000032/s50414267"
    findings = "Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices"
    root = put(
        {
            f"{study}/02aa804e.jpg": None, f"{study}/174413ec.jpg": None, f"{study}.txt": REPORT,
            "mimic-cxr-2.0.0-split.csv.gz": gzip.compress(
                b"dicom_id,study_id,subject_id,split\n02aa804e,50414267,10000032,validate\n174413ec,50414267,10000032,validate\n"
            ),
            "mimic-cxr-2.0.0-metadata.csv.gz": gzip.compress(
                b"dicom_id,subject_id,study_id,ViewPosition,Rows\n02aa804e,10000032,50414267,PA,3056\n174413ec,10000032,50414267,LATERAL,3056\n"
            ),
            "mimic-cxr-2.0.0-chexpert.csv.gz": gzip.compress(
                f"subject_id,study_id,{findings}\n10000032,50414267,,-1.0,0.0,,,,,,1.0,,,,,\n".encode()
            ),
        }
    )  # fmt: skip
    folder = "files/p{subject_id:.2}/p{subject_id}/s{study_id}"
    lines = f"""
        reader:
          type: table
          options:
            table: [mimic-cxr-2.0.0-split.csv.gz]
            image_template: "{folder}/{{dicom_id}}.jpg"
            key: study_id
            join: true
            split: split
            view: ViewPosition
            lookup:
            - {{file: mimic-cxr-2.0.0-metadata.csv.gz, "on": dicom_id}}
            - {{file: mimic-cxr-2.0.0-chexpert.csv.gz, "on": study_id}}
            one_hot: [Cardiomegaly, Consolidation, No Finding]
            text_files: {{report: "{folder}.txt"}}
            report_sections: true
        labels: {{Cardiomegaly: cardiomegaly, Consolidation: consolidation, No Finding: no finding}}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (case,) = cases.values()
        assert (case.key, case.split, len(case.images)) == ("50414267", "val", 2)
        assert words(case) == {"cardiomegaly": "uncertain", "consolidation": "absent", "no finding": "present"}
        assert case.acquisition.view == "PA"
        said = texts(case)
        assert said["findings"] == "There is no focal consolidation, pleural effusion or pneumothorax."
        assert said["impression"] == "No acute cardiopulmonary process."
        assert said["indication"] == "___F with new onset ascites // eval for infection"
        assert [text.title for text in case.texts if text.kind == "section"] == ["Examination"]
    assert case.group == "10000032"
    assert "access: credentialed" in draft_spec(root)


def test_slake_in_two_languages_and_three_splits(put, read_spec, read_draft):
    asked = [
        {"img_id": 1, "img_name": "xmlab1/source.jpg", "question": question, "answer": answer, "q_lang": language, "location": "Abdomen",
         "modality": "CT", "answer_type": "CLOSED", "base_type": "vqa", "content_type": "Modality", "triple": ["vhead", "_", "_"], "qid": qid}
        for qid, (question, answer, language) in enumerate((("Is it CT?", "Yes", "en"), ("是CT吗？", "是", "zh")))
    ]  # fmt: skip
    other = [{**asked[0], "img_id": 2, "img_name": "xmlab2/source.jpg", "qid": 9}]
    root = put({"imgs/xmlab1/source.jpg": None, "imgs/xmlab2/source.jpg": None, "train.json": json.dumps(asked, ensure_ascii=False),
                "validate.json": json.dumps(other), "test.json": "[]"})  # fmt: skip
    lines = """
        reader:
          type: vqa_json
          options:
            table: ["*.json"]
            image_dir: [imgs]
            questions: {language: q_lang, key: qid, question_type: content_type, answer_type: answer_type}
            modality: modality
            anatomy: location
            split_from_path: true
        split: {policy: shipped}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        case = cases["imgs/xmlab1/source.jpg"]
        assert [(q.language, q.answer, q.answer_type) for q in case.questions] == [
            ("en", "Yes", "closed"),
            ("zh", "是", "closed"),
        ]
        assert (case.split, cases["imgs/xmlab2/source.jpg"].split) == ("train", "val")
        assert (case.acquisition.modality, case.acquisition.anatomy) == ("CT", "abdomen")


def test_vqa_rad_in_place(shared_data, read_spec, read_draft):
    lines = """
        reader:
          type: vqa_json
          options:
            image_dir: [VQA_RAD Image Folder]
            split: phrase_type
            split_values: {freeform: train, para: train, test_freeform: test, test_para: test}
        group: {by: field, field: image_name}
    """
    for cases, lost in (read_spec(shared_data / "vqa_rad", lines), read_draft(shared_data / "vqa_rad")):
        assert len(cases) == 50
        assert lost == {}
        assert all(case.questions for case in cases.values())


def test_path_vqa_pickles_are_refused_with_the_cure_and_parquet_is_read(
    put, tmp_path, read_spec, read_draft, picture_bytes
):
    import datasets

    root = put({"pickled/images/train/train_0000.jpg": None, "pickled/qas/train/train_qa.pkl": b"\x80\x04]\x94."})
    with pytest.raises(UserError, match="never loaded; rewrite it as JSON or Parquet"):
        read_draft(root / "pickled")
    rows = {
        "image": [{"bytes": picture_bytes(seed=n), "path": None} for n in (1, 2)],
        "question": ["where?", "is it liver?"],
        "answer": ["liver", "yes"],
    }
    features = datasets.Features(
        {"image": datasets.Image(), "question": datasets.Value("string"), "answer": datasets.Value("string")}
    )
    (tmp_path / "hf/data").mkdir(parents=True)
    for split in ("train", "validation"):
        datasets.Dataset.from_dict(rows, features=features).to_parquet(
            tmp_path / f"hf/data/{split}-00000-of-00001-ab12.parquet"
        )
    lines = """
        reader:
          type: table
          options: {table: [data/*.parquet], questions: {}, split_from_path: true}
    """
    for cases, lost in (read_spec(tmp_path / "hf", lines), read_draft(tmp_path / "hf")):
        assert lost == {}
        case = cases["data/validation-00000-of-00001-ab12.parquet!/image/1"]
        assert [(q.question, q.answer, q.answer_type) for q in case.questions] == [("is it liver?", "yes", "closed")]
        assert sorted(case.split for case in cases.values()) == ["train", "train", "val", "val"]


def test_pmc_vqa_two(put, read_spec, read_draft):
    head = "index,Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split\n"
    root = put(
        {
            "images_2/PMC1_f1.jpg": None, "images_2/PMC2_f2.jpg": None,
            "train_2.csv": head + "0,PMC1_f1.jpg,Cap one.,What is seen?, A:Liver , B:Spleen , C:Kidney , D:Lung ,B,train\n",
            "test_2.csv": head + "0,PMC2_f2.jpg,Cap two.,Which side?, A:Left , B:Right ,,,A,test\n",
        }
    )  # fmt: skip
    lines = """
        reader:
          type: table
          options:
            table: ["*.csv"]
            image: [Figure_path]
            key: Figure_path
            join: true
            split_from_path: true
            questions: {question: Question, answer: "", options: [Choice A, Choice B, Choice C, Choice D], letter: Answer}
            texts: {caption: Caption}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        one, two = cases["PMC1_f1.jpg"], cases["PMC2_f2.jpg"]
        assert (one.questions[0].options, one.questions[0].answer) == (("Liver", "Spleen", "Kidney", "Lung"), "Spleen")
        assert (one.split, two.split, two.questions[0].answer, texts(two)) == (
            "train",
            "test",
            "Left",
            {"caption": "Cap two."},
        )


def test_omnimedvqa_gives_the_answers_text(put, read_spec, read_draft):
    asked = [{"dataset": "D", "question_id": "D_0", "question_type": "Modality Recognition", "question": "What?", "gt_answer": "CT",
              "image_path": "Images/d/1.png", "option_A": "MR", "option_B": "CT", "option_C": "US", "option_D": "OCT", "modality_type": "CT"}]  # fmt: skip
    root = put({"Images/d/1.png": None, "QA_information/Open-access/D.json": json.dumps(asked)})
    lines = """
        reader:
          type: vqa_json
          options:
            table: [QA_information/*/*.json]
            questions: {answer: gt_answer, options: [option_A, option_B, option_C, option_D], key: question_id}
            modality: modality_type
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (question,) = cases["Images/d/1.png"].questions
        assert (question.options, question.answer_index) == (("MR", "CT", "US", "OCT"), 1)


def test_vqa_med_2019_pipes(put, read_spec, read_draft):
    root = put({"Train_images/synpic1.jpg": None, "Val_images/synpic2.jpg": None,
                "All_QA_Pairs_train.txt": "synpic1|what plane is it?|axial\nsynpic1|mr?|no\n",
                "All_QA_Pairs_val.txt": "synpic2|what organ?|lung, mediastinum, pleura\n"})  # fmt: skip
    lines = """
        reader:
          type: table
          options:
            table: [All_QA_Pairs_*.txt]
            delimiter: "|"
            header: [img, question, answer]
            image: [img]
            key: img
            join: true
            questions: {}
            split_from_path: true
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        assert [(q.answer, q.answer_type) for q in cases["synpic1"].questions] == [("axial", "open"), ("no", "closed")]
        assert (cases["synpic1"].split, cases["synpic2"].split) == ("train", "val")


def test_roco_with_a_licence_for_every_picture(put, read_spec, read_draft):
    files = {}
    for split, number in (("train", 1), ("validation", 2)):
        name = f"PMC{number}_fig.jpg"
        files |= {
            f"{split}/radiology/images/{name}": None,
            f"{split}/radiology/captions.txt": f"ROCO_0000{number}\t A film, of {split}. \nROCO_00009\t Lost.\n",
            f"{split}/radiology/licences.txt": f"ROCO_0000{number},{name},CC BY-NC 4.0,a note\n",
            f"{split}/radiology/keywords.txt": f"ROCO_0000{number}\tfilm\tchest\n",
            f"{split}/radiology/cuis.txt": f"ROCO_0000{number}\tC0040405\n",
        }
    root = put(files)
    lines = r"""
        reader:
          type: table
          options:
            table: ["*/radiology/licences.txt"]
            delimiter: ","
            header: [id, image, "licence*"]
            key: id
            license: licence
            split_from_path: true
            lookup: {file: "*/radiology/captions.txt", delimiter: "\t", header: [id, caption], "on": id}
            texts: {caption: caption}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        case = cases["ROCO_00002"]
        assert (texts(case), case.split) == ({"caption": "A film, of validation."}, "val")
        assert case.license == "CC-BY-NC-4.0"


def test_roco_two(put, read_spec, read_draft):
    root = put({"train/ROCOv2_2023_train_000001.jpg": None, "test/ROCOv2_2023_test_000001.jpg": None,
                "train_captions.csv": "ID,Caption\nROCOv2_2023_train_000001,Head CT.\n",
                "test_captions.csv": 'ID,Caption\nROCOv2_2023_test_000001,"Chest, lateral."\n',
                "train_concepts.csv": "ID,CUIs\nROCOv2_2023_train_000001,C0040405;C0018670\n",
                "test_concepts.csv": "ID,CUIs\nROCOv2_2023_test_000001,C1306645\n"})  # fmt: skip
    lines = """
        reader:
          type: table
          options:
            table: ["*_captions.csv"]
            image: [ID]
            key: ID
            texts: {caption: Caption}
            split_from_path: true
            lookup: {file: "*_concepts.csv", "on": ID}
            labels: [CUIs]
            separator: ;
        labels: {C0040405: CT, C0018670: head, C1306645: X-ray}
    """
    cases, lost = read_spec(root, lines)
    assert lost == {}
    assert words(cases["ROCOv2_2023_train_000001"]) == {"CT": "present", "head": "present"}
    drafted, lost = read_draft(root)
    assert lost == {}
    assert {(texts(case)["caption"], case.split) for case in drafted.values()} == {
        ("Head CT.", "train"),
        ("Chest, lateral.", "test"),
    }


def test_pmc_oa_and_medicat(put, read_spec, read_draft):
    root = put(
        {
            "oa/images/PMC1_1.jpg": None, "oa/images/PMC1_2.jpg": None,
            "oa/pmc_oa.jsonl": lines_of({"image": "PMC1_1.jpg", "caption": "Cap."}, {"image": "PMC1_2.jpg", "caption": "Other."}),
            "mc/figures/abc_2-Figure1-1.png": None,
            "mc/s2_full_figures.jsonl": lines_of({"pdf_hash": "abc", "fig_uri": "2-Figure1-1.png", "s2_caption": "Figure 1.", "radiology": True,
                                                  "s2orc_references": ["see it", "and again"], "oa_info": {"license": "CC BY-NC 4.0"}}),
        }
    )  # fmt: skip
    lines = """
        reader: {type: table, options: {table: [pmc_oa.jsonl], image_dir: [images], texts: {caption: caption}}}
    """
    for cases, lost in (read_spec(root / "oa", lines), read_draft(root / "oa")):
        assert (lost, texts(cases["images/PMC1_1.jpg"])) == ({}, {"caption": "Cap."})
    lines = """
        reader:
          type: table
          options:
            image_template: "figures/{pdf_hash}_{fig_uri}"
            license: oa_info.license
            texts: {caption: s2_caption, mention: s2orc_references}
    """
    for cases, lost in (read_spec(root / "mc", lines), read_draft(root / "mc")):
        assert lost == {}
        (case,) = cases.values()
        assert [text.content for text in case.texts] == ["Figure 1.", "see it", "and again"]
        assert case.license == "CC-BY-NC-4.0"


def test_medpix_two_joins_its_pair_of_files(put, read_spec, read_draft):
    picture = {"Type": "CT", "U_id": "MPX1", "image": "MPX1_synpic1", "Location": "Lung", "Location Category": "Thorax",
               "Description": {"ACR Codes": "6.9", "Age": "45", "Caption": "A mass.", "Figure Part": "A", "Modality": "CT - noncontrast", "Plane": "Axial", "Sex": "male"}}  # fmt: skip
    told = {"U_id": "MPX1", "TAC": ["MPX1_synpic1"], "MRI": [], "Case": {"Title": "Mass", "History": "Cough.", "Findings": "A mass in the lung.", "Case Diagnosis": "Cancer"},
            "Topic": {"Title": "Cancer", "Disease Discussion": "Long.", "ACR Code": "6", "Category": "Neoplasm"}}  # fmt: skip
    root = put(
        {
            "images/MPX1_synpic1.png": None,
            "Descriptions.json": json.dumps([picture]),
            "Case_topic.json": json.dumps([told]),
        }
    )
    lines = """
        reader:
          type: table
          options:
            table: [Descriptions.json]
            image_dir: [images]
            lookup: {file: Case_topic.json, "on": U_id}
            texts: {caption: Description.Caption, findings: Case.Findings, history: Case.History}
            modality: Type
            plane: Description.Plane
            sex: Description.Sex
            age: Description.Age
        group: {by: field, field: U_id}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (case,) = cases.values()
        assert texts(case) == {"caption": "A mass.", "findings": "A mass in the lung.", "history": "Cough."}
        assert (case.group, case.acquisition.plane, case.acquisition.modality) == ("MPX1", "axial", "CT")
        assert (case.demographics.sex, case.demographics.age_years) == ("male", 45)


def test_open_i_as_xml_as_tables_and_as_r2gen(put, read_spec, read_draft):
    xml = "<eCitation><Abstract><AbstractText Label='FINDINGS'>Clear XXXX lungs.</AbstractText><AbstractText Label='IMPRESSION'>Normal.</AbstractText></Abstract>\
<MeSH><major>normal</major></MeSH><parentImage id='CXR1_1_IM-0001-3001'/><parentImage id='CXR1_1_IM-0001-4001'/></eCitation>"
    films = {"CXR1_1_IM-0001-3001.png": None, "CXR1_1_IM-0001-4001.png": None}
    study = {
        "id": "CXR1_1_IM-0001",
        "report": "Clear.",
        "image_path": ["CXR1_1_IM-0001/0.png", "CXR1_1_IM-0001/1.png"],
        "split": "val",
    }
    root = put(
        {
            "xml/ecgen-radiology/1.xml": xml, **{f"xml/png/{name}": None for name in films},
            **{f"csv/images/images_normalized/{name.replace('CXR', '').replace('_IM', '_IM')}": None for name in films},
            "csv/indiana_reports.csv": "uid,MeSH,Problems,image,indication,comparison,findings,impression\n1,normal,normal,Xray Chest,Pain.,None.,Clear.,Normal.\n",
            "csv/indiana_projections.csv": "uid,filename,projection\n1,1_1_IM-0001-3001.png,Frontal\n1,1_1_IM-0001-4001.png,Lateral\n",
            "r2/images/CXR1_1_IM-0001/0.png": None, "r2/images/CXR1_1_IM-0001/1.png": None,
            "r2/annotation.json": json.dumps({"train": [], "val": [study], "test": []}),
        }
    )  # fmt: skip
    lines = "reader: {type: openi}\n"
    for cases, lost in (read_spec(root / "xml", lines), read_draft(root / "xml")):
        assert lost == {}
        assert (len(cases["1"].images), texts(cases["1"])) == (
            2,
            {"findings": "Clear XXXX lungs.", "impression": "Normal."},
        )
    lines = """
        reader:
          type: table
          options:
            table: [indiana_projections.csv]
            image: [filename]
            key: uid
            join: true
            view: projection
            lookup: {file: indiana_reports.csv, "on": uid}
            texts: {findings: findings, impression: impression}
    """
    for cases, lost in (read_spec(root / "csv", lines), read_draft(root / "csv")):
        assert lost == {}
        assert (len(cases["1"].images), texts(cases["1"])["findings"]) == (2, "Clear.")
    lines = """
        reader:
          type: table
          options: {table: [annotation.json], records: "*", image: [image_path], image_dir: [images], key: id, split: split, texts: {report: report}}
    """
    for cases, lost in (read_spec(root / "r2", lines), read_draft(root / "r2")):
        assert lost == {}
        (case,) = cases.values()
        assert (len(case.images), case.split, texts(case)) == (2, "val", {"report": "Clear."})


LLAVA = [{"id": "a", "image": "PMC1.jpg", "domain": {"ct_scan": True},
          "conversations": [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A CT."}, {"from": "human", "value": "Where?"}, {"from": "gpt", "value": "Chest."}]},
         {"id": "b", "image": "PMC1.jpg", "conversations": [{"from": "human", "value": "Describe it.\n<image>"}, {"from": "gpt", "value": "A film."}]},
         {"id": "c", "conversations": [{"from": "human", "value": "What is asthma?"}, {"from": "gpt", "value": "A disease."}]}]  # fmt: skip


def test_llava_conversations(put, read_spec, read_draft):
    root = put({"images/PMC1.jpg": None, "llava_med_instruct.json": json.dumps(LLAVA)})
    lines = """
        reader:
          type: table
          options: {image_dir: [images], key: id, text_only: true, questions: {turns: conversations}}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        assert cases["a"].questions[0].turns == (("What is it?", "A CT."), ("Where?", "Chest."))
        assert (cases["b"].questions[0].question, cases["b"].questions[0].answer) == ("Describe it.", "A film.")
        assert (cases["c"].images, cases["c"].questions[0].answer) == ((), "A disease.")


def test_sharegpt_messages_with_several_images(put, read_spec, read_draft):
    record = {
        "messages": [
            {"role": "user", "content": "<image><image>Compare them."},
            {"role": "assistant", "content": "The second is worse."},
        ],
        "images": ["img/1.png", "img/2.png"],
    }
    root = put({"img/1.png": None, "img/2.png": None, "data.jsonl": lines_of(record),
                "dataset_info.json": json.dumps({"d": {"file_name": "data.jsonl", "formatting": "sharegpt", "columns": {"messages": "messages", "images": "images"}}})})  # fmt: skip
    lines = """
        reader:
          type: table
          options: {table: [data.jsonl], image: [images], join: true, questions: {turns: messages}}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (case,) = cases.values()
        assert (len(case.images), case.questions[0].question) == (2, "Compare them.")


def test_messages_of_openai_and_qwen_name_their_images_inside(put, read_draft):
    def record(part):
        said = [part, {"type": "text", "text": "What is it?"}]
        return {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": "A CT."}]}

    parts = ({"type": "image", "image": "img/1.png"}, {"type": "image_url", "image_url": {"url": "file://img/2.png"}})
    root = put({"img/1.png": None, "img/2.png": None, "data.jsonl": lines_of(*map(record, parts))})
    cases, lost = read_draft(root)
    assert (lost, set(cases)) == ({}, {"img/1.png", "img/2.png"})
    for key, case in cases.items():
        assert [image.files for image in case.images] == [(key,)]
        assert (case.questions[0].question, case.questions[0].answer) == ("What is it?", "A CT.")


def test_pubmedvision_lists_images_and_may_lack_the_token(put, read_spec, read_draft):
    record = {"id": "1", "image": ["images/p_0.jpg"], "conversations": [{"from": "human", "value": "What does it show?"}, {"from": "gpt", "value": "A knee."}],
              "body_part": "Knee", "modality": "Magnetic Resonance Imaging"}  # fmt: skip
    root = put({"images/p_0.jpg": None, "PubMedVision_Alignment_VQA.json": json.dumps([record])})
    lines = """
        reader:
          type: table
          options: {key: id, questions: {turns: conversations}, modality: modality, anatomy: body_part}
    """
    cases, lost = read_spec(root, lines)
    assert lost == {}
    assert (cases["1"].acquisition.modality, cases["1"].acquisition.anatomy) == ("MRI", "knee")
    drafted, lost = read_draft(root)
    assert (lost, drafted["1"].questions[0].answer) == ({}, "A knee.")


def test_m3d_questions_about_volumes_in_npy(put, tmp_path, read_spec, read_draft):
    volume = np.zeros((1, 6, 12, 10), np.float32)
    volume[0, 3, 2:5, 4:9] = 1
    (tmp_path / "M3D_Cap/ct/0").mkdir(parents=True)
    np.save(tmp_path / "M3D_Cap/ct/0/Axial.npy", volume)
    head = "Image Path,Text,Question Type,Question,Choice A,Choice B,Choice C,Choice D,Answer,Answer Choice\n"
    rows = "M3D_Cap/ct/0/Axial.npy,A mass.,1,Which plane?,Axial,Coronal,Sagittal,NA,Axial,A\nM3D_Cap/ct/0/Axial.npy,A mass.,3,Which organ?,Liver,Lung,Heart,Skin,Heart,C\n"
    root = put({"M3D_VQA_train.csv": head + rows})
    lines = """
        reader:
          type: table
          options:
            image: [Image Path]
            join: true
            questions: {question: Question, answer: Answer, options: [Choice A, Choice B, Choice C, Choice D], letter: Answer Choice}
            texts: {report: Text}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (case,) = cases.values()
        assert [(q.answer, q.answer_index) for q in case.questions] == [("Axial", 0), ("Heart", 2)]
        # Three of six slices along the first axis: 1, 3, 5, each 12 rows of 10 with the lower axis across.
        assert [(image.view.index, image.view.source_width, image.view.source_height) for image in case.images] == [
            (n, 12, 10) for n in (1, 3, 5)
        ]
        shown = np.asarray(Image.open(io.BytesIO(render(Source.open(str(root)), case.images[1]).data)))
        assert np.argwhere(shown > 0).min(axis=0).tolist() == [4, 2] and np.argwhere(shown > 0).max(
            axis=0
        ).tolist() == [8, 4]


def test_sat_lines_are_read_for_image_labels_split_and_patient(put, tmp_path, read_spec, read_draft):
    import nibabel as nib

    nib.save(nib.Nifti1Image(np.ones((6, 6, 6), np.int16), np.eye(4)), tmp_path / "x.nii.gz")
    record = {
        "image": "x.nii.gz",
        "mask": "m.nii.gz",
        "label": ["liver", "spleen"],
        "modality": "CT",
        "dataset": "D",
        "official_split": "train",
        "patient_id": "p1",
    }
    root = put({"sat.jsonl": lines_of(record)})
    lines = """
        reader: {type: table, options: {table: [sat.jsonl], labels: [label], split: official_split, modality: modality}}
        labels: {liver: liver, spleen: spleen}
        group: {by: field, field: patient_id}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (case,) = cases.values()
        assert (words(case), case.split, case.group) == ({"liver": "present", "spleen": "present"}, "train", "p1")
