"""What decoding an image once yields: the bytes to publish and every fact that later steps need of the pixels."""

from dataclasses import dataclass

from schemas.findings import Finding


@dataclass(frozen=True, slots=True)
class Rendered:
    """One published picture."""

    data: bytes
    """Encoded JPEG or PNG, without metadata."""
    media_type: str
    width: int
    height: int
    source_sha256: tuple[str, ...]
    """Of each source file, as read."""
    sha256: str
    """Of ``data``."""
    pixel_digest: str
    """Of the decoded picture (mode, size, pixels), equal whatever the codec; empty if not decoded."""
    phash: int = 0
    """64-bit perceptual hash (imagehash.phash), 0 if not computed."""
    minimum: float = 0.0
    maximum: float = 255.0
    mean: float = 0.0
    std: float = 0.0
    """Of the published 8-bit luma."""
    findings: tuple[Finding, ...] = ()

    @property
    def extension(self) -> str:
        """File extension of the encoded bytes, without dot."""
        return {"image/jpeg": "jpg", "image/png": "png"}[self.media_type]
