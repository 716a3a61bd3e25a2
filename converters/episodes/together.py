"""Several cases as one: a picture of each and what is annotated on it, so that converters of one case can ask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.case import Acquisition, Case, Demographics, Label, Region
from schemas.episode import Lent


@dataclass(frozen=True, slots=True)
class Together:
    """The case made of several, and the way back."""

    case: Case
    lenders: tuple[int, ...]
    """Number of the case that gave each picture."""
    origins: dict[str, str]
    """Fact of the joined case -> fact of its case, e.g. ``labels[2]`` -> ``5:labels[0]``."""

    def facts(self, facts: Sequence[str]) -> tuple[str, ...]:
        """The facts as an `Episode` tells them."""
        return tuple(dict.fromkeys(self.origins[fact] for fact in facts if fact in self.origins))


def only_picture(lent: Lent) -> int | None:
    """Index of the case's picture where it has just one and that may be lent."""
    images = lent.case.images
    return 0 if len(images) == 1 and images[0] in lent.pictures else None


def together(cases: Sequence[Lent], chosen: Sequence[int], owner: Case) -> Together:
    """Join cases that have one picture each.

    Args:
        cases: the pool.
        chosen: numbers of the cases, in the order of their pictures.
        owner: whose key the joined case takes.
    """
    labels: list[Label] = []
    regions: list[Region] = []
    origins: dict[str, str] = {}
    for place, number in enumerate(chosen):
        case = cases[number].case
        for index, label in enumerate(case.labels):
            origins[f"labels[{len(labels)}]"] = f"{number}:labels[{index}]"
            labels.append(replace(label, image_index=place))
        for index, region in enumerate(case.regions):
            origins[f"regions[{len(regions)}]"] = f"{number}:regions[{index}]"
            regions.append(replace(region, image_index=place))
        origins["complete_regions"] = f"{number}:complete_regions"
    parts = [cases[number].case for number in chosen]
    alike = {part.acquisition for part in parts}
    joined = replace(
        parts[0],
        key=owner.key,
        alias=owner.alias,
        group=None,
        images=tuple(part.images[0] for part in parts),
        volumes=(),
        labels=tuple(labels),
        regions=tuple(regions),
        texts=(),
        questions=(),
        acquisition=alike.pop() if len(alike) == 1 else Acquisition(),
        demographics=Demographics(),
        complete_regions=all(part.complete_regions for part in parts),
        findings=(),
    )
    return Together(joined, tuple(chosen), origins)
