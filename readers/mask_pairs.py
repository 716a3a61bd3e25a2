"""Images and masks in pairs: palette, class values, colours or binary, one file an image, a class or an object."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from readers.base import Item, Recognition, Refusal
from readers.declared import mask_to_stored
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.mask_classes import Colour, MaskClasses, parse_colour, read_classes
from readers.path_pattern import PathPattern
from readers.pixels.stored import stored_values
from readers.source import Source, printable
from readers.values import split_name
from schemas.case import Case, ImageRef, Region
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.masks import mask_region
from schemas.spec import DatasetSpec, Strict


class MaskPairOptions(Strict):
    """Options of ``mask_pairs``."""

    image_pattern: str = "images/{id}.png"
    """Path of an image below the root; ``{id}`` pairs it with its masks, ``{split}`` is the split as shipped, ``*`` is
    anything without a slash."""
    mask_pattern: str = "masks/{id}_mask.png"
    """Path of a mask; may hold ``{split}``, ``{class}`` (the word, one file a class), ``{object}`` (one file an object)
    and ``{observer}`` (several readers of one image)."""
    classes: str | dict[int, str] = ""
    """Table with index and name (or r, g, b and name), or value -> word; where empty, ``binary`` is needed."""
    colours: dict[str, str] = Field(default_factory=dict)
    """``"255,0,0"`` or ``"#ff0000"`` -> word, for masks whose colours are classes."""
    palette: str = ""
    """A palette image whose colours, at the indices of ``classes``, are the classes' colours of RGB masks."""
    binary: str = ""
    """The word of everything that is not background, for two-valued masks without ``{class}``."""
    observer: str = ""
    """The observer whose masks are taken; where empty, all of them, each region's ``instance`` naming its observer."""
    mask_optional: bool = False
    """True where an image without a mask shows none of the classes; else it is refused."""
    complete: bool = True
    """False where not everything of the classes is marked."""


class MaskPairs:
    """Every image with its masks is a case.  The key is the id, with its split before it where there is one."""

    name: ClassVar[str] = "mask_pairs"
    Options: ClassVar[type[Strict]] = MaskPairOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: MaskPairOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._images = PathPattern(options.image_pattern)
        self._masks = PathPattern(options.mask_pattern)
        self._images.need("id", "image_pattern")
        self._masks.need("id", "mask_pattern")
        self._classes = self._read_classes()

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; the names of all masks are held in memory."""
        of: dict[str, list[dict[str, str]]] = {}
        taken: set[str] = set()
        for path, names in self._masks.find(self._source):
            taken.add(path)
            if not self._options.observer or names.get("observer") == self._options.observer:
                of.setdefault(self._key(names), []).append({**names, "path": path})
        for path, names in self._images.find(self._source):
            if path in taken:
                continue  # the pattern of the images also matches masks that lie beside them
            key = self._key(names)
            masks = of.pop(key, [])
            if not masks and not self._options.mask_optional:
                yield Refusal(printable(key), "missing_mask", "the image has no mask", "quarantined")
                continue
            split = split_name(names.get("split", ""))
            yield Item(printable(key), {"image": path, "masks": masks, "split": split, "names": names})
        for masks in of.values():
            for mask in masks:
                yield Refusal(printable(mask["path"]), "orphan_mask", "the mask belongs to no image", "quarantined")

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        images, notes = image_refs(self._source, item.data["image"], self._spec.orientation)
        findings = list(notes)
        regions: list[Region] = []
        for mask in item.data["masks"]:
            regions += self._regions(mask, images[0], findings)
        if item.data["masks"] and not regions:
            findings.append(Finding("empty_mask", "the mask marks none of the classes"))
        words = dict.fromkeys(region.original for region in regions)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, item.data["names"]),
            split=item.data["split"],
            images=images,
            labels=tuple(label for word in words for label in self._labels.label(word)),
            regions=tuple(regions),
            complete_regions=self._options.complete,
            findings=tuple(dict.fromkeys(findings)),
        )

    def _key(self, names: dict[str, str]) -> str:
        return "/".join(names[part] for part in ("split", "id") if part in names)

    def _regions(self, mask: dict[str, str], image: ImageRef, findings: list[Finding]) -> list[Region]:
        stored, palette = stored_values(self._source, mask["path"])
        classes = MaskClasses({}, {}, mask["class"]) if "class" in mask else self._classes
        view = image.view
        sizes = ((view.source_height, view.source_width), (view.height, view.width))
        if stored.shape[:2] not in sizes:
            raise CaseError(
                "mask_shape",
                f"the mask has {stored.shape[1]}x{stored.shape[0]} pixels, its image "
                f"{view.source_width}x{view.source_height}; they do not belong together",
                "quarantined",
            )
        instance = "/".join(mask[part] for part in ("observer", "object") if part in mask)
        found: list[Region | None] = []
        for word, pixels in classes.masks(stored, palette, findings):
            name = self._labels.canonical(word)
            if name is not None:
                found.append(mask_region(mask_to_stored(pixels, view, findings), name, word, 0, instance))
        return [region for region in found if region is not None]

    def _read_classes(self) -> MaskClasses:
        options = self._options
        if options.binary or "class" in self._masks.names:
            return MaskClasses({}, {}, options.binary)
        if isinstance(options.classes, str) and options.classes:
            classes = read_classes(self._source, options.classes)
        else:
            classes = MaskClasses(dict(options.classes) if isinstance(options.classes, dict) else {}, {})
        for text, word in options.colours.items():
            colour = parse_colour(text)
            if colour is None:
                raise UserError(f"{self._spec.name}: {text!r} is no colour; write it as 255,0,0 or #ff0000")
            classes.colours[colour] = word
        if options.palette:
            classes.colours.update(self._palette_colours(classes.values))
        if not (classes.values or classes.colours):
            raise UserError(f"{self._spec.name}: mask_pairs needs one of the options classes, colours or binary")
        return classes

    def _palette_colours(self, values: dict[int, str]) -> dict[Colour, str]:
        _, palette = stored_values(self._source, self._options.palette)
        return {palette[value]: word for value, word in values.items() if value < len(palette)}

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_masks import recognise_masks

        return recognise_masks(source)
