"""Classification, detection and 2D segmentation sets as their publishers lay them out, each value by hand."""

# ruff: noqa: E501 - lines of tables as they are published

import gzip

import numpy as np

from .conftest import boxes, texts, words


def mask(*box, size=(6, 8), value=255):
    """A mask of ``size`` (height, width) that is ``value`` in the box x0 y0 x1 y1."""
    out = np.zeros(size, np.uint8)
    x0, y0, x1, y1 = box
    out[y0:y1, x0:x1] = value
    return out


def test_shenzhen_labels_stand_in_file_names(put, read_spec, read_draft):
    root = put(
        {
            "CXR_png/CHNCXR_0001_0.png": None, "CXR_png/CHNCXR_0400_1.png": None,
            "ClinicalReadings/CHNCXR_0001_0.txt": "male 45yrs\n\nnormal\n",
            "ClinicalReadings/CHNCXR_0400_1.txt": "female  , 8 months\nright upper PTB\n",
        }
    )  # fmt: skip
    lines = r"""
        reader:
          type: named_files
          options:
            pattern: CXR_png/{id}_{label:[01]}.png
            texts: {paths: {report: "ClinicalReadings/{stem}.txt"}, person: true}
        labels: {"0": normal, "1": tuberculosis}
        label_kind: multi_class
        group: {by: field, field: id}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        healthy, ill = (cases[f"CXR_png/CHNCXR_{name}.png"] for name in ("0001_0", "0400_1"))
        assert (words(healthy), words(ill)) == ({"normal": "present"}, {"tuberculosis": "present"})
        assert (healthy.group, ill.group) == ("CHNCXR_0001", "CHNCXR_0400")
        assert (texts(healthy), texts(ill)) == ({"report": "normal"}, {"report": "right upper PTB"})
        assert (healthy.demographics.sex, healthy.demographics.age_years) == ("male", 45)
        assert (ill.demographics.sex, ill.demographics.age_years) == ("female", 0.67)


def test_montgomery_has_a_mask_for_each_lung(put, read_spec, read_draft):
    name = "MCUCXR_0104_1"
    root = put(
        {
            f"CXR_png/{name}.png": None,
            f"ClinicalReadings/{name}.txt": "Patient's Sex: F\nPatient's Age: 026Y\ncavity left\n",
            # The patient's right is the image's left.
            f"ManualMask/leftMask/{name}.png": mask(5, 1, 8, 5), f"ManualMask/rightMask/{name}.png": mask(0, 1, 3, 5),
        }
    )  # fmt: skip
    lines = r"""
        reader:
          type: mask_pairs
          options:
            image_pattern: CXR_png/{id}_{label:[01]}.png
            mask_pattern: ManualMask/{class:left|right}Mask/{id}_{label:[01]}.png
            texts: {paths: {report: "ClinicalReadings/{stem}.txt"}, person: true}
        labels: {"0": normal, "1": tuberculosis, left: left lung, right: right lung}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        (case,) = cases.values()
        assert case.key == "MCUCXR_0104"
        assert boxes(case) == [("left lung", 0, (5, 1, 8, 5)), ("right lung", 0, (0, 1, 3, 5))]
        assert words(case) == dict.fromkeys(("tuberculosis", "left lung", "right lung"), "present")
        assert (texts(case)["report"], case.demographics.sex, case.demographics.age_years) == (
            "cavity left",
            "female",
            26,
        )


