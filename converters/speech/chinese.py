"""Chinese sentences around medical words; the words themselves are data, in ``words/chinese.yaml``.

Chinese knows neither articles nor plurals, so much of what English needs is the bare word.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from converters.speech import english
from schemas.spec import Strict
from schemas.yaml_file import load_yaml

YES, NO, PLAIN, SPACE, COMMA, COUNTED_LAST = "是", "否", "图像", "", "、", True

_NUMBERED = re.compile(r"(?P<bone>[a-z ]+?) (?P<n>\d+)(?: \(\w+\))?")
_SIDES = {"A": "前", "P": "后", "S": "上", "I": "下", "<": "左", ">": "右", "^": "上", "v": "下"}


class Lexicon(Strict):
    """Contents of ``words/chinese.yaml``."""

    labels: dict[str, str]
    pictures: dict[str, str]
    anatomies: dict[str, str]
    planes: dict[str, str]
    projections: dict[str, str]
    sides: dict[str, str]
    numbered: dict[str, str]
    """How a bone that has a number is called; ``{n}`` stands for the number."""


@cache
def lexicon() -> Lexicon:
    """The table of words, read once."""
    return load_yaml(Path(__file__).parent.parent / "words" / "chinese.yaml", Lexicon)


def kind(label: str) -> str:
    """As in English: it decides which sentences fit."""
    return english.kind(label)


def name(label: str) -> str:
    """The Chinese word, or the canonical English one where the lexicon has none."""
    return _known(label) or label


@cache
def _known(label: str) -> str:
    """From the lexicon, with side and number taken off where it has the bare word only; empty where it has none."""
    table = lexicon()
    if label in table.labels:
        return table.labels[label]
    found = _NUMBERED.fullmatch(label)
    if found and found["bone"] in table.numbered:
        return table.numbered[found["bone"]].format(n=found["n"])
    side, _, rest = label.partition(" ")
    bare = _known(rest) if side in table.sides else ""
    return f"{table.sides[side]}{bare}" if bare else ""


def phrase(label: str) -> str:
    """The label in a sentence."""
    return "正常表现" if kind(label) == "clear" else name(label)


def definite(label: str) -> str:
    """One that is already known."""
    return name(label)


def plural(label: str) -> str:
    """Several."""
    return name(label)


def counted(number: int, label: str) -> str:
    """``2个血小板``; ``0个`` is how nothing is counted."""
    return f"{number}个{name(label)}"


def listed(items: Sequence[str], last: str = "和") -> str:
    """``a、b和c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{'、'.join(items[:-1])}{last}{items[-1]}"


def sided(label: str) -> bool:
    """Whether the label itself says the side."""
    return english.sided(label)


def be(label: str) -> str:
    """Chinese needs no verb that agrees."""
    return ""


@cache
def picture(modality: str, anatomy: str = "", plane: str = "", projection: str = "", sliced: bool = False) -> str:
    """``腹部轴位CT图像``."""
    table = lexicon()
    made = table.pictures.get(modality, f"{modality}图像" if modality else "医学图像")
    place = table.anatomies.get(anatomy.lower(), anatomy)
    if modality == "fundus photography":
        place = ""
    return f"{place}{table.planes.get(plane, plane) or table.projections.get(projection, projection)}{made}"


def montage(name: str, number: int) -> str:
    """``6幅腹部轴位CT图像的拼图``."""
    return f"{number}幅{name}的拼图"


def shown(name: str, number: int) -> str:
    """``这张CT图像``, ``这组3张图像``."""
    return f"这张{name}" if number == 1 else f"这组{number}张图像"


def a_picture(name: str, number: int) -> str:
    """``一张CT图像``."""
    return f"一张{name}" if number == 1 else f"一组{number}张{name}"


def location(codes: str, patient: bool, wide: bool) -> str:
    """``位于图像的左上部``; sides of an oriented view are the patient's, and are called so."""
    frame = "视野" if patient else "图像"
    if not codes:
        return f"占据{frame}的大部分" if wide else f"位于{frame}的中部"
    side = {"L": "左侧", "R": "右侧"}.get(codes[-1], "")
    part = "".join(_SIDES[code] for code in codes if code not in "LR")
    if not patient:
        # The usual order in Chinese is side first: 左上.
        part = part[::-1]
    if not side:
        return f"位于{frame}的{part}{'侧' if part in ('左', '右') else '部'}"
    return f"位于{frame}的{part}部、患者{side}" if part else f"位于{frame}中患者{side}"


_BESIDE = {
    "L": "左侧（以患者为准）",
    "R": "右侧（以患者为准）",
    "A": "前方",
    "P": "后方",
    "S": "上方",
    "I": "下方",
    "<": "左侧",
    ">": "右侧",
    "^": "上方",
    "v": "下方",
}


def beside(code: str) -> str:
    """Where one thing lies of another: ``左侧（以患者为准）``."""
    return _BESIDE[code]


def side(code: str) -> str:
    """The same: no other word belongs behind it."""
    return _BESIDE[code]


def size(millimetres: tuple[float, float] | None, share: float) -> str:
    """``在图像中宽约42毫米、高约31毫米``; the share where the spacing is unknown."""
    if millimetres is not None:
        wide, high = (f"{length:.0f}" if length >= 10 else f"{length:.1f}" for length in millimetres)
        return f"在图像中宽约{wide}毫米、高约{high}毫米"
    percent = share * 100
    return f"约占图像面积的{percent:.0f}%" if percent >= 1 else f"约占图像面积的{percent:.1g}%"
