"""Tables, JSON lists, folders: what their columns and names come out as."""

import json
import zipfile

import pytest

from schemas.errors import UserError

AB = {"A": "alpha", "B": "beta"}
IMAGES = {"images/x1.jpg": None, "images/x2.jpg": None, "images/x3.jpg": None}


def _labels(case):
    return [(label.name, label.polarity) for label in case.labels]


def test_one_label_column(put, ingest):
    root = put(
        {**IMAGES, "t.csv": "image,label,who,sex,age,split,side\nx1,A,p1,F,045Y,valid,L\nx2.jpg,B,p2,m,7,test,\n"}
    )
    options = {
        "image_dir": ["images"],
        "labels": ["label"],
        "sex": "sex",
        "age": "age",
        "split": "split",
        "laterality": "side",
    }
    cases, refused = ingest(root, "table", options, labels=AB, group={"by": "field", "field": "who"})
    assert refused == {}
    first, second = cases["images/x1.jpg"], cases["images/x2.jpg"]
    assert (_labels(first), _labels(second)) == ([("alpha", "present")], [("beta", "present")])
    assert (first.group, first.split, second.split) == ("p1", "val", "test")
    assert (first.demographics.sex, first.demographics.age_years) == ("female", 45)
    assert (second.demographics.sex, first.acquisition.laterality) == ("male", "left")


def test_one_hot_columns_say_present_absent_and_uncertain(put, ingest):
    root = put({**IMAGES, "t.csv": "image,A,B\nx1,1.0,0\nx2,-1,\nx3,0,maybe\n"})
    cases, refused = ingest(root, "table", {"image_dir": ["images"], "one_hot": ["A", "B"]}, labels=AB)
    assert _labels(cases["images/x1.jpg"]) == [("alpha", "present"), ("beta", "absent")]
    assert _labels(cases["images/x2.jpg"]) == [("alpha", "uncertain")]
    assert refused == {"images/x3.jpg": ("bad_value", "failed")}


def test_an_image_column_that_is_not_there_is_named_with_the_nearest(put, spec_of):
    from readers.base import open_reader

    root = put({**IMAGES, "t.csv": "file,A\nx1,1\n"})
    reader = open_reader(spec_of(root, "table", {"image_dir": ["images"], "image": ["flie"]}))
    (refusal,) = reader.items()
    assert refusal.detail == "record 2 names no image and no key; it has no column 'flie'; did you mean 'file'?"


def test_listed_labels_and_what_they_leave_out(put, ingest):
    root = put({**IMAGES, "t.tsv": "image\tlabel\nx1\tA|B\nx2\tA\nx3\t\n"})
    options = {"image_dir": ["images"], "labels": ["label"]}
    cases, _ = ingest(root, "table", options, labels=AB)
    assert _labels(cases["images/x2.jpg"]) == [("alpha", "present")]
    assert _labels(cases["images/x3.jpg"]) == []
    cases, _ = ingest(root, "table", {**options, "listed_is_complete": True}, labels=AB)
    assert _labels(cases["images/x1.jpg"]) == [("alpha", "present"), ("beta", "present")]
    assert _labels(cases["images/x2.jpg"]) == [("alpha", "present"), ("beta", "absent")]