def test_busi_classes_with_masks_mixed_in(put, read_spec, read_draft):
    root = put(
        {
            "benign/benign (1).png": None, "benign/benign (1)_mask.png": mask(1, 1, 3, 3),
            "benign/benign (1)_mask_1.png": mask(5, 2, 7, 5),
            "malignant/malignant (2).png": None, "malignant/malignant (2)_mask.png": mask(0, 0, 4, 4),
            "normal/normal (1).png": None, "normal/normal (1)_mask.png": mask(0, 0, 0, 0),
        }
    )  # fmt: skip
    lines = r"""
        reader:
          type: mask_pairs
          options:
            image_pattern: "{label}/{id:[^/_]+}.png"
            mask_pattern: "*/{id:[^/_]+}_mask{object:[_\\d]*}.png"
            binary: mass
        labels: {benign: benign, malignant: malignant, normal: normal, mass: breast mass}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        assert set(cases) == {"benign (1)", "malignant (2)", "normal (1)"}
        assert boxes(cases["benign (1)"]) == [("breast mass", 0, (1, 1, 3, 3)), ("breast mass", 0, (5, 2, 7, 5))]
        assert words(cases["malignant (2)"]) == {"malignant": "present", "breast mass": "present"}
        assert words(cases["normal (1)"]) == {"normal": "present"}
        assert cases["normal (1)"].regions == ()


def test_class_folders_with_nested_splits(put, read_spec, read_draft):
    root = put({f"{split}/{word}/{split}{n}.jpg": None for split in ("train", "test") for word in ("NORMAL", "PNEUMONIA")
                for n in (1, 2)})  # fmt: skip
    lines = """
        reader: {type: class_folders}
        labels: {NORMAL: normal, PNEUMONIA: pneumonia}
        label_kind: multi_class
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        assert len(cases) == 8
        case = cases["test/PNEUMONIA/test1.jpg"]
        assert (case.split, words(case)) == ("test", {"pneumonia": "present"})


def test_class_folders_above_their_splits_and_above_a_folder_of_images(put, read_draft):
    root = put(
        {
            f"a/{word}/{split}/{word}_{split}.jpg": None
            for word in ("benign", "malignant")
            for split in ("train", "test")
        }
    )
    cases, lost = read_draft(root / "a")
    assert lost == {}
    case = cases["malignant/test/malignant_test.jpg"]
    assert (case.split, words(case)) == ("test", {"malignant": "present"})
    put({f"b/{word}/images/{word}-{n}.png": None for word in ("COVID", "Normal") for n in (1, 2)})
    cases, lost = read_draft(root / "b")
    assert (lost, words(cases["COVID/images/COVID-1.png"])) == ({}, {"COVID-19": "present"})


def test_classes_with_a_folder_of_masks_in_each(put, read_draft, read_spec):
    # The COVID-19 radiography database.
    files = {f"{word}/images/{word}-{n}.png": None for word in ("COVID", "Normal") for n in (1, 2)}
    files |= {f"{word}/masks/{word}-{n}.png": mask(1, 1, 3, 3) for word in ("COVID", "Normal") for n in (1, 2)}
    cases, lost = read_draft(put(files))
    assert lost == {}
    assert words(cases["COVID-1"]) == {"COVID-19": "present", "foreground": "present"}
    assert boxes(cases["Normal-2"]) == [("foreground", 0, (1, 1, 3, 3))]
    root = put({})
    lines = """
        reader: {type: class_folders, options: {level: -2}}
        labels: {COVID: COVID-19, Normal: normal}
    """
    assert len(read_spec(root, lines)[0]) == 4, "the masks are no pictures of the class"


CHEXPERT = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,\
Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"
)


