"""Case: one annotated clinical unit as a reader found it, in the source's own coordinates.

A case never holds decoded pixels.  It says where the bytes are (`ImageRef`), how they will be shown
(`View`), and what is known about them.  Readers make cases, converters ask about them.

Nothing of a case is ever changed.  What converters make anew for a row, marks and pictures, is not frozen for the
reason that `schemas.instruction` gives.
"""

from dataclasses import dataclass, field
from typing import Literal

from schemas.findings import Finding
from schemas.view import Box, View

Polarity = Literal["present", "absent", "uncertain"]
RegionKind = Literal["box", "mask", "contour", "point"]
Box3D = tuple[float, float, float, float, float, float]
Triple = tuple[float, float, float]
TextKind = Literal["caption", "mention", "report", "findings", "impression", "indication", "history", "section", "text"]


@dataclass(slots=True, unsafe_hash=True)
class Mark:
    """A region drawn into the picture (box, contour, point or set-of-mark number), in view pixels.

    A ``fill`` is painted over and leaves nothing of what it covers.
    """

    kind: Literal["box", "contour", "point", "number", "fill", "mask"]
    points: tuple[float, ...]
    """x0 y0 x1 y1 for a box, x y ... for a contour or fill, x y for a point or a number; for a mask the corners of its
    loops along pixel edges, each loop closed, one after the other."""
    colour: tuple[int, int, int] = (255, 0, 0)
    text: str = ""


@dataclass(slots=True, unsafe_hash=True)
class ImageRef:
    """Where one image's bytes lie and how they become the published picture.

    Converters derive variants with `dataclasses.replace` (a crop through ``view``, drawn ``marks``); the
    renderer executes whatever the reference says, and equal references are rendered and stored once.
    """

    files: tuple[str, ...]
    """Paths inside the dataset's source; one, or a whole series where the view cuts across its files."""
    media_type: str
    """By content, not by name: image/jpeg, image/png, image/tiff, application/dicom, application/x-nifti, ..."""
    view: View
    bit_depth: int = 8
    channels: int = 1
    marks: tuple[Mark, ...] = ()
    array: str = ""
    """Name of the array inside the file, for npz; ``name`` and, in ``view.frame``, its row."""
    words: Literal["", "declared", "likely", "unlikely"] = ""
    """Whether words are burned into the pixels, as far as a header says or the kind of picture makes likely."""
    calibrated: tuple[Box, ...] = ()
    """Boxes on the source plane that hold the image proper (ultrasound regions); empty where the source has none."""
    tiles: "tuple[Tile, ...]" = ()
    """Where there are any, the picture is a montage: the pictures of the tiles set side by side on black.  Its ``view``
    is the montage's own plane, unturned and without orientation, since its edges are no sides of the patient."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a montage."""

    x: int
    y: int
    """Montage pixels of its upper left corner."""
    image: ImageRef


@dataclass(frozen=True, slots=True)
class VolumeRef:
    """A 3D source that a row carries whole, or a mask on its grid."""

    files: tuple[str, ...]
    media_type: str
    shape: tuple[int, int, int]
    spacing: Triple
    """Millimetres per voxel along the three voxel axes; 0 where unknown."""
    orientation: str
    """nibabel axis codes of +i +j +k, e.g. ``RAS``; empty where the header does not say."""
    tilt: float = 0.0
    """Degrees by which the voxel axis that is farthest off lies off its patient axis."""
    channels: int = 1
    channel: int = 0
    """Which of them the case's slices, labels and regions are about."""
    channel_names: tuple[str, ...] = ()
    """What the dataset calls the channels, in order: ``FLAIR``, ``t1gd``; empty where it does not say."""
    mask: bool = False
    """Whether this is a mask: 1 where ``files`` hold one of ``mask_of``, 0 elsewhere, on the grid of ``grid``."""
    mask_of: tuple[int, ...] = ()
    """Voxel values; every one but 0 where empty."""
    grid: str = ""
    """The file of the image that the mask belongs to."""
    resampled: bool = False
    """Whether labels of another grid may be resampled by nearest voxel."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where some voxels of a volume lie and how many they are.

    Fractions are of the volume turned to RAS+ (its voxel axes permuted and flipped, not resampled): x runs from 0 at
    the patient's left edge of the volume to 1 at the right one, y from posterior to anterior, z from inferior to
    superior.
    """

    box: Box3D
    """``(i0, j0, k0, i1, j1, k1)`` in voxels as stored, half-open."""
    place: Box3D
    """``(x0, y0, z0, x1, y1, z1)`` in RAS+ fractions."""
    centre: Triple
    """Centroid of the voxels in RAS+ fractions."""
    voxels: int
    size_mm: Triple
    """Of the box along x, y and z; 0 where the spacing is unknown."""
    millilitres: float
    """0 where the spacing is unknown."""

    @property
    def side(self) -> Literal["", "left", "right"]:
        """The patient's side of the volume's middle that holds all of it; empty where it crosses the middle."""
        if self.place[3] <= 0.5:
            return "left"
        return "right" if self.place[0] >= 0.5 else ""

    @property
    def cut_off(self) -> bool:
        """Whether it reaches an edge of the volume, so that it may go on beyond."""
        return min(self.place[:3]) <= 0 or max(self.place[3:]) >= 1


