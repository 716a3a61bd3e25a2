"""500 seeded rows over all converters, judged by a checker that was written apart from them.

It shares no code with `converters`: it decodes masks with pycocotools, carries every pixel to the view by itself, and
reads numbers, sides, counts and places out of the sentences with its own patterns.
"""

import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco

from schemas.case import Acquisition, Case, ImageRef, Label, Region
from schemas.context import Context
from schemas.plugins import load, names
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.view import View

from . import source_checks

W, H = 200, 160
ORGANS = {"liver": "livers", "spleen": "spleens", "left kidney": "left kidneys", "stomach": "stomachs"}
LESIONS = {"liver tumor": "liver tumors", "kidney cyst": "kidney cysts"}
CELLS = {"platelet": "platelets", "red blood cell": "red blood cells", "white blood cell": "white blood cells"}
PLURALS = ORGANS | LESIONS | CELLS
VIEWS = {
    "plain": View(W, H, W, H),
    "radiological": View(W, H, W, H, orientation="LP", axis=2, index=3, spacing=(0.8, 0.8)),
    "mirrored": View(W, H, W, H, (-1.0, 0.0, float(W), 0.0, 1.0, 0.0), orientation="RP", axis=2, index=3),
    "transposed": View(
        W, H, H, W, (0.0, 1.0, 0.0, 1.0, 0.0, 0.0), orientation="LI", axis=1, index=5, spacing=(1.5, 0.5)
    ),
}  # fmt: skip


# ---- cases ----------------------------------------------------------------------------------------------------------


def spec(labels, kind, modality="CT", anatomy="abdomen"):
    return DatasetSpec(
        name="ds", title="t", license="MIT", access="open", reader=ReaderChoice(type="x"), modality=modality,
        anatomy=anatomy, clinical_task="segmentation", labels={name: name for name in labels}, label_kind=kind,
    )  # fmt: skip


def ellipse(draw, taken):
    for _ in range(100):
        cu, cv = draw.uniform(20, W - 20), draw.uniform(20, H - 20)
        ru, rv = draw.uniform(6, 30), draw.uniform(6, 25)
        v, u = np.mgrid[:H, :W] + 0.5
        grid = ((u - cu) / ru) ** 2 + ((v - cv) / rv) ** 2 <= 1
        grid &= ~taken
        if grid.sum() > 60:
            return grid
    return None


def mask_region(grid, label, image):
    packed = coco.encode(np.asfortranarray(grid.astype(np.uint8)))
    rows, columns = np.nonzero(grid)
    edges = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    return Region(label, label, "mask", image, edges, packed["counts"].decode(), (H, W), area=float(grid.sum()))


def organ_case(number, draw):
    views = draw.sample(list(VIEWS.values()), 3)
    images = tuple(ImageRef((f"s{number}_{i}.png",), "image/png", view) for i, view in enumerate(views))
    regions = []
    for image in range(3):
        taken = np.zeros((H, W), bool)
        for label in draw.sample([*ORGANS, *LESIONS], draw.randint(2, 4)):
            grid = ellipse(draw, taken)
            if grid is not None:
                taken |= grid
                regions.append(mask_region(grid, label, image))
    case = Case("ds", f"organs-{number}", None, "", images, regions=tuple(regions))
    return case, spec([*ORGANS, *LESIONS], "none")


def cell_case(number, draw):
    regions = []
    for _ in range(draw.randint(1, 8)):
        u, v = draw.randint(0, W - 40), draw.randint(0, H - 40)
        edges = (float(u), float(v), float(u + draw.randint(8, 40)), float(v + draw.randint(8, 40)))
        regions.append(Region(draw.choice(list(CELLS)), "x", "box", 0, edges))
    image = ImageRef((f"c{number}.png",), "image/png", VIEWS[draw.choice(["plain", "plain", "mirrored"])])
    return Case("ds", f"cells-{number}", None, "", (image,), regions=tuple(regions)), spec(
        CELLS, "none", "microscopy", "blood"
    )