def test_chexpert_keeps_uncertainty_and_its_archives_prefix(put, read_spec, read_draft):
    path = "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg"
    valid = "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg"
    row = f"{path},Female,68,Frontal,AP,,,-1.0,0.0,,1.0,,,,,,,,\n"
    root = put(
        {
            path.partition("/")[2]: None, valid.partition("/")[2]: None, "train.csv": f"{CHEXPERT}\n{row}",
            "valid.csv": f"{CHEXPERT}\n{valid},Male,73,Frontal,PA,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n",
        }
    )  # fmt: skip
    lines = r"""
        reader:
          type: table
          options:
            table: ["*.csv"]
            image: [Path]
            one_hot: [No Finding, Cardiomegaly, Lung Opacity, Edema]
            sex: Sex
            age: Age
            view: AP/PA
            split_from_path: true
        labels: {No Finding: no finding, Cardiomegaly: cardiomegaly, Lung Opacity: lung opacity, Edema: edema of lung}
        group: {by: pattern, pattern: "(patient\\d+)"}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        case = cases["train/patient00001/study1/view1_frontal.jpg"]
        wanted = {"cardiomegaly": "uncertain", "lung opacity": "absent", "edema of lung": "present"}
        assert words(case) == wanted
        assert (case.group, case.split, case.acquisition.view) == ("patient00001", "train", "AP")
        assert (case.demographics.sex, case.demographics.age_years) == ("female", 68)
        healthy = cases["valid/patient64541/study1/view1_frontal.jpg"]
        assert (healthy.split, words(healthy)["no finding"], words(healthy)["edema of lung"]) == (
            "val",
            "present",
            "absent",
        )


def test_nih_chest_films_with_lists_of_findings_and_of_splits(put, read_spec, read_draft):
    head = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
    rows = "00000001_000.png,Cardiomegaly|Emphysema,0,1,058Y,M,PA\n00000002_000.png,No Finding,0,2,81,F,AP\n"
    root = put(
        {
            "images_001/images/00000001_000.png": None, "images_002/images/00000002_000.png": None,
            "Data_Entry_2017.csv": f"{head}\n{rows}", "train_val_list.txt": "00000001_000.png",
            "test_list.txt": "00000002_000.png\n",
        }
    )  # fmt: skip
    lines = """
        reader:
          type: table
          options:
            table: [Data_Entry_2017.csv]
            image: [Image Index]
            key: Image Index
            labels: [Finding Labels]
            split_files: {train: train_val_list.txt, test: test_list.txt}
            age: Patient Age
            sex: Patient Gender
            view: View Position
        labels: {Cardiomegaly: cardiomegaly, Emphysema: emphysema, No Finding: no finding}
        group: {by: field, field: Patient ID}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        one, two = cases["00000001_000.png"], cases["00000002_000.png"]
        assert words(one) == {"cardiomegaly": "present", "emphysema": "present"}
        assert (one.group, one.split, one.demographics.age_years, one.acquisition.view) == ("1", "train", 58, "PA")
        assert (two.group, two.split, words(two)) == ("2", "test", {"no finding": "present"})


def test_vindr_boxes_of_three_readers_come_to_one_where_two_agree(put, read_spec, read_draft):
    rows = [
        "a,Nodule/Mass,8,R1,1,1,5,5", "a,Nodule/Mass,8,R2,1,1,5,4", "a,Nodule/Mass,8,R3,6,4,8,6", "b,No finding,14,R1,,,,",
        "b,Cardiomegaly,3,R2,2,2,6,6", "b,No finding,14,R3,,,,",
    ]  # fmt: skip
    head = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
    root = put({"train/a.png": None, "train/b.png": None, "train.csv": head + "\n".join(rows)})
    lines = """
        reader:
          type: table
          options:
            image: [image_id]
            join: true
            boxes: {x: x_min, y: y_min, x2: x_max, y2: y_max, label: class_name, observer: rad_id}
            agreement: majority
        labels: {Nodule/Mass: lung nodule, Cardiomegaly: cardiomegaly}
        ignore_labels: [No finding]
    """
    cases, lost = read_spec(root, lines)
    assert lost == {}
    # R1 and R2 overlap by 12 / 16; the mean of their lower edges 5 and 4 is 4.5.  R3 and, on b, R2 stand alone.
    assert boxes(cases["train/a.png"]) == [("lung nodule", 0, (1, 1, 5, 4.5))]
    assert (boxes(cases["train/b.png"]), cases["train/b.png"].complete_regions) == ([], True)
    apart, _ = read_spec(root, lines.replace("agreement: majority", "agreement: apart"))
    assert [region.instance for region in apart["train/a.png"].regions] == ["R1", "R2", "R3"]
    assert not apart["train/a.png"].complete_regions, "one object marked twice must not be counted as two"
    every, _ = read_spec(root, lines.replace("agreement: majority", "agreement: any"))
    assert [len(case.regions) for case in every.values()] == [2, 1]
    drafted, lost = read_draft(root)
    assert lost == {}
    assert [box for _, _, box in boxes(drafted["train/a.png"])] == [(1, 1, 5, 4.5)]


