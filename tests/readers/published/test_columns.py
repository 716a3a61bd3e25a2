"""Tables that say by their columns what is on the pictures: recognised, drafted, and read by the draft."""

# ruff: noqa: E501 - lines of tables as they are published

import json

from readers.inspect import draft_spec, inspect

from .conftest import boxes, words


def test_boxes_are_found_by_the_names_of_their_columns_whatever_their_order(put, read_draft):
    # BCCD's test.csv: xmin, xmax, ymin, ymax.
    root = put({"JPEGImages/a.jpg": None, "JPEGImages/b.jpg": None,
                "test.csv": "filename,cell_type,xmin,xmax,ymin,ymax\na.jpg,RBC,1,5,2,6\na.jpg,WBC,3,8,1,4\nb.jpg,WBC,0,2,0,3\n"})  # fmt: skip
    assert "and boxes" in inspect(root)[0][1].why
    cases, lost = read_draft(root)
    assert lost == {}
    assert boxes(cases["JPEGImages/a.jpg"]) == [
        ("red blood cell", 0, (1, 2, 5, 6)),
        ("white blood cell", 0, (3, 1, 8, 4)),
    ]


def test_masks_placed_by_a_table_are_preferred_to_the_table_of_patients(shared_data, read_draft):
    root = shared_data / "seg2d_cxr_cropped_masks"
    (reader, said), *_ = inspect(root)
    assert (reader, said.options["table"]) == ("table", ["structure.csv"])
    assert said.options["masks"] == {"mask": "Mask", "label": "Class", "left": "Left", "top": "Top", "width": "Width", "height": "Height"}  # fmt: skip
    cases, lost = read_draft(root)
    assert (lost, len(cases)) == ({}, 3)
    assert sum(len(case.regions) for case in cases.values()) == 19


def test_lists_as_python_prints_them_are_lists(put, read_draft):
    head = "ImageID,StudyID,PatientID,Projection,Labels\n"
    root = put({"0/i1.png": None, "0/i2.png": None,
                "PADCHEST.csv": head + "i1.png,s1,p1,PA,\"['cardiomegaly', 'pleural effusion']\"\ni2.png,s2,p2,PA,\"['normal']\"\n"})  # fmt: skip
    text = draft_spec(root)
    assert "field: PatientID" in text, "the patient, not the study that stands before him"
    cases, lost = read_draft(root)
    assert lost == {}
    assert words(cases["0/i1.png"]) == {"cardiomegaly": "present", "pleural effusion": "present"}


def test_two_eyes_of_a_patient_are_one_case_and_his_age_is_no_group(put, read_draft):
    head = "ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus,cataract,glaucoma\n"
    files = {f"images/{n}_{side}.jpg": None for n in (0, 1) for side in ("left", "right")}
    root = put({**files, "full_df.csv": head + "0,69,Female,0_left.jpg,0_right.jpg,1,0\n1,57,Male,1_left.jpg,1_right.jpg,0,1\n"})  # fmt: skip
    assert "group: {by: none}" in draft_spec(root)
    cases, lost = read_draft(root)
    assert (lost, len(cases)) == ({}, 2)
    case = cases["images/0_left.jpg"]
    assert (len(case.images), case.demographics.age_years) == (2, 69)
    assert words(case) == {"cataract": "present", "glaucoma": "absent"}


def test_lesions_of_a_second_table_keep_their_pictures_together(put, read_draft):
    root = put({"Input/ISIC_1.jpg": None, "Input/ISIC_2.jpg": None,
                "GroundTruth.csv": "image,MEL,NV\nISIC_1,1.0,0.0\nISIC_2,1.0,0.0\n",
                "LesionGroupings.csv": "image,lesion_id,diagnosis_confirm_type\nISIC_1,HAM_7,histopathology\nISIC_2,HAM_7,histopathology\n"})  # fmt: skip
    cases, lost = read_draft(root)
    assert lost == {}
    assert {case.group for case in cases.values()} == {"HAM_7"}


def test_columns_of_licence_and_modality_are_used(put, read_draft):
    root = put({"a.png": None, "b.png": None,
                "metadata.csv": "filename,finding,modality,license\na.png,pneumonia,CR,CC BY-SA 4.0\nb.png,pneumonia,CR,CC0\n"})  # fmt: skip
    assert "modality: X-ray" in draft_spec(root)
    cases, lost = read_draft(root)
    assert lost == {}
    assert (cases["a.png"].license, cases["b.png"].license) == ("CC-BY-SA-4.0", "CC0-1.0")
    assert cases["a.png"].acquisition.modality == "X-ray"


def asked(**more) -> dict:
    return {"question": "Worse?", "options": {"A": "no change", "B": "worse"}, "answer": "B", **more}


def test_options_in_a_mapping_and_two_visits(put, read_draft):
    # MMXU: the answer is a letter of a mapping, and the films of two visits stand in two columns.
    record = asked(id="7", cur_image_path="img/1.png", prior_image_path="img/2.png")
    other = {**record, "id": "8", "cur_image_path": "img/3.png"}
    root = put({**{f"img/{n}.png": None for n in (1, 2, 3)}, "test.json": json.dumps([record, other])})
    cases, lost = read_draft(root)
    assert (lost, set(cases)) == ({}, {"img/1.png", "img/3.png"})
    case = cases["img/1.png"]
    assert [image.files for image in case.images] == [("img/1.png",), ("img/2.png",)]
    assert (case.questions[0].options, case.questions[0].answer) == (("no change", "worse"), "worse")


def test_options_in_a_list_and_images_in_a_list(put, read_draft):
    # MedVLM-R1: image is a list, the answer is text and the letter is called solution.
    record = {"image": ["img/1.png"], "problem": "What?\nA) CT\nB) MR", "question": "What?", "options": ["CT", "MR"],
              "solution": "B", "answer": "MR"}  # fmt: skip
    root = put({"img/1.png": None, "train.json": json.dumps([record])})
    cases, lost = read_draft(root)
    assert lost == {}
    (case,) = cases.values()
    assert (case.questions[0].answer, case.questions[0].answer_index) == ("MR", 1)


def test_pmc_vqa_one_has_its_letter_in_another_column(put, read_draft):
    head = "Figure_path,Question,Answer,Choice A,Choice B,Choice C,Choice D,Answer_label\n"
    root = put({"images/PMC1_f1.jpg": None, "train.csv": head + "PMC1_f1.jpg,What?, Spleen, A:Liver, B:Spleen, C:Kidney, D:Lung,B\n"})  # fmt: skip
    cases, lost = read_draft(root)
    assert lost == {}
    assert (cases["PMC1_f1.jpg"].questions[0].answer, cases["PMC1_f1.jpg"].split) == ("Spleen", "train")


def test_vqa_med_2020_is_told_by_its_pipes(put, read_draft):
    root = put({"Train_images/synpic1.jpg": None, "VQAnswering_2020_Train_QA_pairs.txt": "synpic1|what is it?|ct\n"})
    cases, lost = read_draft(root)
    assert (lost, cases["synpic1"].questions[0].answer, cases["synpic1"].split) == ({}, "ct", "train")


def test_nothing_is_given_away_before_its_terms_are_read(put):
    files = {f"{word}/{word}{n}.png": None for word in ("Pneumonia", "Normal") for n in range(3)}
    root = put(files)
    assert "access: restricted" in draft_spec(root)
    put({"LICENSE": "CC0 1.0 Universal"})
    assert "access: open" in draft_spec(root)