def label_case(number, draw):
    kind = draw.choice(["multi_class", "multi_label", "ordinal"])
    scale = (
        ["mild", "moderate", "severe"] if kind == "ordinal" else ["edema", "pneumonia", "fracture", "pleural effusion"]
    )
    images = tuple(ImageRef((f"l{number}_{i}.png",), "image/png", VIEWS["plain"]) for i in range(2))
    labels = []
    for image in range(2):
        if kind == "multi_label":
            for name in scale:
                labels.append(Label(name, name, draw.choice(["present", "absent", "uncertain", "present"]), image))
        else:
            labels.append(Label(draw.choice(scale), "x", "present", image))
    case = Case(
        "ds",
        f"labels-{number}",
        None,
        "",
        images,
        labels=tuple(labels),
        acquisition=Acquisition("X-ray", "chest", "PA"),
    )
    return case, spec(scale, kind, "X-ray", "chest")


def every_row():
    draw = random.Random(20261122)
    rows = []
    for number in range(60):
        for make in (organ_case, cell_case, label_case, *source_checks.CASES):
            case, described = make(number, draw)
            for name in names("converters"):
                kind = load("converters", name)
                rows += [
                    (row, case, described) for row in kind(kind.Options()).convert(case, Context(described, number))
                ]
    return rows


@pytest.fixture(scope="module")
def sample():
    """500 rows, as evenly over the converters as there are rows."""
    rows = every_row()
    random.Random(5).shuffle(rows)
    groups = {}
    for entry in rows:
        groups.setdefault(entry[0].provenance.converter, []).append(entry)
    chosen = []
    while len(chosen) < 500:
        for group in groups.values():
            if group and len(chosen) < 500:
                chosen.append(group.pop())
    return chosen


# ---- what the annotation says ---------------------------------------------------------------------------------------


def on_view(region, view):
    """The region's pixels or corners on the view: (points x, points y, box in view pixels)."""
    a, b, c, d, e, f = view.matrix
    if region.rle:
        grid = coco.decode({"counts": region.rle.encode(), "size": list(region.size)})
        v, u = np.nonzero(grid)
        x, y = a * (u + 0.5) + b * (v + 0.5) + c, d * (u + 0.5) + e * (v + 0.5) + f
        return x, y, (x.min() - 0.5, y.min() - 0.5, x.max() + 0.5, y.max() + 0.5)
    u0, v0, u1, v1 = region.box
    x = np.array([a * u + b * v + c for u in (u0, u1) for v in (v0, v1)])
    y = np.array([d * u + e * v + f for u in (u0, u1) for v in (v0, v1)])
    return x, y, (x.min(), y.min(), x.max(), y.max())


def fractions(region, view):
    x0, y0, x1, y1 = on_view(region, view)[2]
    return x0 / view.width, y0 / view.height, x1 / view.width, y1 / view.height


def centre(region, view):
    x, y, _ = on_view(region, view)
    return x.mean() / view.width, y.mean() / view.height


def on(case, image):
    return [region for region in case.regions if region.image_index == image]


def the(case, image, label):
    found = [region for region in on(case, image) if region.label == label]
    assert len(found) == 1, f"{label} stands {len(found)} times, so 'the {label}' means nothing"
    return found[0]


def present(case, described, image):
    """(present, absent, uncertain) on one image."""
    if case.regions:
        here = {region.label for region in on(case, image)}
        return here, set(described.canonical()) - here, set()
    said = {kind: {one.name for one in case.labels if one.image_index in (image, -1) and one.polarity == kind}
            for kind in ("present", "absent", "uncertain")}  # fmt: skip
    if described.label_kind != "multi_label":
        said["absent"] = set(described.canonical()) - said["present"]
    return said["present"], said["absent"], said["uncertain"]


