"""What a partition hands to storage: finished cases, their bytes apart from their rows."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that rows of one case point at."""

    data: bytes
    name: str
    """File name in a shard, without folder: ``<index>.jpg``."""
    sha256: str
    pixel_digest: str = ""
    phash: int = 0


@dataclass(slots=True)
class StagedCase:
    """One case ready to be packed."""

    dataset: str
    case_id: str
    order: str
    """`schemas.identity.case_order`: cases are packed in this order."""
    group_id: str
    """Keyed hash of the group; of the case where the source does not tell."""
    shipped_split: str
    """As shipped, or empty."""
    split_policy: str
    """``shipped`` or ``hash``."""
    annotation_digest: str
    """Digest of labels, regions, texts and questions: equal pictures with unequal annotation are no duplicates."""
    origins: tuple[str, ...] = ()
    """Digests of what the pictures and volumes were made from (`flows.origins`), sorted."""
    labels: tuple[str, ...] = ()
    """Canonical names of what the annotation says is present, sorted."""
    unsure: tuple[str, ...] = ()
    """Of what it calls uncertain."""
    images: list[Blob] = field(default_factory=list)
    volumes: list[Blob] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Columns of `schemas.instruction.arrow_schema`, but ``images`` and ``volumes`` hold indices into the lists
    above, and ``split`` is empty until it is known."""