def test_a_word_that_nobody_mapped_is_named_with_the_nearest(put, ingest, spec_of):
    from readers.base import open_reader
    from schemas.errors import CaseError

    root = put({**IMAGES, "t.csv": "image,label\nx1,Pneumonie\nx2,junk\nx3,Pneumonia\n"})
    options = {"image_dir": ["images"], "labels": ["label"]}
    fields = {"labels": {"Pneumonia": "pneumonia"}, "ignore_labels": ["junk"]}
    cases, refused = ingest(root, "table", options, **fields)
    assert refused == {"images/x1.jpg": ("label_not_in_map", "quarantined")}
    assert _labels(cases["images/x2.jpg"]) == []
    reader = open_reader(spec_of(root, "table", options, **fields))
    with pytest.raises(CaseError, match=r"'Pneumonie'.*did you mean 'Pneumonia'"):
        reader.read(next(iter(reader.items())))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"labels": ["lable"]}, "no column 'lable'.*did you mean 'label'"),
        ({"table": ["nope.csv"]}, "nope.csv"),
        ({"image_template": "{pic}.jpg"}, "does not fit the columns"),
        ({"lables": ["label"]}, "unknown key 'lables'.*did you mean 'labels'"),
    ],
)
def test_wrong_options_are_said_in_one_sentence(put, ingest, options, sentence):
    root = put({**IMAGES, "t.csv": "image,label\nx1,A\n"})
    with pytest.raises(UserError, match=sentence):
        ingest(root, "table", {"image_dir": ["images"], **options}, labels=AB)


def test_constant_labels_texts_and_licences(put, ingest):
    lines = [
        {"image": "images/x1.jpg", "caption": " A film. ", "license": "CC BY 4.0"},
        {"image": "images/x2.jpg", "caption": None, "license": "CC BY-SA"},
    ]
    root = put(
        {**IMAGES, "t.jsonl": "\n".join(map(json.dumps, lines)), "r/x1.txt": "FINDINGS: none.\r\n", "x.txt": "not it"}
    )
    options = {
        "table": ["t.jsonl"], "always": ["A"], "texts": {"caption": "caption"}, "license": "license",
        "text_files": {"report": "r/{stem}.txt"},
    }  # fmt: skip
    cases, _ = ingest(root, "table", options, labels=AB)
    first, second = cases["images/x1.jpg"], cases["images/x2.jpg"]
    assert [(text.kind, text.content) for text in first.texts] == [
        ("caption", "A film."),
        ("report", "FINDINGS: none."),
    ]
    assert second.texts == ()
    assert (first.license, second.license) == ("CC-BY-4.0", "LicenseRef-CC-BY-SA")
    assert _labels(second) == [("alpha", "present")]


def test_split_lists_and_filters(put, ingest):
    root = put(
        {**IMAGES, "t.csv": "image,kind\nx1,a\nx2,a\nx3,b\n", "train.txt": "x1.jpg\n", "test.txt": "x2.jpg\nx3.jpg\n"}
    )
    options = {
        "table": ["t.csv"], "image_dir": ["images"], "split_files": {"train": "train.txt", "test": "test.txt"},
        "where": {"kind": ["a"]},
    }  # fmt: skip
    cases, refused = ingest(root, "table", options)
    assert {key: case.split for key, case in cases.items()} == {"images/x1.jpg": "train", "images/x2.jpg": "test"}
    assert refused == {"t.csv:4": ("not_selected", "filtered")}


def test_boxes_in_columns_are_joined_by_image(put, ingest):
    table = "image,cls,x_min,y_min,x_max,y_max\nx1,A,1,2,3,4\nx1,B,0,0,8,6\nx2,,,,,\n"
    root = put({**IMAGES, "t.csv": table})
    boxes = {"x": "x_min", "y": "y_min", "x2": "x_max", "y2": "y_max", "label": "cls"}
    cases, refused = ingest(root, "table", {"image_dir": ["images"], "join": True, "boxes": boxes}, labels=AB)
    assert refused == {}
    assert [(r.label, r.box) for r in cases["images/x1.jpg"].regions] == [
        ("alpha", (1, 2, 3, 4)),
        ("beta", (0, 0, 8, 6)),
    ]
    assert cases["images/x2.jpg"].regions == ()
    centred = {
        "x": "x_min",
        "y": "y_min",
        "width": "x_max",
        "height": "y_max",
        "word": "A",
        "centre": True,
        "normalised": True,
    }
    root = put({"t.csv": "image,x_min,y_min,x_max,y_max\nx1,0.5,0.5,0.25,0.5\n"})
    cases, _ = ingest(root, "table", {"image_dir": ["images"], "join": True, "boxes": centred}, labels=AB)
    assert cases["images/x1.jpg"].regions[0].box == (3, 1.5, 5, 4.5)