def named(text, described):
    """Labels of the map that the text names, longest first."""
    found, rest = [], text.casefold()
    words = sorted(described.canonical(), key=len, reverse=True)
    for label in words:
        for form in (PLURALS.get(label, label), label):
            pattern = rf"(?<![\w]){re.escape(form)}(?![\w])"
            if re.search(pattern, rest):
                found.append(label)
                rest = re.sub(pattern, " ", rest)
    return list(dict.fromkeys(found))


# ---- statements -----------------------------------------------------------------------------------------------------

LETTER = {"left": "L", "right": "R", "anterior": "A", "posterior": "P", "superior": "S", "inferior": "I"}
OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}
PLACE = re.compile(
    r"(in the central part of the (?:field of view|image)|across most of the (?:field of view|image)|"
    r"on the patient's (?:left|right) side of the field of view|in the [a-z ]+? part of the (?:field of view|image)"
    r"(?:, on the patient's (?:left|right))?)"
)
RELATION = re.compile(
    r"(to the patient's left of|to the patient's right of|anterior to|posterior to|superior to|inferior to|"
    r"to the left of|to the right of|above|below)"
)


def check_place(phrase, region, view):
    x, y = centre(region, view)
    x0, y0, x1, y1 = fractions(region, view)
    expected = set()
    for axis, value, extent in ((0, x, x1 - x0), (1, y, y1 - y0)):
        if extent > 0.6 or 1 / 3 <= value <= 2 / 3:
            continue
        if view.orientation:
            letter = view.orientation[axis] if value > 0.5 else OPPOSITE[view.orientation[axis]]
            expected.add({code: word for word, code in LETTER.items()}[letter])
        else:
            expected.add((("left", "right"), ("upper", "lower"))[axis][int(value > 0.5)])
    words = set(re.findall(r"left|right|anterior|posterior|superior|inferior|upper|lower", phrase))
    assert words == expected, (phrase, x, y, view.orientation)
    assert ("patient" in phrase or "field of view" in phrase) == bool(view.orientation)


def check_relation(phrase, one, two, view):
    (x, y), (u, v) = centre(one, view), centre(two, view)
    word = re.search(r"left|right|anterior|posterior|superior|inferior|above|below", phrase)[0]
    if view.orientation:
        axis = 0 if view.orientation[0] in (LETTER[word], OPPOSITE[LETTER[word]]) else 1
        ahead = (x - u, y - v)[axis] > 0
        return (view.orientation[axis] == LETTER[word]) == ahead
    axis = 0 if word in ("left", "right") else 1
    return ((x - u, y - v)[axis] > 0) == (word in ("right", "below"))


def check_sentences(text, case, described, image):
    """Every place, relation, size and count that a declarative text states."""
    view = case.images[image].view
    checked = 0
    for sentence in re.split(r"(?<=\.)\s+(?=[A-Z\[])", text):
        labels = named(sentence, described)
        relation = RELATION.search(sentence)
        if relation and len(labels) == 2:
            labels.sort(key=lambda label: sentence.casefold().find(label))
            one, two = (the(case, image, label) for label in labels)
            assert check_relation(relation[0], one, two, view), sentence
            checked += 1
            continue
        place = PLACE.search(sentence)
        if place and len(labels) == 1:
            check_place(place[0], the(case, image, labels[0]), view)
            checked += 1
        size = re.search(r"about ([\d.]+) mm wide and ([\d.]+) mm high", sentence)
        if size:
            x0, y0, x1, y1 = on_view(the(case, image, labels[0]), view)[2]
            wide, high = (x1 - x0) * view.spacing[0], (y1 - y0) * view.spacing[1]
            for told, true in ((size[1], wide), (size[2], high)):
                assert abs(float(told) - true) <= (0.5 if true >= 10 else 0.05) + 1e-9, sentence
            checked += 1
        share = re.search(r"about ([\d.]+) % of the image", sentence)
        if share:
            true = 100 * len(on_view(the(case, image, labels[0]), view)[0]) / (view.width * view.height)
            assert abs(float(share[1]) - true) <= max(0.5 if true >= 1 else 0, 0.06 * true), sentence
            checked += 1
        for number, form in re.findall(r"\b(\d+|no) ((?:[a-z]+ ){0,2}[a-z]+)", sentence):
            for label, plural in PLURALS.items():
                if form in (label, plural) or form.startswith((f"{label} ", f"{plural} ")):
                    count = sum(region.label == label for region in on(case, image))
                    assert count == (0 if number == "no" else int(number)), sentence
                    checked += 1
                    break
    return checked


