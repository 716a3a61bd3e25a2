"""Every wording of every set, filled with every kind of word: it stays grammatical and keeps the set's meaning."""

import re
from collections.abc import Iterator

import pytest

from converters.speech import speech
from converters.templating import FOLDER, Template, load_table

TABLES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
LABELS = ["liver", "left kidney", "lungs", "liver tumor", "ulcer", "edema", "drusen", "grommet"]
"""One of each kind: structures (one sided, one plural), things that are counted, a mass, a plural, an unknown word."""
_SAME = {
    "number": "2", "token": "[SEG]", "modality": "CT", "apart": "5.0", "across": "32", "deep": "40", "high": "12",
    "amount": "30", "letters": "A", "letter": "A", "box": "[0.1, 0.2, 0.3, 0.4]", "boxes": "[0.1, 0.2, 0.3, 0.4]",
}  # fmt: skip
VALUES = {
    "en": _SAME | {
        "scale": "no retinopathy, mild, severe", "other": "mild", "label": "mild", "labels": "cardiac, renal",
        "side": "to the patient's left of", "place": "in the upper left part of the image", "numbers": "1 and 3",
        "change": "unchanged", "view": "anteroposterior (AP)", "volume": "this volume", "plane": "axial",
        "order": "from inferior to superior", "title": "impression", "text": "The heart is large.",
        "findings": "edema, fracture", "asked": "disease", "question": "Is it large?", "answer": "No",
        "positions": "0.0 and 5.0", "names": "FLAIR and T1", "none": "no ulcers", "content": "the liver and an ulcer",
        "options": "A: liver",
    },
    "zh": _SAME | {
        "scale": "无视网膜病变、轻度、重度", "other": "轻度", "label": "轻度", "labels": "心脏、肾",
        "side": "左侧（以患者为准）", "place": "位于图像的左上部", "numbers": "1和3", "change": "不变",
        "view": "前后位（AP）", "volume": "该体数据", "plane": "轴位", "order": "从下到上", "title": "印象",
        "text": "心影增大。", "findings": "水肿、骨折", "asked": "疾病", "question": "它大吗？", "answer": "否",
        "positions": "0.0和5.0", "names": "FLAIR和T1", "none": "0个溃疡", "content": "肝和溃疡", "options": "A: 肝",
    },
}  # fmt: skip
PICTURES = {"en": ("image", "axial CT slice of the abdomen"), "zh": ("图像", "腹部轴位CT图像")}


def slots(language: str, label: str, known: bool, amount: int) -> dict[str, str]:
    """What a converter puts in, for one label."""
    words = speech(language)
    plain, picture = PICTURES[language]
    thing = words.definite(label) if known else words.phrase(label)
    volume = {"en": "this CT volume", "zh": "该CT体数据"}[language]
    two, shown = "spleen" if known else "lungs", words.shown(picture, 1)
    return VALUES[language] | {
        "thing": thing, "named": words.phrase(label), "one": words.definite(label), "two": words.definite(two),
        "things": words.plural(label), "counted": words.counted(amount, label), "be": words.be(label),
        "image": words.shown(plain, 1), "this": volume if amount == 3 else shown, "picture": picture,
        "a_picture": words.a_picture(picture, 1), "size": words.size((42.0, 31.0), 0.1),
    }  # fmt: skip


def slot_values(language: str, template: Template) -> Iterator[tuple[str, str]]:
    """(sentence, label) of one wording with every kind of word."""
    counting = "%(counted)s" in template.pattern or "%(Counted)s" in template.pattern
    for label in LABELS:
        for known in (True, False):
            for amount in (1, 3):
                values = slots(language, label, known, amount)
                if template.id.startswith("contact.inside"):
                    values |= {"one": speech(language).definite("lesion"), "be": speech(language).be("lesion")}
                if counting and language == "en":
                    values["be"] = "is" if amount == 1 else "are"
                yield template.fill(values), label


def sentences(name: str, language: str) -> Iterator[tuple[str, str, str]]:
    """(id, sentence, label) of every wording of a table."""
    for (_, spoken), templates in load_table(name).sets.items():
        if spoken == language:
            for template in templates:
                yield from ((template.id, said, label) for said, label in slot_values(language, template))


BROKEN = re.compile(
    r"[{}]|  | [,;?!]| \.(?!\.)|[.?!,;]{2}(?<!\.\.)|(?:^|[.,:;] )there (?:is|are) the\b|"
    r"\b(?:a|an|the|no|any|every|each) (?:a|an|the|this|no)\b|\ban [bcdfgjkpqtvwyz]|\ba (?!one)[aeio]|\b(\w+) \1\b|"
    r"[\u3000-\u9fff\uff00-\uffef]", re.I,
)  # fmt: skip
ONE = (
    r"(?:(?:the |an? )?(?:liver|left kidney|liver tumor|ulcer|edema)|the area of edema|this image|this CT volume)"
    r"\b(?! tumor)"
)
MANY = r"(?:the )?lungs|(?:the )?drusen"
DISAGREES = re.compile(
    rf"(?:(?:^|[.?:;,] |\b(?:where|how|which|what|large|big) )(?:are|do|were) (?:{ONE})(?! and\b))"
    rf"|(?:(?:^|[.?:;,] |\b(?:where|how|which|what|large|big) )(?:is|does|was) (?:{MANY})\b)"
    rf"|(?:\bdoes (?:{MANY})\b)|(?:\bis (?:{MANY}) (?!in this|at\b)[a-z])"
    rf"|(?:^(?:{MANY}) (?:is|has|was|does|shows|lies)\b)|(?:^(?:{ONE}) (?:are|have|were|do|show|lie)\b)", re.I,
)  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_english_is_grammatical(name):
    wrong = [(which, said) for which, said, _ in sentences(name, "en") if BROKEN.search(said) or DISAGREES.search(said)]
    assert not wrong, wrong[:10]