def test_rsna_boxes_and_targets(put, read_spec, read_draft):
    head = "patientId,x,y,width,height,Target\n"
    root = put({"stage_2_train_images/p1.png": None, "stage_2_train_images/p2.png": None,
                "stage_2_train_labels.csv": f"{head}p1,1.0,2.0,3.0,4.0,1\np1,5.0,0.0,2.0,2.0,1\np2,,,,,0\n"})  # fmt: skip
    lines = """
        reader:
          type: table
          options:
            image: [patientId]
            join: true
            one_hot: [Target]
            boxes: {x: x, y: y, width: width, height: height, word: Lung Opacity}
        labels: {Target: pneumonia, Lung Opacity: lung opacity}
        group: {by: field, field: patientId}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        ill, well = cases["stage_2_train_images/p1.png"], cases["stage_2_train_images/p2.png"]
        assert boxes(ill) == [("lung opacity", 0, (1, 2, 4, 6)), ("lung opacity", 0, (5, 0, 7, 2))]
        assert (words(ill), words(well), ill.group) == ({"pneumonia": "present"}, {"pneumonia": "absent"}, "p1")


def test_siim_run_lengths_count_gaps_down_the_columns(put, read_spec, read_draft):
    # 8 wide, 6 high: skip 7 = column 1 from row 1, run 2; skip 4 = column 2 from row 1, run 2.
    root = put({"dicom-images-train/s/t/1.2.3.png": None, "dicom-images-train/s/t/1.2.4.png": None,
                "train-rle.csv": "ImageId, EncodedPixels\n1.2.3, 7 2 4 2\n1.2.4, -1\n"})  # fmt: skip
    lines = """
        reader:
          type: table
          options:
            image: [ImageId]
            join: true
            runs: {column: EncodedPixels, word: Pneumothorax, relative: true}
        labels: {Pneumothorax: pneumothorax}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        assert boxes(cases["dicom-images-train/s/t/1.2.3.png"]) == [("pneumothorax", 0, (1, 1, 3, 3))]
        assert boxes(cases["dicom-images-train/s/t/1.2.4.png"]) == []


def test_ham10000_and_isic_one_hot(put, read_spec, read_draft, tmp_path):
    root = put(
        {
            "ham/HAM10000_images_part_1/ISIC_1.jpg": None, "ham/HAM10000_images_part_2/ISIC_2.jpg": None,
            "ham/HAM10000_metadata.csv": "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
            "HAM_1,ISIC_1,mel,histo,80.0,male,back\nHAM_1,ISIC_2,mel,histo,80.0,male,back\n",
            "isic/ISIC_2019_Training_Input/ISIC_5.jpg": None, "isic/ISIC_2019_Training_Input/ISIC_6.jpg": None,
            "isic/ISIC_2019_Training_GroundTruth.csv": "image,MEL,NV,BCC\nISIC_5,0.0,1.0,0.0\nISIC_6,1.0,0.0,0.0\n",
        }
    )  # fmt: skip
    lines = """
        reader:
          type: table
          options: {image: [image_id], labels: [dx], sex: sex, age: age}
        labels: {mel: melanoma}
        group: {by: field, field: lesion_id}
    """
    for cases, lost in (read_spec(root / "ham", lines), read_draft(root / "ham")):
        assert lost == {}
        assert {(case.group, *words(case)) for case in cases.values()} == {("HAM_1", "melanoma")}
        assert {case.demographics.age_years for case in cases.values()} == {80}
    lines = """
        reader:
          type: table
          options: {one_hot: [MEL, NV, BCC]}
        labels: {MEL: melanoma, NV: melanocytic nevus, BCC: basal cell carcinoma}
    """
    for cases, lost in (read_spec(root / "isic", lines), read_draft(root / "isic")):
        assert lost == {}
        said = [label.polarity for label in cases["ISIC_2019_Training_Input/ISIC_5.jpg"].labels]
        assert said == ["absent", "present", "absent"]


def test_sa_med2d_one_file_per_class_and_instance(put, read_spec, read_draft):
    stem = "ct_00--AbdomenCT1K--Case_00011--x_0040"
    root = put({f"images/{stem}.png": None, f"masks/{stem}--0003_000.png": mask(1, 1, 4, 3),
                f"masks/{stem}--0003_001.png": mask(5, 4, 7, 6)})  # fmt: skip
    lines = r"""
        reader:
          type: mask_pairs
          options:
            image_pattern: images/{id}.png
            mask_pattern: masks/{id}--{class:\d+}_{object:\d+}.png
        labels: {"0003": kidney}
        group: {by: pattern, pattern: "--(.+)--[xyz]_"}
    """
    cases, lost = read_spec(root, lines)
    assert lost == {}
    assert [box for _, _, box in boxes(read_draft(root)[0][stem])] == [(1, 1, 4, 3), (5, 4, 7, 6)]
    assert boxes(cases[stem]) == [("kidney", 0, (1, 1, 4, 3)), ("kidney", 0, (5, 4, 7, 6))]
    assert ([region.instance for region in cases[stem].regions], cases[stem].group) == (
        ["000", "001"], "AbdomenCT1K--Case_00011",
    )  # fmt: skip


