"""Which masks belong to which image: by the names that both paths share, or by their order in the folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from readers.base import Refusal
from readers.path_pattern import PathPattern
from readers.source import Source, printable

PairBy = Literal["name", "order"]

OF_MASKS = ("class", "object", "observer")
"""Names that say what a mask marks, and not whose it is."""

OF_IMAGES = ("label", "modality", "anatomy")
"""Names that say what an image shows, and not which one it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and its masks."""

    key: str
    image: str
    names: dict[str, str]
    """Values of the names in the image's pattern."""
    masks: list[dict[str, str]]
    """Values of the names in the masks' pattern, and ``path``."""


class Pairing:
    """Lists images with their masks; the names of all masks are held in memory.

    Args:
        images: pattern of images; all its names but `OF_IMAGES` make up the case key.
        masks: pattern of masks; the names that both have, but for `OF_MASKS` and `OF_IMAGES`, join them.
        by: ``order`` leaves ``{id}`` out of what joins, and takes the nth mask for the nth image of a group.
        observer: the only observer whose masks are taken; empty for all.
    """

    def __init__(self, images: PathPattern, masks: PathPattern, by: PairBy, observer: str = "") -> None:
        self._images, self._masks, self._by, self._observer = images, masks, by, observer
        joins = [name for name in images.names if name in masks.names and name not in (*OF_MASKS, *OF_IMAGES)]
        self._joins = [name for name in joins if name != "id" or by == "name"]
        own = [name for name in images.names if name not in OF_IMAGES]
        self._key = sorted(own, key=lambda name: (name != "split", name == "id"))

    def pairs(self, source: Source, optional: bool) -> Iterator[Pair | Refusal]:
        """Every image, then every mask that belongs to none; images without masks are refused unless ``optional``."""
        of: dict[tuple[str, ...], list[dict[str, str]]] = {}
        taken: set[str] = set()
        for path, names in self._masks.find(source):
            taken.add(path)
            if not self._observer or names.get("observer") == self._observer:
                of.setdefault(self._joint(names), []).append({**names, "path": path})
        used: set[tuple[str, ...]] = set()
        # The pattern of the images also matches masks that lie beside them.
        images = ((path, names) for path, names in self._images.find(source) if path not in taken)
        for pair in self._by_order(images, of) if self._by == "order" else self._by_name(images, of):
            if isinstance(pair, Pair):
                used.add(self._joint(pair.names))
            if isinstance(pair, Pair) and not pair.masks and not optional:
                yield Refusal(pair.key, "missing_mask", "the image has no mask", "quarantined")
            else:
                yield pair
        for joint, masks in of.items():
            if joint not in used and self._by == "name":
                for mask in masks:
                    yield Refusal(printable(mask["path"]), "orphan_mask", "the mask belongs to no image", "quarantined")

    def _by_name(
        self, images: Iterator[tuple[str, dict[str, str]]], of: dict[tuple[str, ...], list[dict[str, str]]]
    ) -> Iterator[Pair]:
        for path, names in images:
            yield Pair(self._name(names), path, names, of.get(self._joint(names), []))

    def _by_order(
        self, images: Iterator[tuple[str, dict[str, str]]], of: dict[tuple[str, ...], list[dict[str, str]]]
    ) -> Iterator[Pair | Refusal]:
        """The nth mask for the nth image of a group of equal names other than ``{id}``; each count must be the same."""
        groups: dict[tuple[str, ...], list[tuple[str, dict[str, str]]]] = {}
        for path, names in images:
            groups.setdefault(tuple(value for name, value in names.items() if name != "id"), []).append((path, names))
        for group in groups.values():
            masks = of.get(self._joint(group[0][1]), [])
            for place, (path, names) in enumerate(group):
                key = self._name(names)
                if masks and len(masks) != len(group):
                    detail = f"{len(group)} images stand against {len(masks)} masks, so their order joins nothing"
                    yield Refusal(key, "mask_count", detail, "quarantined")
                else:
                    yield Pair(key, path, names, masks[place : place + 1])

    def _joint(self, names: dict[str, str]) -> tuple[str, ...]:
        return tuple(names[name] for name in self._joins)

    def _name(self, names: dict[str, str]) -> str:
        return printable("/".join(names[name] for name in self._key))