def test_run_lengths_in_columns(put, ingest):
    # 1-based, down the columns of a picture 6 high: 8 is column 1, row 1.
    root = put({**IMAGES, "t.csv": "image,rle\nx1,8 2 14 1\nx2,-1\nx3,40 99\n"})
    options = {"image_dir": ["images"], "runs": {"column": "rle", "word": "A"}}
    cases, refused = ingest(root, "table", options, labels=AB)
    (region,) = cases["images/x1.jpg"].regions
    assert (region.box, region.area) == ((1, 1, 3, 3), 3)
    assert cases["images/x2.jpg"].regions == ()
    assert refused == {"images/x3.jpg": ("bad_mask", "failed")}
    # Relative: 7 from the start, then 4 from the end of the first run: 7..8, 13.
    root = put({"t.csv": "image,rle\nx1,7 2 4 1\n"})
    options["runs"]["relative"] = True
    cases, _ = ingest(root, "table", options, labels=AB)
    assert (cases["images/x1.jpg"].regions[0].box, cases["images/x1.jpg"].regions[0].area) == ((1, 1, 3, 3), 3)


def test_questions_of_one_image_are_one_case(put, ingest):
    asked = [
        {"qid": 1, "image_name": "x1.jpg", "question": " How many? ", "answer": 3, "answer_type": "OPEN "},
        {"qid": 2, "image_name": "x1.jpg", "question": "Normal?", "answer": "No", "answer_type": "CLOSED"},
        {"qid": 3, "image_name": "x2.jpg", "question": "What?", "answer": "NULL", "answer_type": "OPEN"},
        {"qid": 4, "image_name": "x2.jpg", "question": "Where?", "answer": "left", "phrase": "test_para"},
        {"qid": 5, "image_name": "x1.jpg", "question": "Where?", "answer": "left", "phrase": "test_para"},
    ]
    root = put({**IMAGES, "q.json": json.dumps(asked)})
    options = {"image_dir": ["images"], "split": "phrase", "split_values": {"test_para": "test", "": "train"}}
    cases, refused = ingest(root, "vqa_json", options, split={"policy": "shipped"})
    assert refused == {"images/x2.jpg#train": ("missing_answer", "quarantined")}
    first = cases["images/x1.jpg#train"]
    assert [(q.question, q.answer, q.answer_type, q.key) for q in first.questions] == [
        ("How many?", "3", "open", "1"),
        ("Normal?", "No", "closed", "2"),
    ]
    assert (first.split, cases["images/x1.jpg#test"].split) == ("train", "test")
    # Split anew, a picture is one case with all its questions.
    whole, _ = ingest(root, "vqa_json", options)
    assert [q.key for q in whole["images/x1.jpg"].questions] == ["1", "2", "5"]
    assert whole["images/x1.jpg"].split == ""


def test_options_lose_their_letters_and_answers_get_their_text(put, ingest):
    table = "Figure_path,Question,Answer,Choice A,Choice B,Answer_label\nx1.jpg,Which?,, A:lung , B:liver ,B\n"
    root = put({**IMAGES, "t.csv": table})
    questions = {
        "question": "Question",
        "answer": "Answer",
        "options": ["Choice A", "Choice B"],
        "letter": "Answer_label",
    }
    cases, _ = ingest(root, "table", {"image": ["Figure_path"], "image_dir": ["images"], "questions": questions})
    (question,) = cases["images/x1.jpg"].questions
    assert (question.options, question.answer, question.answer_index) == (("lung", "liver"), "liver", 1)
    assert question.answer_type == "choice"


