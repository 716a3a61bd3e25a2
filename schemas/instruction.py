"""Instruction: the row that is published, and its Arrow schema, version 1.

What a row is made of is hashed and shared and never changed, but not frozen: each field of a frozen class costs ten
times as much to set, a row has forty of them, and making them was a tenth of what a converter does.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.case import ImageRef, VolumeRef
from schemas.view import Box

SCHEMA_VERSION = 1

Task = Literal[
    "caption", "report", "mcq", "yes_no", "open", "multi_label", "ordinal", "count", "region_to_text",
    "text_to_region", "referring_segmentation", "comparison", "dialogue", "reasoning", "interleaved", "text",
    "preference",
]  # fmt: skip
TASKS: tuple[str, ...] = Task.__args__  # type: ignore[attr-defined]

IMAGE = "<image>"
"""Placeholder for one image; as many in the messages as the row has images."""


@dataclass(slots=True, unsafe_hash=True)
class Message:
    """One turn."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(slots=True, unsafe_hash=True)
class Place:
    """A region of the published picture."""

    label: str
    kind: Literal["box", "mask", "contour", "point"]
    box: Box
    """x0 y0 x1 y1 as fractions 0..1 of the view."""
    rle: str = ""
    size: tuple[int, int] = (0, 0)
    """(height, width) of the view on which ``rle`` stands, (0, 0) without a mask."""
    points: tuple[float, ...] = ()
    """x y pairs as fractions 0..1 of the view."""
    image_index: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check said of one generated text."""

    check: str
    verdict: str
    score: float = 0.0
    detail: str = ""


@dataclass(slots=True, unsafe_hash=True)
class Provenance:
    """Where every word of the row comes from."""

    converter: str
    template: str = ""
    """Id of the template, ``<converter>.<name>.<language>``."""
    seed: int = 0
    language: str = "en"
    facts: tuple[str, ...] = ()
    """Paths into the case that prove the answer, e.g. ``labels[0]``, ``regions[3]``."""
    model: str = ""
    """Empty where the text is from templates or from the source."""
    revision: str = ""
    sampling: str = ""
    """JSON of the sampling parameters."""
    prompt_digest: str = ""
    image_shown: bool = False
    """Whether the model saw the image."""
    request_digest: str = ""
    verdicts: tuple[Verdict, ...] = ()
    steps: tuple[str, ...] = ()
    """What led to the text besides ``request_digest``, in order, each ``<what>:<digest or id>``: the pictures as they
    were sent where they were resized, the requests of earlier stages, snippets of knowledge, how an option was made."""


@dataclass(slots=True, unsafe_hash=True)
class Instruction:
    """One row about one case.  Facts of the dataset (licence, MAT triplet, split) are joined by the flow."""

    id: str
    task: Task
    messages: tuple[Message, ...]
    provenance: Provenance
    images: tuple[ImageRef, ...] = ()
    volumes: tuple[VolumeRef, ...] = ()
    options: tuple[str, ...] = ()
    answer: str = ""
    answer_index: int = -1
    regions: tuple[Place, ...] = ()
    labels: tuple[str, ...] = ()
    modality: str = ""
    anatomy: str = ""
    clinical_task: str = ""
    """Where empty, the dataset's triplet is filled in."""
    flags: tuple[str, ...] = ()
    scores: tuple[tuple[str, float], ...] = field(default=())


def arrow_schema() -> Any:
    """The fixed `pyarrow.Schema` of every shard of every release, with the Hugging Face feature metadata."""
    import json

    import pyarrow as pa

    text, flag, whole, real = pa.string(), pa.bool_(), pa.int32(), pa.float64()
    blob = pa.struct([("bytes", pa.binary()), ("path", text)])
    view = pa.struct([
        ("source_width", whole), ("source_height", whole), ("width", whole), ("height", whole),
        ("matrix", pa.list_(real)), ("axis", whole), ("index", whole), ("frame", whole),
        ("orientation", text), ("spacing", pa.list_(real)), ("slope", real), ("intercept", real),
        ("window", text), ("window_center", real), ("window_width", real), ("invert", flag),
    ])  # fmt: skip
    place = pa.struct([
        ("label", text), ("kind", text), ("box", pa.list_(real)), ("rle", text),
        ("points", pa.list_(real)), ("size", pa.list_(whole)), ("image_index", whole),
    ])  # fmt: skip
    verdict = pa.struct([("check", text), ("verdict", text), ("score", real), ("detail", text)])
    provenance = pa.struct([
        ("converter", text), ("template", text), ("seed", pa.int64()), ("language", text),
        ("facts", pa.list_(text)), ("model", text), ("revision", text), ("sampling", text),
        ("prompt_digest", text), ("image_shown", flag), ("request_digest", text), ("verdicts", pa.list_(verdict)),
        ("steps", pa.list_(text)),
    ])  # fmt: skip
    quality = pa.struct([
        ("flags", pa.list_(text)), ("scores", pa.list_(pa.struct([("name", text), ("value", real)]))),
    ])  # fmt: skip
    schema = pa.schema([
        ("id", text), ("task", text),
        ("messages", pa.list_(pa.struct([("role", text), ("content", text)]))),
        ("images", pa.list_(blob)), ("volumes", pa.list_(blob)),
        ("options", pa.list_(text)), ("answer", text), ("answer_index", whole),
        ("regions", pa.list_(place)), ("labels", pa.list_(text)),
        ("modality", text), ("anatomy", text), ("clinical_task", text),
        ("dataset", text), ("case_id", text), ("group_id", text), ("split", text),
        ("license", text), ("access", text), ("view", pa.list_(view)), ("source_sha256", pa.list_(text)),
        ("provenance", provenance), ("quality", quality),
    ])  # fmt: skip
    features = {name: _feature(name, schema.field(name).type) for name in schema.names}
    info = {"info": {"features": features}}
    return schema.with_metadata({"huggingface": json.dumps(info), "medcurate": json.dumps({"schema": SCHEMA_VERSION})})


def _feature(name: str, kind: Any) -> dict[str, Any]:
    """The `datasets` feature of an Arrow type; the image column alone is declared as Image so that it decodes."""
    import pyarrow as pa

    if name == "images" and pa.types.is_struct(kind):
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"_type": "List", "feature": _feature(name, kind.value_type)}
    if pa.types.is_struct(kind):
        return {member.name: _feature(f"{name}.{member.name}", member.type) for member in kind}
    return {"_type": "Value", "dtype": {"double": "float64"}.get(str(kind), str(kind))}
