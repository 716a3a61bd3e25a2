"""What is known to be present, absent or uncertain on the pictures of one row, and which annotation proves it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from converters.kinship import may_be
from converters.memo import of_last_case, of_last_case_and_spec
from schemas import taxonomy
from schemas.case import Case, Label, Region
from schemas.settled import settle
from schemas.spec import DatasetSpec
from schemas.taxonomy.kinship import implies, same

Facts = tuple[str, ...]
SMALLEST = 2e-4
"""A mask that covers less of its picture is neither asked about nor counted as absent: nobody could see it."""
MOST_IMAGES = 8
"""Labels of a whole case are asked about with all its pictures; with more of them, not at all."""


@dataclass(slots=True, eq=False)
class Scene:
    """One set of pictures and the statements that hold for it, not to be changed; told from others by identity."""

    variant: str
    """Stable name within the case: ``case``, ``image3``."""
    images: tuple[int, ...]
    present: dict[str, Facts]
    """Label -> paths of the annotations that prove it."""
    absent: dict[str, Facts]
    """Only what is known to be absent; a label that nobody mentions is in neither."""
    uncertain: frozenset[str]
    from_regions: bool
    exclusive: bool
    """Whether exactly one label is true (multi_class, ordinal)."""
    labels: tuple[str, ...] = field(init=False)
    """Those that are present."""
    proofs: tuple[str, ...] = field(init=False)
    """Of all that is present."""

    def __post_init__(self) -> None:
        self.labels = tuple(self.present)
        self.proofs = tuple([fact for facts in self.present.values() for fact in facts])


@of_last_case_and_spec
def scenes(case: Case, spec: DatasetSpec) -> tuple[Scene, ...]:
    """Scenes of the case's labels, then of its regions where those say something else.

    In a dataset whose labels only repeat what its regions say (``label_kind`` none, boxes or masks), the regions speak:
    they know how many there are, on which picture, and what is absent.
    """
    return tuple(_scenes(case, spec))


def _scenes(case: Case, spec: DatasetSpec) -> Iterator[Scene]:
    regional = {region.label for region in case.regions}
    repeated = spec.label_kind == "none" and bool(case.regions)
    said: dict[tuple[int, ...], set[str]] = {}
    for scene in label_scenes(case, spec):
        if repeated and set(scene.present) <= regional and (case.complete_regions or not scene.absent):
            continue
        said[scene.images] = set(scene.present)
        yield scene
    for scene in region_scenes(case, spec):
        if repeated or not set(scene.present) <= said.get(scene.images, set()):
            yield scene


@of_last_case
def labels_of(case: Case) -> tuple[Label, ...]:
    """The case's labels with those that contradict each other uncertain (`schemas.settled`); numbered as they were."""
    return settle(case).labels


def true_labels(case: Case) -> tuple[str, ...]:
    """Names of the labels that are true of the case, in order, without repetition."""
    return tuple(dict.fromkeys(label.name for label in labels_of(case) if label.polarity == "present"))


@of_last_case_and_spec
def label_scenes(case: Case, spec: DatasetSpec) -> tuple[Scene, ...]:
    """One scene for the labels of the whole case, and one for each image that has labels of its own."""
    return tuple(_label_scenes(case, spec))


def _label_scenes(case: Case, spec: DatasetSpec) -> Iterator[Scene]:
    indices = {label.image_index for label in labels_of(case)}
    for index in [-1] if len(case.images) == 1 and -1 in indices else sorted(indices):
        images = tuple(range(len(case.images))) if index < 0 else (index,)
        if 0 < len(images) <= MOST_IMAGES:
            yield _label_scene(case, spec, index, images)


def _label_scene(case: Case, spec: DatasetSpec, index: int, images: tuple[int, ...]) -> Scene:
    found: dict[str, dict[str, Facts]] = {"present": {}, "absent": {}, "uncertain": {}}
    for number, label in enumerate(labels_of(case)):
        polarity = _said_here(label, index, len(case.images))
        if polarity:
            group = found[polarity]
            group[label.name] = (*group.get(label.name, ()), f"labels[{number}]")
    present, absent, uncertain = found["present"], found["absent"], found["uncertain"]
    exclusive = spec.label_kind in ("multi_class", "ordinal")
    if exclusive and len(present) == 1 and not uncertain:
        proof = next(iter(present.values()))
        pictured = {region.label for region in case.regions}
        absent = {name: proof for name in spec.canonical() if name not in pictured} | absent
    absent = {name: facts for name, facts in absent.items() if name not in present and name not in uncertain}
    variant = "case" if index < 0 else f"image{index}"
    return Scene(variant, images, present, absent, frozenset(uncertain), False, exclusive)


def _said_here(label: Label, index: int, images: int) -> str:
    """What a label says of one image, or of the whole case; empty for nothing.

    Of each image it is true that it lacks what the case lacks; whether it shows what the case has is uncertain.
    """
    if label.image_index == index or images == 1:
        return label.polarity
    if label.image_index >= 0:
        return ""
    return "absent" if label.polarity == "absent" else "uncertain"


def region_scenes(case: Case, spec: DatasetSpec) -> Iterator[Scene]:
    """One scene for each image, from the regions on it; absence only where the annotation is complete."""
    if not case.regions:
        return
    for index in range(len(case.images)):
        yield region_scene(case, spec, index)


@of_last_case_and_spec
def region_scene(case: Case, spec: DatasetSpec, index: int) -> Scene:
    """What the regions of one image say."""
    present: dict[str, Facts] = {}
    faint: set[str] = set()
    for number, region in regions_on(case, index):
        if too_small(region, case):
            faint.add(region.label)
        else:
            present[region.label] = (*present.get(region.label, ()), f"regions[{number}]")
    doubts = [
        label.name for label in labels_of(case) if label.polarity == "uncertain" and label.image_index in (-1, index)
    ]
    for name in [name for name in present if any(same(name, doubt) for doubt in doubts)]:
        faint.add(name)
        del present[name]
    complete = case.complete_regions and spec.label_kind == "none"
    candidates = (
        [name for name in spec.canonical() if not any(implies(doubt, name) for doubt in doubts)] if complete else []
    )
    known = [*present, *faint]
    absent: dict[str, Facts] = {
        name: ("complete_regions",) for name in candidates if not any(may_be(name, other) for other in known)
    }
    return Scene(f"regions{index}", (index,), present, absent, frozenset(faint - set(present)), True, False)


def regions_on(case: Case, index: int) -> list[tuple[int, Region]]:
    """The regions on one image, with their index in the case."""
    return _by_image(case).get(index, [])


@of_last_case
def _by_image(case: Case) -> dict[int, list[tuple[int, Region]]]:
    found: dict[int, list[tuple[int, Region]]] = {}
    for number, region in enumerate(case.regions):
        found.setdefault(region.image_index, []).append((number, region))
    return found


def too_small(region: Region, case: Case) -> bool:
    """Whether a mask or contour covers too little of its picture to be seen."""
    view = case.images[region.image_index].view
    return region.kind in ("mask", "contour") and 0 < region.area < SMALLEST * view.source_width * view.source_height


@cache
def of_quality(clinical_task: str) -> bool:
    """Whether a clinical task is about the quality of pictures."""
    word = taxonomy.canonical("clinical_task", clinical_task) or clinical_task
    concept = taxonomy.axis("clinical_task").get(word)
    return concept is not None and concept.kind == "quality" and "quality" in word
