"""What converters, synthesis and gates know about the run around a case."""

from dataclasses import dataclass, field

from schemas.spec import DatasetSpec


@dataclass(frozen=True, slots=True)
class Context:
    """Facts that hold for every case of one dataset in one run."""

    spec: DatasetSpec
    seed: int = 0
    language: str = "en"
    secret: bytes = field(default=b"medcurate", repr=False)
    """By which identifiers are hashed and surrogates are drawn."""
