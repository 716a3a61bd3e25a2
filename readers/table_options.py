"""Which column of a table, or key of a JSON record, says what: the options that all record readers share."""

from typing import Any, Literal

from pydantic import Field, field_validator

from readers.observers import Agreement
from schemas.case import TextKind
from schemas.spec import Strict

TableFormat = Literal["", "csv", "jsonl", "json", "xlsx", "parquet", "arrow", "webdataset"]


class Boxes(Strict):
    """Columns of a box, one box a record."""

    x: str
    y: str
    x2: str = ""
    """Right and bottom edge; or give ``width`` and ``height``."""
    y2: str = ""
    width: str = ""
    height: str = ""
    label: str = ""
    """Column with the object's word; ``word`` stands for it where every box is of one kind."""
    word: str = ""
    centre: bool = False
    """True where x and y are the box's centre."""
    normalised: bool = False
    """True where all are fractions of the image."""
    one_based: bool = False
    """True where the first pixel is 1 and the right and bottom edge belong to the box, as in Pascal VOC."""
    instance: str = ""
    observer: str = ""
    """Column with who drew it; one who drew none has a record without a box."""


class Runs(Strict):
    """A column with a mask as run lengths (Kaggle's ``EncodedPixels``: 1-based start and length, column-major)."""

    column: str
    label: str = ""
    word: str = ""
    relative: bool = False
    """True where each start counts from the end of the run before, 0-based (SIIM-ACR)."""
    row_major: bool = False
    empty: list[str] = Field(default_factory=lambda: ["-1", ""])
    """Values that say that there is no object."""


class MaskFiles(Strict):
    """Columns that name a mask's file, one mask a record."""

    mask: str
    folder: list[str] = Field(default_factory=list)
    """Folders that mask names are relative to."""
    label: str = ""
    """Column with the object's word; ``word`` stands for it where every mask is of one kind."""
    word: str = ""
    left: str = ""
    """Column with the left edge of a mask cropped to its box, in pixels; empty where masks are as large as images."""
    top: str = ""
    width: str = ""
    """Columns with the cropped mask's size, checked against its file."""
    height: str = ""


class Questions(Strict):
    """Columns of a question and its answer, one question a record."""

    question: str = "question"
    answer: str = "answer"
    options: list[str] = Field(default_factory=list)
    """One column each, or a single column that holds a list."""
    letter: str = ""
    """Column with the letter (A, B, ...) or 0-based index of the right option, where ``answer`` has not its text."""
    question_type: str = ""
    answer_type: str = ""
    """Column saying open or closed; where empty, yes and no count as closed."""
    language: str = ""
    """Column with the language code; where empty, English."""
    key: str = ""
    turns: str = ""
    """Column with a whole dialogue: a list of ``{from, value}`` or ``{role, content}``."""


class Lookup(Strict):
    """A further table whose columns are added to the records that share a value."""

    file: str
    """Path, wildcards allowed: ``*/radiology/captions.txt``."""
    on: str
    """Column that both tables have; the further one has each value once."""
    delimiter: str = ""
    header: list[str] = Field(default_factory=list)


class TableOptions(Strict):
    """Options of ``table``, and with other defaults of ``vqa_json``."""

    table: list[str] = Field(default_factory=list)
    """Files of records, relative to the root, wildcards allowed; where empty, the only such file at the top."""
    format: TableFormat = ""
    """Where empty, by the file's name."""
    delimiter: str = ""
    encoding: str = ""
    header: list[str] = Field(default_factory=list)
    """Column names of a table that has no header line; a last one ending in ``*`` is a list of all that is left."""
    records: str = ""
    """Dotted path to the list inside a JSON document, ``*`` for all its lists; name of the sheet in XLSX."""
    lookup: list[Lookup] = Field(default_factory=list)
    """Further tables joined to this one: captions, reports, metadata.  One may be written without a list."""
    where: dict[str, list[str]] = Field(default_factory=dict)
    """Only records whose column holds one of the values; others are counted as filtered."""

    image: list[str] = Field(default_factory=lambda: ["image"])
    """Columns with an image's path, name or stem; the first that exists counts for each of several tables.  A value
    may be a list."""
    more_images: list[str] = Field(default_factory=list)
    """Columns with further images of the same case."""
    embedded: list[str] = Field(default_factory=list)
    """Columns of a CSV, TSV or JSON Lines that hold pictures themselves, as base64 text (VLMEvalKit)."""
    image_dir: list[str] = Field(default_factory=list)
    """Folders that image names are relative to; where empty, the root."""
    strip_prefix: str = ""
    """Beginning of image names that is not below the root, as in CheXpert's ``CheXpert-v1.0/``."""
    image_template: str = ""
    """Instead of a column: a path with columns in braces, ``{patient}/{study}.png``."""
    text_only: bool = False
    """True where cases may have no image."""

    key: str = ""
    """Column with the case key; where empty, the image as written."""
    join: bool = False
    """True where records of one key are one case (boxes, questions, views); else a repeated key is reported."""

    labels: list[str] = Field(default_factory=list)
    """Columns with label words."""
    separator: str = "|"
    """Between several words in one cell."""
    listed_is_complete: bool = False
    """True where what a cell does not list is absent."""
    one_hot: list[str] = Field(default_factory=list)
    """Columns named as a label word, holding 1, 0, -1 or nothing."""
    positive: list[str] = Field(default_factory=lambda: ["1", "1.0", "True", "true", "yes", "Yes", "Y"])
    negative: list[str] = Field(default_factory=lambda: ["0", "0.0", "False", "false", "no", "No", "N"])
    uncertain: list[str] = Field(default_factory=lambda: ["-1", "-1.0"])
    labels_per_image: bool = False
    """True where, with ``join``, a record's labels are of its own image and not of the whole case."""
    always: list[str] = Field(default_factory=list)
    """Label words true of every case, for a dataset of one class."""

    split: str = ""
    """Column with the split as shipped."""
    split_values: dict[str, str] = Field(default_factory=dict)
    """Source's word -> train, val or test; train, val, valid, validation, dev, test, testing are known."""
    split_files: dict[str, str] = Field(default_factory=dict)
    """train, val, test -> file that lists images, one a line."""
    split_from_path: bool = False
    """True where the table's own path names the split, as in ``train_captions.csv``."""
    sex: str = ""
    age: str = ""
    """Years, also as 045Y or 6M."""
    site: str = ""
    """Column with the hospital or centre, which is only counted."""
    view: str = ""
    laterality: str = ""
    modality: str = ""
    anatomy: str = ""
    plane: str = ""
    license: str = ""
    """Column with the licence of the single case."""
    private: list[str] = Field(default_factory=list)
    """Columns with names, numbers or addresses of persons: never published, and every text is searched for them."""

    texts: dict[TextKind, str] = Field(default_factory=dict)
    """Kind of text -> column."""
    text_files: dict[TextKind, str] = Field(default_factory=dict)
    """Kind of text -> path of a text file with columns in braces; ``{stem}`` is the image's name without extension."""
    report_sections: bool = False
    """True cuts a ``report`` at its headings (FINDINGS:, IMPRESSION:) instead of keeping it whole."""
    language: str = "en"
    boxes: Boxes | None = None
    runs: Runs | None = None
    masks: MaskFiles | None = None
    agreement: Agreement = "apart"
    """What becomes of several people's boxes of one image, told apart by ``boxes.observer``."""
    complete_regions: bool = True
    """False where not every instance of the labels has its box or mask."""
    questions: Questions | None = None

    @field_validator("lookup", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value