def test_biomedparse_says_everything_in_names(put, read_spec, read_draft):
    root = put({"train/img1_MRI-T2_prostate.png": None, "train_mask/img1_MRI-T2_prostate_transition+zone.png": mask(2, 2, 5, 5),
                "test/img2_CT_abdomen.png": None, "test_mask/img2_CT_abdomen_liver.png": mask(0, 0, 2, 2)})  # fmt: skip
    lines = r"""
        reader:
          type: mask_pairs
          options:
            image_pattern: "{split:train|test}/{id}_{modality:[^/_]+}_{anatomy:[^/_]+}.png"
            mask_pattern: "{split:train|test}_mask/{id}_{modality:[^/_]+}_{anatomy:[^/_]+}_{class:[^/_]+}.png"
        labels: {transition+zone: transition zone of prostate, liver: liver}
    """
    for cases, lost in (read_spec(root, lines), read_draft(root)):
        assert lost == {}
        case = cases["test/img2"]
        assert (case.split, case.acquisition.modality, case.acquisition.anatomy) == ("test", "CT", "abdomen")
        assert boxes(case) == [("liver", 0, (0, 0, 2, 2))]


def test_medmnist_and_medsegbench(tmp_path, read_spec, read_draft):
    (tmp_path / "m").mkdir()
    (tmp_path / "s").mkdir()
    arrays = {f"{split}_images": np.full((2, 28, 28), 90, np.uint8) for split in ("train", "val", "test")}
    labels = {f"{split}_labels": np.array([[0], [1]], np.uint8) for split in ("train", "val", "test")}
    np.savez(tmp_path / "m/pneumoniamnist.npz", **arrays, **labels)
    masks = {
        f"{split}_label": np.stack([mask(3, 4, 9, 9, size=(28, 28), value=1)] * 2) for split in ("train", "val", "test")
    }
    np.savez(tmp_path / "s/busi_128.npz", **arrays, **masks)
    lines = """
        reader: {type: npz, options: {classes: {0: normal, 1: pneumonia}}}
        labels: {normal: normal, pneumonia: pneumonia}
        label_kind: multi_class
    """
    cases, lost = read_spec(tmp_path / "m", lines)
    assert (lost, len(cases)) == ({}, 6)
    assert (words(cases["val/1"]), cases["val/1"].split) == ({"pneumonia": "present"}, "val")
    drafted, lost = read_draft(tmp_path / "m")
    assert (lost, words(drafted["val/1"]), words(drafted["val/0"])) == (
        {},
        {"pneumonia": "present"},
        {"normal": "present"},
    )
    (tmp_path / "m/pneumoniamnist.npz").rename(tmp_path / "m/mystery_64.npz")
    drafted, lost = read_draft(tmp_path / "m")
    assert (lost, {label.original for case in drafted.values() for label in case.labels}) == (
        {},
        {"class_0", "class_1"},
    )
    lines = """
        reader: {type: npz, options: {binary: mass}}
        labels: {mass: breast mass}
    """
    for cases, lost in (read_spec(tmp_path / "s", lines), read_draft(tmp_path / "s")):
        assert (lost, len(cases)) == ({}, 6)
        assert [box for _, _, box in boxes(cases["test/0"])] == [(3, 4, 9, 9)]


def test_gzipped_tables_are_tables(put, read_spec):
    root = put({"x.png": None, "t.csv.gz": gzip.compress(b"image,label\nx.png,A\n")})
    lines = """
        reader: {type: table, options: {labels: [label]}}
        labels: {A: pneumonia}
    """
    cases, lost = read_spec(root, lines)
    assert (lost, words(cases["x.png"])) == ({}, {"pneumonia": "present"})