HAN = r"[\u4e00-\u9fff]"
LATIN_POINTS = re.compile(
    rf"[{{}}]|  |{HAN}[,;?!.]|[,;?!]{HAN}|{HAN} {HAN}|[。，？；、：]{{2}}|、[。，？]|的的|[“”]{{3}}"
)


@pytest.mark.parametrize("name", TABLES)
def test_chinese_has_its_own_points(name):
    wrong = [(which, said) for which, said, _ in sentences(name, "zh") if LATIN_POINTS.search(said)]
    assert not wrong, wrong[:10]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", TABLES)
def test_a_wording_stands_once_in_its_set(name, language):
    """Nor twice with another name of the picture, but for the few that were made so on purpose."""
    for (which, spoken), templates in load_table(name).sets.items():
        if spoken != language or len(templates) < 36:
            continue
        bare = [
            re.sub(r"%\((?:image|this|volume)\)s", "#", one.pattern.casefold()).strip(".?。？") for one in templates
        ]
        assert len(set(bare)) >= len(bare) - 3, (which, sorted(one for one in bare if bare.count(one) > 1))


DENIES = {
    "en": r"\b(?:no|not|none|nothing|nowhere|never|without|absen\w+|free of|cannot|missing|lack\w*|exclude|denied|"
    r"another|rule out|ruled out|fails? to|leave .* out|wrong|incorrect|false|mistake|error|disagree|reject|turn down|"
    r"other than|differ\w*|outside|inappropriate|misdescribe|change the|correct a|speak against)\b",
    "zh": r"没有|未|不|无|缺|否|错|误|排除|以外|另|以下|之外|改正|拒绝|并非|反对",
}  # fmt: skip
ASKED = re.compile(r"whether or not|是不是|是否|有没有|对不对|能否|有无|好不好|不含该级|可否|与否|[^，。？]*yes or no")
DENYING = ("visible_negated", "class_negated", "state_negated", "clear")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("which", DENYING)
def test_what_asks_for_absence_says_so(which, language):
    plain = r"normal|unremarkable|as it should be|正常" if which == "clear" else "(?!)"
    for one in load_table("yes_no").sets[which, language]:
        assert re.search(DENIES[language], ASKED.sub("", one.pattern)) or re.search(plain, one.pattern, re.I), one


AFFIRMING = [
    ("yes_no", "visible"), ("yes_no", "class"), ("yes_no", "state"), ("volume_presence", "visible"),
    ("contact", "inside"), ("relation", "closed"), ("which_image", "which"), ("slice_series", "which"),
]  # fmt: skip
NEGATION = {"en": r"\b(?:no|not|without|absent|wrong|cannot|lacks?|fails?)\b", "zh": r"没有|未|不|无|错"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("name", "which"), AFFIRMING)
def test_what_asks_for_presence_denies_nothing(name, which, language):
    for one in load_table(name).sets[which, language]:
        said = re.sub(r"those that do not|yes or no|是不是|有没有|对不对|有无|不同", "", one.pattern)
        assert not re.search(NEGATION[language], said), one


@pytest.mark.parametrize(
    ("which", "language", "must", "never"),
    [
        (
            "more",
            "en",
            r"higher|above|exceed|more advanced|more severe|after",
            r"lower|below|less|milder|before|short of",
        ),
        ("less", "en", r"lower|below|less|milder|before|short of|fail to reach", r"higher|above|exceed|\bmore\b|after"),
        (
            "more",
            "zh",
            r"高|重于|更重|严重|之上|之后|超|以上",
            r"低于|更轻|轻于|之下|之前|以下|不到|不及|未达到|没有达到",
        ),
        (
            "less",
            "zh",
            r"低|轻|之下|之前|以下|不到|不及|未达到|没有达到",
            r"高于|更重(?!为)|重于|之上|之后|超过|更高|以上",
        ),
    ],
)
def test_grades_are_compared_in_the_sets_own_direction(which, language, must, never):
    for one in load_table("ordinal").sets[which, language]:
        said = one.pattern.replace("由轻到重", "").replace("严重程度", "程度" if which == "less" else "严重程度")
        assert re.search(must, said), one
        assert not re.search(never, said), one


@pytest.mark.parametrize("which", ["ask", "grade"])
def test_two_visits_are_told_in_their_order(which):
    for one in load_table("comparison").sets[which, "en"]:
        assert re.search(r"first|earlier|in order|chronological|visits|image 1", one.pattern, re.I), one
    for one in load_table("comparison").sets[which, "zh"]:
        assert re.search(r"第一|先后|前后|较早|顺序|时间|两次|既往", one.pattern), one


def test_the_question_about_a_list_says_how_to_answer():
    for language, forms in (
        ("en", ["yes", "no", "uncertain", "not mentioned"]),
        ("zh", ["是", "否", "不确定", "未提及"]),
    ):
        for one in load_table("multi_label").sets["list", language]:
            assert all(form in one.pattern.casefold() for form in forms), one
