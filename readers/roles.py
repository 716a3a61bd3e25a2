"""Which files of a folder are images and which mark them, told by words in their paths, and the patterns of both."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from readers.survey import stem
from readers.values import split_name

_LABELS = """
segmentation segmentations seg segs gt gts groundtruth groundtruths truth ground manual annotation annotations anno
label labels labelstr labelsts labelsva labelmap multilabel mask masks maskstr msk dseg 1stho 1stmanual roi rois contour
segmentationclass derivatives lesion 2ndho 2ndmanual
"""
_IMAGES = """
ct ctres image images img imgs imaging imagestr imagests imagesva jpegimages original originals orig volume volumes vol
scan scans data dce t1w t1 t1c t1ce t2w t2 dwi adc flair mr mri pet suv raw rawdata input inputs picture pictures photo
photos frame frames slices cxr
"""
CHANNEL = "0000"
"""nnU-Net's mark of a first channel, which labels lack."""

_OF_FILES = frozenset({"lesion"})
"""Words that mark a file, and as a folder's name may as well be a class."""

_LABEL_RANK = {word: rank for rank, word in enumerate(_LABELS.split())}
_IMAGE_RANK = {word: rank for rank, word in enumerate(_IMAGES.split())}
_ENTITY = re.compile(r"_(?:label|desc|seg|space|res|acq)-[^_]+")
_SEPARATORS = "_-. "