def check_boxes(text, case, image):
    view = case.images[image].view
    true = [fractions(region, view) for region in on(case, image)]
    found = re.findall(r"\[([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+)\]", text)
    for box in found:
        told = [float(value) for value in box]
        assert any(np.allclose(told, one, atol=5.1e-4) for one in true), (box, true)
    return len(found)


# ---- one check for each converter -----------------------------------------------------------------------------------


def image_of(row, case):
    plain = [case.images.index(image) for image in row.images if image in case.images]
    if plain:
        return plain[0]
    files = [image.files for image in case.images]
    return files.index(row.images[0].files)


def turns(row):
    return row.messages[0].content.replace("<image>\n", ""), row.messages[-1].content


def check_caption(row, case, described):
    image = image_of(row, case)
    true, _, _ = present(case, described, image)
    assert set(named(row.messages[-1].content, described)) == true == set(row.labels)
    return 1 + check_sentences(row.messages[-1].content, case, described, image)


def check_options(row, case, described):
    image = image_of(row, case)
    true, false, _ = present(case, described, image)
    assert row.answer in true
    assert set(row.options) - {row.answer} <= false
    return 1


def check_yes_no(row, case, described):
    true, false, uncertain = present(case, described, image_of(row, case))
    (label,) = named(turns(row)[0].replace("this radiograph of the chest", ""), described)[:1]
    assert label not in uncertain
    assert (row.answer == "Yes") == (label in true) and (row.answer == "No") == (label in false)
    return 1


def check_open(row, case, described):
    true, _, _ = present(case, described, image_of(row, case))
    assert set(row.answer.split(", ")) == true
    assert set(named(row.messages[-1].content, described)) == true
    return 1


def check_count(row, case, described):
    question, answer = turns(row)
    (label,) = named(question, described)
    assert int(row.answer) == sum(region.label == label for region in on(case, 0))
    return check_sentences(answer, case, described, 0)


def check_region_to_text(row, case, described):
    image = image_of(row, case)
    assert check_boxes(row.messages[0].content.split("Boxes are")[0], case, image) == 1
    box = row.regions[0].box
    view = case.images[image].view
    meant = [region for region in on(case, image) if np.allclose(fractions(region, view), box)]
    assert row.answer in {region.label for region in meant}
    if row.task == "mcq":
        assert row.options[row.answer_index] == row.answer and row.messages[-1].content == "ABCD"[row.answer_index]
        assert len(set(row.options) & {region.label for region in meant}) == 1
    else:
        assert named(row.messages[-1].content, described) == [row.answer]
    return 1


def check_text_to_region(row, case, described):
    image = image_of(row, case)
    (label,) = named(turns(row)[0].split("Boxes are")[0], described)
    number = sum(region.label == label for region in on(case, image))
    assert check_boxes(row.answer, case, image) == len(row.regions) == number
    if number != 1:
        return 1
    return 1 + check_sentences(row.messages[-1].content.replace(row.answer, ""), case, described, image)


def check_location(row, case, described):
    image = image_of(row, case)
    (label,) = named(turns(row)[0].split("\nA:")[0], described)
    check_place(row.answer, the(case, image, label), case.images[image].view)
    assert len(set(row.options)) == len(row.options)
    return 1


