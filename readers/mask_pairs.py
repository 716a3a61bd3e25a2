"""Images and masks in pairs: palette, class values, colours or binary, one file an image, a class or an object."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from readers.base import Item, Recognition, Refusal
from readers.companions import TextFiles
from readers.declared import mask_to_stored
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.mask_classes import Colour, MaskClasses, parse_colour, read_classes
from readers.observers import Agreement, agreed_masks
from readers.pairing import PairBy, Pairing
from readers.path_pattern import PathPattern
from readers.pixels.stored import stored_values
from readers.source import Source
from readers.values import split_name
from schemas.case import Acquisition, Case, ImageRef, Region
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.masks import mask_region
from schemas.spec import DatasetSpec, Strict
from schemas.taxonomy import canonical


class MaskPairOptions(Strict):
    """Options of ``mask_pairs``."""

    image_pattern: str = "images/{id}.png"
    """Path of an image below the root; ``{id}`` and further names (``{patient}``) pair it with its masks, ``{split}``
    is the split as shipped, ``{label}`` a word true of the whole image, ``{modality}`` and ``{anatomy}`` say what it
    is; ``*`` is anything without a slash, ``{label:[01]}`` what a regular expression says."""
    mask_pattern: str = "masks/{id}_mask.png"
    """Path of a mask; may hold ``{split}``, ``{class}`` (the word, one file a class), ``{object}`` (one file an object)
    and ``{observer}`` (several people marked one image)."""
    pair_by: PairBy = "name"
    """``order``: the nth mask of a folder belongs to its nth image, for stacks whose files are numbered differently."""
    classes: str | dict[int, str] = ""
    """Table with index and name (or r, g, b and name), or value -> word; where empty, ``binary`` is needed."""
    colours: dict[str, str] = Field(default_factory=dict)
    """``"255,0,0"`` or ``"#ff0000"`` -> word, for masks whose colours are classes."""
    palette: str = ""
    """A palette image whose colours, at the indices of ``classes``, are the classes' colours of RGB masks."""
    binary: str = ""
    """The word of everything that is not background, for two-valued masks without ``{class}``."""
    observer: str = ""
    """The only observer whose masks are taken; where empty, all of them."""
    agreement: Agreement = "apart"
    """What becomes of several observers' masks; ``apart`` keeps each, its region's ``instance`` naming the observer."""
    texts: TextFiles = TextFiles()
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
        images, self._masks = PathPattern(options.image_pattern), PathPattern(options.mask_pattern)
        images.need("id", "image_pattern")
        self._masks.need("id", "mask_pattern")
        self._pairing = Pairing(images, self._masks, options.pair_by, options.observer)
        self._classes = self._read_classes()

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; the names of all masks are held in memory."""
        for pair in self._pairing.pairs(self._source, self._options.mask_optional):
            if isinstance(pair, Refusal):
                yield pair
                continue
            split = split_name(pair.names.get("split", ""))
            yield Item(pair.key, {"image": pair.image, "masks": pair.masks, "split": split, "names": pair.names})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        names = item.data["names"]
        images, notes = image_refs(self._source, item.data["image"], self._spec.orientation)
        findings = list(notes)
        regions = self._marked(item.data["masks"], images[0], findings)
        if item.data["masks"] and not regions:
            findings.append(Finding("empty_mask", "the mask marks none of the classes"))
        texts, who = self._options.texts.of(self._source, item.data["image"], names)
        words = dict.fromkeys([*([names["label"]] if "label" in names else []), *(each.original for each in regions)])
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, names),
            split=item.data["split"],
            images=images,
            labels=tuple(label for word in words for label in self._labels.label(word)),
            regions=tuple(regions),
            texts=texts,
            acquisition=Acquisition(
                modality=canonical("modality", names.get("modality", "")),
                anatomy=canonical("anatomy", names.get("anatomy", "").replace("+", " ")),
            ),
            demographics=who,
            complete_regions=self._options.complete and not self._apart(item.data["masks"]),
            findings=tuple(dict.fromkeys(findings)),
        )

    def _marked(self, masks: list[dict[str, str]], image: ImageRef, findings: list[Finding]) -> list[Region]:
        found = [(mask, region) for mask in masks for region in self._regions(mask, image, findings)]
        if self._options.agreement == "apart":
            return [region for _, region in found]
        observers = {mask.get("observer", "") for mask in masks}
        marked = [(mask.get("object", ""), region) for mask, region in found]
        return agreed_masks(marked, len(observers), self._options.agreement)

    def _apart(self, masks: list[dict[str, str]]) -> bool:
        """Whether one object may be marked several times, so that regions must not be counted."""
        return self._options.agreement == "apart" and len({mask.get("observer") for mask in masks}) > 1

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