_MODALITIES = {
    "ct": "CT", "ctres": "CT", "pet": "PET", "suv": "PET", "mr": "MRI", "mri": "MRI", "t1": "MRI", "t1w": "MRI",
    "t2": "MRI", "t2w": "MRI", "flair": "MRI", "dwi": "MRI", "adc": "MRI", "cxr": "X-ray",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pairs:
    """Images with their labels, and the patterns that find both."""

    image: str
    label: str
    images: tuple[str, ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    """Names in both patterns, ``split`` among them where a folder states it."""
    extra: tuple[str, ...] = ()
    """Values of ``{extra}``, which only the labels' pattern has: words of classes, or numbers of objects."""


@dataclass(frozen=True, slots=True)
class _Named:
    path: str
    rank: int
    """Of the word that says what it is."""
    words: tuple[str, ...]
    """Words that say what it is; files that mark alike have the same."""
    base: tuple[str, ...]
    """What is left of the file's name: whose it is."""
    folders: tuple[str, ...]


@dataclass(slots=True)
class _Sorted:
    images: list[_Named] = field(default_factory=list)
    labels: list[_Named] = field(default_factory=list)


def paired(paths: Iterable[str], main: str) -> list[Pairs]:
    """Every way in which files of these paths mark others, the likeliest first.

    Args:
        paths: files of one kind, relative to the root.
        main: the name in the patterns that tells cases apart, ``id`` or ``case``.
    """
    told = _sorted(paths)
    groups: dict[tuple[object, ...], list[_Named]] = defaultdict(list)
    for label in told.labels:
        groups[(label.words, label.path.count("/"))].append(label)
    found = [
        (len(pairs.images), -labels[0].rank, pairs)
        for labels in groups.values()
        for pairs in [_group(told.images, labels, main)]
        if pairs is not None
    ]
    return [pairs for _, _, pairs in sorted(found, key=lambda each: each[:2], reverse=True)]


def is_label(path: str) -> bool:
    """Whether a file's name, or else its folder's, says that it marks something."""
    return _named(path)[1]


def modality_in(path: str) -> str:
    """The modality that a file's own name states (``case1_ct``, ``sub-1_T1w``); empty where it states none."""
    words = re.split(r"[_\-. ]+", stem(path).lower())
    return next((_MODALITIES[word] for word in words if word in _MODALITIES), "")


def _sorted(paths: Iterable[str]) -> _Sorted:
    """Images and labels; where folders make labels of all of them (``Lung Seg/img1``), by the names of files alone."""
    paths = list(paths)
    for by_folder in (True, False):
        told = _Sorted()
        for path in paths:
            named, marks = _named(path, by_folder)
            (told.labels if marks else told.images).append(named)
        if told.images:
            break
    return told


def _named(path: str, by_folder: bool = True) -> tuple[_Named, bool]:
    """What a path says by its words: a label by its name, else what its folder says, else an image by its name."""
    *folders, _ = path.split("/")
    name = stem(path)
    entities = name.startswith("sub-")
    base, roles = _parts(_ENTITY.sub("", name) if entities else name, of_file=True)
    own = ["label"] if entities and re.search(r"_(?:label|seg)-", name) else []
    own += roles
    left, words, above = [], list(own), list[str]()
    for folder in reversed(folders):
        kept, said = _parts(folder, of_file=False)
        left.append(" ".join(kept))
        words += said
        above = above or said
    marks = own if any(role in _LABEL_RANK for role in own) else (above if by_folder else []) or own
    role = next((role for role in reversed(marks) if role in _LABEL_RANK), marks[-1] if marks else "")
    is_mark = role in _LABEL_RANK
    rank = _LABEL_RANK[role] if is_mark else min((_IMAGE_RANK.get(each, 99) for each in words), default=99)
    kind = tuple(word for word in words if (word in _LABEL_RANK) == is_mark)
    return _Named(path, rank, kind, tuple(base), tuple(reversed([part for part in left if part]))), is_mark


def _parts(text: str, of_file: bool) -> tuple[list[str], list[str]]:
    """The words of a name that say whose it is, and those that say what it is."""
    kept, roles = [], []
    for part in re.split(r"[_\-. ]+", text.lower()):
        shape = re.fullmatch(r"(\d*)([a-z]+)(\d*)", part)
        word = part if part in _LABEL_RANK or part in _IMAGE_RANK else shape[2] if shape else ""
        if of_file and part == CHANNEL:
            roles.append(part)
        elif (word in _LABEL_RANK or word in _IMAGE_RANK) and (of_file or word not in _OF_FILES):
            roles.append(word)
            number = part[part.index(word) + len(word) :]
            # img0001 belongs to label0001; the 1 of manual1 and the 4 of 4label say nothing of whose it is.
            kept += [number] if len(number) > 1 or (number and word in _IMAGE_RANK) else []
        elif part and not (of_file and part.isalpha() and split_name(part)):
            kept.append(part)
    return kept, roles


def _group(images: Sequence[_Named], labels: Sequence[_Named], main: str) -> Pairs | None:
    """The pairs of labels that mark alike, by all of their names, by the file's own alone, or by the folders'."""
    ways: tuple[Callable[[_Named], object], ...] = (
        lambda named: (named.folders, named.base),
        lambda named: named.base,
        lambda named: (named.folders, named.path.count("/")),
    )
    best: list[tuple[str, str]] = []
    for place, way in enumerate(ways):
        of: dict[object, list[_Named]] = defaultdict(list)
        for image in images:
            of[way(image)].append(image)
        if place and any(len(_like(same)) > 1 for same in of.values()):
            continue
        chosen = {key: min(same, key=lambda each: (each.rank, each.path)).path for key, same in of.items()}
        met = [(chosen[way(label)], label.path) for label in labels if way(label) in chosen]
        if len(met) > len(best):
            best = met
    return patterns(best, main) if best and len(best) >= 0.5 * len(labels) else None


def _like(same: Sequence[_Named]) -> list[_Named]:
    """Those with the words of the first: several of them cannot be told apart."""
    return [each for each in same if each.words == same[0].words]


def patterns(met: list[tuple[str, str]], main: str, whole: bool = False) -> Pairs | None:
    """The patterns of pairs of image and label; ``whole`` where the labels' own names are words of classes."""
    deep = max({path.count("/") for path, _ in met}, key=lambda depth: sum(p.count("/") == depth for p, _ in met))
    met = [pair for pair in met if pair[0].count("/") == deep]
    if len(set(met)) == 1:
        return _of_one(*met[0], main)
    for trimmed in (_from_start, _to_separator, _to_letter):
        names: dict[tuple[str, ...], str] = {}
        image = _pattern([path for path, _ in met], trimmed, names, main)
        known = dict(names)
        label = _pattern([path for _, path in met], trimmed, names, main, whole)
        extra = [values for values in names if values not in known]
        if len(extra) > 1 or (known and main not in known.values()):
            continue
        if extra:
            label = label.replace(f"{{{names[extra[0]]}}}", "{extra}")
        if extra and len(set(met)) > len({path for path, _ in met}) and extra[0]:
            return _made(image, label, met, known, extra[0])
        if not extra:
            return _made(image, label, met, known, ())
    return None


def _of_one(image: str, label: str, main: str) -> Pairs:
    """The patterns of a single pair: the words that both names begin with are left open."""
    shared = _common([stem(image), stem(label)])
    if shared not in (stem(image), stem(label)):
        shared = shared[: max(map(shared.rfind, _SEPARATORS))] if set(shared) & set(_SEPARATORS) else ""
    opened = [_opened(path, shared, main) for path in (image, label)]
    return Pairs(opened[0], opened[1], (image,), (label,), (main,) if shared else ())


def _opened(path: str, shared: str, main: str) -> str:
    folders, _, name = path.rpartition("/")
    return f"{folders}{'/' if folders else ''}{name.replace(shared, f'{{{main}}}', 1) if shared else name}"


def _made(
    image: str, label: str, met: list[tuple[str, str]], names: dict[tuple[str, ...], str], extra: tuple[str, ...]
) -> Pairs:
    images, labels = dict.fromkeys(path for path, _ in met), dict.fromkeys(path for _, path in met)
    told = tuple(dict.fromkeys(names.values()))
    return Pairs(image, label, tuple(images), tuple(labels), told, tuple(sorted(set(extra))))


def _pattern(
    paths: list[str], trimmed: "_Trim", names: dict[tuple[str, ...], str], main: str, whole: bool = False
) -> str:
    """The pattern of paths of one depth; ``names`` maps the values of its open parts to their names, and grows."""
    endings = {path[len(path) - len(path.rpartition("/")[2]) + len(stem(path)) :] for path in paths}
    ending = endings.pop() if len(endings) == 1 else ".*"
    columns = [*zip(*(path.split("/")[:-1] for path in paths), strict=True), tuple(stem(path) for path in paths)]
    out = []
    for place, column in enumerate(reversed(columns)):
        if len(set(column)) == 1:
            out.append(column[0])
            continue
        head, tail = ("", "") if whole and place == 0 else trimmed(column)
        values = tuple(value[len(head) : len(value) - len(tail)] for value in column)
        if values not in names:
            names[values] = _name(values, names, main)
        out.append(f"{head}{{{names[values]}}}{tail}")
    return "/".join(reversed(out)) + ending


def _name(values: tuple[str, ...], names: dict[tuple[str, ...], str], main: str) -> str:
    if all(split_name(value) for value in values):
        return "split"
    taken = set(names.values())
    return next(name for name in (main, "folder", "folder2", "folder3", "folder4", "folder5") if name not in taken)


class _Trim:
    """What all of some names begin and end with, cut back so far that no case's own part is taken."""

    def __init__(self, head: str, tail: str) -> None:
        self._head, self._tail = re.compile(head), re.compile(tail)

    def __call__(self, column: Sequence[str]) -> tuple[str, str]:
        head = self._head.match(_common(column))
        rest = [value[len(head[0]) if head else 0 :][::-1] for value in column]
        tail = self._tail.search(_common(rest)[::-1])
        return head[0] if head else "", tail[0] if tail else ""


_from_start = _Trim("^", f"[{re.escape(_SEPARATORS)}].*$")
_to_separator = _Trim(f"^.*[{re.escape(_SEPARATORS)}]", f"[{re.escape(_SEPARATORS)}].*$")
_to_letter = _Trim("^.*[^0-9]", "[^0-9].*$")


def _common(values: Sequence[str]) -> str:
    first, last = min(values), max(values)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]