def check_relation_row(row, case, described):
    image = image_of(row, case)
    question, answer = turns(row)
    view = case.images[image].view
    text = question if row.task == "yes_no" else answer
    text = text.split("Looking at")[-1]
    phrase = RELATION.search(text)
    before, after = text[: phrase.start()], text[phrase.end() :]
    one, two = (the(case, image, named(part, described)[-1]) for part in (before, after))
    holds = check_relation(phrase[0], one, two, view)
    assert holds == (row.answer != "No")
    return 1


def check_size(row, case, described):
    image = image_of(row, case)
    assert check_sentences(row.messages[-1].content, case, described, image) == 1
    return 1


def check_largest(row, case, described):
    image = image_of(row, case)
    view = case.images[image].view

    def area(label):
        x, _, (x0, y0, x1, y1) = on_view(the(case, image, label), view)
        return len(x) if the(case, image, label).rle else (x1 - x0) * (y1 - y0)

    assert max(row.options, key=area) == row.answer
    return 1


def check_contact(row, case, described):
    from scipy.ndimage import binary_dilation, binary_fill_holes

    image = image_of(row, case)
    one, two = (
        coco.decode({"counts": the(case, image, label).rle.encode(), "size": [H, W]}).astype(bool)
        for label in row.labels
    )
    if ".inside-" in row.provenance.template:
        true = (one & binary_fill_holes(two)).sum() > 0.9 * one.sum()
    else:
        true = bool((binary_dilation(one, np.ones((3, 3))) & two).any())
    assert (row.answer == "Yes") == true
    return 1


def check_segmentation(row, case, described):
    image = image_of(row, case)
    (label,) = named(turns(row)[0], described)
    region, view = the(case, image, label), case.images[image].view
    target = coco.decode({"counts": row.regions[0].rle.encode(), "size": list(row.regions[0].size)})
    assert target.shape == (view.height, view.width)
    x, y, _ = on_view(region, view)
    expected = np.zeros_like(target)
    expected[np.floor(y).astype(int), np.floor(x).astype(int)] = 1
    assert (target == expected).all()
    return 1 + check_sentences(row.messages[0].content.split("\n")[-1], case, described, image)


def check_multi_label(row, case, described):
    image = image_of(row, case)
    true, false, uncertain = present(case, described, image)
    question, answer = turns(row)
    if ".list-" in row.provenance.template:
        for line in answer.split("\n"):
            label, said = line.split(": ")
            group = {"Yes": true, "No": false, "Uncertain": uncertain}.get(said)
            assert label in group if group is not None else label not in true | false | uncertain
        return len(answer.split("\n"))
    options = dict(re.findall(r"^([A-J]): (.+)$", question, re.M))
    assert {options[letter] for letter in answer.split(", ")} == set(options.values()) & true
    assert set(options.values()) <= true | false
    return 1


def check_ordinal(row, case, described):
    scale = described.canonical()
    (grade,) = {label.name for label in case.labels if label.image_index == image_of(row, case)}
    if ".grade-" in row.provenance.template:
        assert row.answer == grade
        return 1
    question = turns(row)[0]
    other = re.search(r'"(\w+)"', question)[1]
    above, below = scale.index(grade) > scale.index(other), scale.index(grade) < scale.index(other)
    more = re.search(r"higher|above|exceed|more advanced|more severe|after", question) is not None
    assert (row.answer == "Yes") == (above if more else below)
    return 1


def check_acquisition(row, case, described):
    view = case.images[image_of(row, case)].view
    letters = "".join(sorted(view.orientation)) if view.axis >= 0 else ""
    planes = {"LP": "axial", "PR": "axial", "IL": "coronal"}
    expected = {
        "CT": "computed tomography", "microscopy": "microscopy", "X-ray": "radiography", "abdomen": "abdomen",
        "blood": "blood", "chest": "chest", "PA": "posteroanterior (PA)", "fundus photography": "fundus photography",
        "eye": "eye", "hand": "hand",
    }  # fmt: skip
    known = {expected[described.modality], expected[described.anatomy], planes.get(letters)}
    known |= {expected[case.acquisition.view]} if case.acquisition.view else set()
    assert row.answer in known
    return 1


