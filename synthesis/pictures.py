"""Pictures as a model gets them: made smaller to what it uses, or with regions drawn in; never what is published."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from schemas.errors import CaseError
from schemas.rendered import Rendered

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG_QUALITY = 95
COLOURS = ((255, 0, 0), (0, 200, 255), (255, 220, 0), (0, 220, 0), (255, 0, 255), (255, 140, 0))
Box = tuple[float, float, float, float]


def fitted(width: int, height: int, max_pixels: int, side: int) -> tuple[int, int]:
    """The size at which a picture is sent: as it is, or smaller in its own proportions.

    Args:
        width: pixels.
        height: pixels.
        max_pixels: of the whole picture; 0 for no limit.
        side: of the longer side; 0 for no limit.
    """
    scale = min(1.0, side / max(width, height) if side else 1.0)
    if max_pixels:
        scale = min(scale, (max_pixels / (width * height)) ** 0.5)
    if scale == 1.0:
        return width, height
    return max(1, int(width * scale)), max(1, int(height * scale))


def shrunk(picture: Rendered, max_pixels: int, side: int) -> Rendered:
    """The picture within the limits, itself where it is; JPEG stays JPEG (quality 95), PNG stays PNG.

    Raises:
        CaseError: it cannot be decoded.
    """
    size = fitted(picture.width, picture.height, max_pixels, side)
    if size == (picture.width, picture.height):
        return picture
    from PIL import Image

    with _readable(), Image.open(io.BytesIO(picture.data)) as opened:
        opened.draft(None, size)
        image = opened if opened.mode in ("L", "RGB") else opened.convert("RGB")
        return _encoded(image.resize(size, Image.Resampling.LANCZOS), picture)


def boxed(picture: Rendered, boxes: Sequence[Box]) -> Rendered:
    """The picture with boxes (x0 y0 x1 y1 as fractions of it) drawn in, in the order of `COLOURS`.

    Raises:
        CaseError: it cannot be decoded.
    """
    if not boxes:
        return picture
    from PIL import Image, ImageDraw

    with _readable(), Image.open(io.BytesIO(picture.data)) as opened:
        image = opened.convert("RGB")
    draw = ImageDraw.Draw(image)
    width, height = image.size
    line = max(1, min(width, height) // 200)
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        corners = (x0 * width, y0 * height, max(x0 * width, x1 * width - 1), max(y0 * height, y1 * height - 1))
        draw.rectangle(corners, outline=COLOURS[number % len(COLOURS)], width=line)
    return _encoded(image, picture)


@contextmanager
def _readable() -> Iterator[None]:
    """A recipe with ``decode: false`` lets pictures through unseen; one that is damaged costs its case."""
    try:
        yield
    except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises
        detail = f"the picture cannot be decoded to be sent to the model ({type(error).__name__})"
        raise CaseError("corrupt_image", detail) from error


def _encoded(image: "Image", picture: Rendered) -> Rendered:
    buffer = io.BytesIO()
    if picture.media_type == "image/jpeg":
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        image.save(buffer, "PNG", compress_level=1)
    data = buffer.getvalue()
    digest = sha256(data).hexdigest()
    return replace(picture, data=data, width=image.width, height=image.height, sha256=digest, pixel_digest="")