def test_dialogues_lose_their_placeholders(put, ingest):
    talk = [
        {"from": "human", "value": "<image>\nWhat is it?"},
        {"from": "gpt", "value": "A film."},
        {"from": "human", "value": "Sure?"},
        {"from": "gpt", "value": "Yes."},
    ]
    data = [
        {"id": "1", "image": "x1.jpg", "conversations": talk},
        {"id": "2", "image": "x2.jpg", "conversations": talk[:1]},
    ]
    root = put({**IMAGES, "t.json": json.dumps(data)})
    options = {"image_dir": ["images"], "key": "id", "questions": {"turns": "conversations"}}
    cases, refused = ingest(root, "table", options)
    (dialogue,) = cases["1"].questions
    assert dialogue.turns == (("What is it?", "A film."), ("Sure?", "Yes."))
    assert refused == {"2": ("broken_dialogue", "quarantined")}


def test_several_pictures_of_one_study(put, ingest):
    root = put(
        {
            **IMAGES,
            "t.json": json.dumps({"train": [{"id": "s1", "image_path": ["x1.jpg", "x2.jpg"], "report": "Clear."}]}),
        }
    )
    options = {
        "records": "train",
        "image": ["image_path"],
        "image_dir": ["images"],
        "key": "id",
        "texts": {"report": "report"},
    }
    cases, _ = ingest(root, "table", options)
    assert [image.files[0] for image in cases["s1"].images] == ["images/x1.jpg", "images/x2.jpg"]


def test_spreadsheets_are_tables(put, ingest, tmp_path):
    put(IMAGES)
    _write_xlsx(tmp_path / "t.xlsx", [["image", "label", "who"], ["x1", "A", 1], ["x2", "B", 2]])
    options = {"image_dir": ["images"], "labels": ["label"]}
    cases, _ = ingest(tmp_path, "table", options, labels=AB, group={"by": "field", "field": "who"})
    assert [(key, case.group, _labels(case)) for key, case in cases.items()] == [
        ("images/x1.jpg", "1", [("alpha", "present")]),
        ("images/x2.jpg", "2", [("beta", "present")]),
    ]


def _write_xlsx(path, rows):
    """The least that a workbook needs, by hand."""

    def cell(value):
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    space = "http://schemas.openxmlformats.org/"
    kind = f"{space}officeDocument/2006/relationships"
    links = f'<Relationships xmlns="{space}package/2006/relationships"><Relationship Id="r1" Type="{kind}'
    sheet = "".join("<row>" + "".join(map(cell, row)) + "</row>" for row in rows)
    main = f'xmlns="{space}spreadsheetml/2006/main"'
    parts = {
        "_rels/.rels": f'{links}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{kind}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'{links}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{sheet}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as book:
        for name, text in parts.items():
            book.writestr(name, '<?xml version="1.0"?>' + text)


def test_labels_of_each_visit_are_of_its_own_image(put, ingest):
    root = put({**IMAGES, "t.csv": "image,who,label\nx1,p,A\nx2,p,B\n"})
    options = {"image_dir": ["images"], "key": "who", "join": True, "labels": ["label"], "labels_per_image": True}
    cases, _ = ingest(root, "table", options, labels=AB)
    assert [(label.name, label.image_index) for label in cases["p"].labels] == [("alpha", 0), ("beta", 1)]


def test_a_letter_counts_its_place_also_behind_an_empty_option(put, ingest):
    head = "image,question,A,B,C,D,answer\n"
    root = put({"x.png": None, "t.csv": head + "x.png,Which?,liver,,spleen,kidney,D\n"})
    questions = {"options": ["A", "B", "C", "D"], "answer": "", "letter": "answer"}
    cases, lost = ingest(root, "table", {"questions": questions})
    assert lost == {}
    (question,) = cases["x.png"].questions
    # D is the third option that is there.
    assert (question.options, question.answer_index, question.answer) == (("liver", "spleen", "kidney"), 2, "kidney")