def marked(row, case, described):
    """What the marks point at: every box mark and number lies on a region of the stated label."""
    image = image_of(row, case)
    view = case.images[image].view
    drawn = row.images[-1].marks
    assert drawn
    for place in row.regions:
        assert any(
            place.label == region.label and np.allclose(fractions(region, view), place.box)
            for region in on(case, image)
        )
    return drawn, image, view


def check_marked_region(row, case, described):
    drawn, image, view = marked(row, case, described)
    x0, y0, x1, y1 = on_view(
        next(r for r in on(case, image) if np.allclose(fractions(r, view), row.regions[0].box)), view
    )[2]
    xs = [value for mark in drawn for value in mark.points[::2]]
    ys = [value for mark in drawn for value in mark.points[1::2]]
    assert x0 - 1e-6 <= min(xs) and max(xs) <= x1 + 1e-6 and y0 - 1e-6 <= min(ys) and max(ys) <= y1 + 1e-6
    assert row.answer == row.regions[0].label
    return 1


def check_set_of_mark(row, case, described):
    drawn, _, _ = marked(row, case, described)
    view = row.images[-1].view
    numbers = {mark.text: mark.points for mark in drawn if mark.kind == "number"}
    labels = {str(n + 1): place.label for n, place in enumerate(row.regions)}
    assert set(numbers) == set(labels)
    for text, (x, y) in numbers.items():
        x0, y0, x1, y1 = row.regions[int(text) - 1].box
        assert x0 * view.width - 1 <= x <= x1 * view.width + 1
        assert y0 * view.height - 15 <= y <= y1 * view.height + 15
    question, _ = turns(row)
    asked = re.search(r"\b(\d)\b", question)
    if row.task == "region_to_text":
        assert row.answer == labels[asked[1]]
    else:
        (label,) = named(question, described)
        assert set(row.answer.split(", ")) == {text for text, name in labels.items() if name == label}
    return 1


def check_zoom(row, case, described):
    image = image_of(row, case)
    whole, crop = row.images[0].view, row.images[1].view
    a, b, c, d, e, f = crop.matrix
    inverse = np.linalg.inv(np.array([[a, b, c], [d, e, f], [0, 0, 1]]))
    corners = np.array([[0, crop.width], [0, crop.height], [1, 1]])
    source = inverse @ corners
    g, h, i, j, k, m = whole.matrix
    back = np.array([[g, h, i], [j, k, m], [0, 0, 1]]) @ source
    edges = np.sort(back[:2], axis=1)
    box = (edges[0, 0] / whole.width, edges[1, 0] / whole.height, edges[0, 1] / whole.width, edges[1, 1] / whole.height)
    told = re.search(r"\[([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+)\]", " ".join(turns(row)))
    assert np.allclose([float(value) for value in told.groups()], box, atol=5.1e-4)
    region = next(r for r in on(case, image) if np.allclose(fractions(r, whole), row.regions[0].box))
    x0, y0, x1, y1 = fractions(region, whole)
    assert box[0] <= x0 + 1e-9 and box[1] <= y0 + 1e-9 and box[2] >= x1 - 1e-9 and box[3] >= y1 - 1e-9
    assert region.label == row.labels[0]
    return 1


def check_which_image(row, case, described):
    (label,) = named(turns(row)[0].split("\nA:")[0], described)
    shown = [label in present(case, described, case.images.index(image))[0] for image in row.images]
    odd = ".odd-" in row.provenance.template
    assert [n for n, true in enumerate(shown) if true != odd] == [row.answer_index]
    return 1