@dataclass(frozen=True, slots=True)
class Region3D:
    """A labelled part of a volume, measured on its mask."""

    label: str
    original: str
    volume_index: int
    extent: Extent
    largest: tuple[int, int, int]
    """Indices of the slices across the voxel axes i, j and k that hold most of its voxels, the first of equals."""
    files: tuple[str, ...]
    """Where the mask lies."""
    values: tuple[int, ...]
    """Its values in those files; every one but 0 where empty."""
    resampled: bool = False
    """Whether the reader was told to resample labels of another grid by nearest voxel."""
    pieces: tuple[Extent, ...] = ()
    """Its connected parts (26 neighbours) in voxel order; empty where they were not looked for."""


@dataclass(frozen=True, slots=True)
class Label:
    """A statement about the whole case, in canonical words, with the dataset's own word kept."""

    name: str
    original: str
    polarity: Polarity = "present"
    image_index: int = -1
    """The image it is about, -1 for all of the case."""


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled place on one image, in source coordinates of that image's plane (see `schemas.view`).

    ``box`` is ``(u0, v0, u1, v1)`` with continuous, half-open edges: a VOC box ``xmin=1, xmax=1`` covers the
    first pixel column and reads ``u0=0, u1=1``.  Every region has a box; for masks it is the tight box.
    """

    label: str
    original: str
    kind: RegionKind
    image_index: int
    box: Box
    rle: str = ""
    """COCO compressed run-length string (column-major) at ``size``, for masks."""
    size: tuple[int, int] = (0, 0)
    """(height, width) of the mask's grid, equal to the source plane's."""
    points: tuple[float, ...] = ()
    """u0 v0 u1 v1 ... for contours and points."""
    area: float = 0.0
    """Source pixels covered (mask or contour), 0 for boxes and points."""
    instance: str = ""
    """The dataset's own id of the object, equal across slices of one object."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words that came with the case."""

    kind: TextKind
    content: str
    language: str = "en"
    title: str = ""
    """A section's heading."""


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """A question and answer that came with the case."""

    question: str
    answer: str
    options: tuple[str, ...] = ()
    answer_index: int = -1
    question_type: str = ""
    answer_type: Literal["", "open", "closed", "choice"] = ""
    language: str = "en"
    key: str = ""
    """The dataset's own id of the question."""
    turns: tuple[tuple[str, str], ...] = ()
    """All turns of an existing dialogue as (question, answer), where there is more than one."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How the images were made; empty strings where unknown."""

    modality: str = ""
    anatomy: str = ""
    view: str = ""
    """Projection of a radiograph (PA, AP, lateral) or view of an ultrasound."""
    plane: str = ""
    """axial, coronal or sagittal."""
    laterality: str = ""
    """left or right, for a paired body part."""
    contrast: str = ""
    manufacturer: str = ""


@dataclass(frozen=True, slots=True)
class Demographics:
    """Only what the source states; never shown in a question unless it can be seen."""

    sex: Literal["", "female", "male", "other"] = ""
    age_years: float | None = None
    site: str = ""
    """Digest of the name of the hospital or centre; only ever counted, under a number of its own."""


@dataclass(frozen=True, slots=True)
class Case:
    """One annotated clinical unit: an image, volume, study or figure with everything known about it."""

    dataset: str
    key: str
    """Stable within the dataset: from content or the dataset's own ids, never from position."""
    group: str | None
    """Patient, else lesion, else study; ``None`` states that the source does not tell."""
    split: str
    """As shipped: train, val, test, or empty."""
    images: tuple[ImageRef, ...] = ()
    volumes: tuple[VolumeRef, ...] = ()
    labels: tuple[Label, ...] = ()
    regions: tuple[Region, ...] = ()
    volume_regions: tuple[Region3D, ...] = ()
    texts: tuple[Text, ...] = ()
    questions: tuple[QuestionAnswer, ...] = ()
    acquisition: Acquisition = Acquisition()
    demographics: Demographics = Demographics()
    license: str = ""
    """SPDX id of this case where it differs from the dataset's, else empty."""
    complete_regions: bool = True
    """True where every instance of the dataset's labels is annotated, so that absence and counts are known."""
    identifiers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Kind (see `quality.recognisers`) and value of what the source's own fields say of persons: names, ids, dates.
    Nothing of it is published; every text is searched for it."""
    series: tuple[str, ...] = field(default=(), repr=False)
    """All files of the DICOM series from which the images were chosen, in order: what a face could be rebuilt from."""
    alias: str = field(default="", repr=False)
    """Stands for the key in `identity` where the key could lead to a person: made of it with the secret key, and
    published nowhere."""
    surrogates: frozenset[str] = field(default=frozenset(), repr=False)
    """What was put into the texts in the place of identifiers, and so is none."""
    findings: tuple[Finding, ...] = field(default=())
    """What the reader noticed and repaired; they go to ``quality.flags`` and the report."""

    @property
    def identity(self) -> str:
        """What ids of rows, orders and random choices are drawn from.

        Never the key itself, whose digest anybody could make who guesses a file name or record number.
        """
        return self.alias or self.key

    def present(self) -> list[str]:
        """Canonical names of the labels that are true of the case, in order, without repetition."""
        return list(dict.fromkeys(label.name for label in self.labels if label.polarity == "present"))