def check_comparison(row, case, described):
    (before, _, _), (after, _, _) = (present(case, described, image) for image in (0, 1))
    if described.label_kind == "ordinal":
        then, now = (described.canonical().index(next(iter(group))) for group in (before, after))
        assert row.answer == ("unchanged" if then == now else "worse" if now > then else "better")
        return 1
    (label,) = named(turns(row)[0].split("\nA:")[0], described)
    table = {(0, 0): "absent both times", (0, 1): "new", (1, 0): "resolved", (1, 1): "present both times"}
    assert row.answer == table[label in before, label in after]
    return 1


def check_dialogue(row, case, described):
    done = 0
    for part in row.messages[1::2]:
        done += check_sentences(part.content, case, described, image_of(row, case)) if case.regions else 1
    return done or 1


CHECKS = {
    "caption": check_caption,
    "grounded_caption": check_caption,
    "multiple_choice": check_options,
    "yes_no": check_yes_no,
    "open_question": check_open,
    "count": check_count,
    "region_to_text": check_region_to_text,
    "text_to_region": check_text_to_region,
    "location": check_location,
    "relation": check_relation_row,
    "size": check_size,
    "largest": check_largest,
    "contact": check_contact,
    "referring_segmentation": check_segmentation,
    "multi_label": check_multi_label,
    "ordinal": check_ordinal,
    "acquisition": check_acquisition,
    "marked_region": check_marked_region,
    "set_of_mark": check_set_of_mark,
    "zoom": check_zoom,
    "which_image": check_which_image,
    "comparison": check_comparison,
    "dialogue": check_dialogue,
    **source_checks.CHECKS,
}
ELSEWHERE = {name for name in names("converters") if name.startswith(("volume_", "slice_series"))}
"""Rows about volumes are recomputed in ``test_independent_volumes``."""


def test_every_converter_that_states_something_is_checked(sample):
    assert set(CHECKS) | ELSEWHERE == set(names("converters"))
    assert set(CHECKS) == {row.provenance.converter for row, _, _ in sample}


FOUND = (AssertionError, KeyError, ValueError, TypeError, StopIteration, IndexError)


def test_no_disagreement_in_500_rows(sample):
    assert len(sample) == 500
    wrong, done = [], Counter()
    for row, case, described in sample:
        name = row.provenance.converter
        try:
            done[name] += CHECKS[name](row, case, described)
        except FOUND as error:
            wrong.append(f"{name} {row.provenance.template} {[t.content for t in row.messages]}: {error!r}")
    assert not wrong, "\n".join(wrong)
    assert min(done[name] for name in CHECKS) >= 5


SWAPS = [
    ("patient's left", "patient's right"), ("left part", "right part"), ("upper", "lower"), ("anterior", "posterior"),
    ("superior", "inferior"), ("above", "below"), ("to the left of", "to the right of"), ("Yes", "No"),
    ("worse", "better"), ("new", "resolved"), (" 1 ", " 4 "), (" 2 ", " 3 "), ("0.3", "0.6"), ("0.1", "0.8"),
]  # fmt: skip


def tampered(row):
    """The row with one statement turned round, or None where nothing of it can be."""
    for one, other in SWAPS:
        for before, after in ((one, other), (other, one)):
            if before in row.messages[-1].content and not row.options:
                turned = replace(row.messages[-1], content=row.messages[-1].content.replace(before, after))
                return replace(row, messages=(*row.messages[:-1], turned), answer=row.answer.replace(before, after))
    return None


def test_the_checker_finds_planted_mistakes(sample):
    planted, found = Counter(), Counter()
    for row, case, described in sample:
        name, wrong = row.provenance.converter, tampered(row)
        if wrong is None or name in ("zoom", "region_to_text", "set_of_mark", "marked_region", "acquisition"):
            continue
        planted[name] += 1
        try:
            CHECKS[name](wrong, case, described)
        except FOUND:
            found[name] += 1
    assert sum(planted.values()) > 120
    assert sum(found.values()) >= 0.95 * sum(planted.values()), (planted, found)
