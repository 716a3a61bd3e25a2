"""Words burned into pixels: how many of them are found, by size, contrast and kind of picture, and what it costs.

    python -m benchmarks.privacy_pixels [pictures of each kind]

Names, dates and numbers are planted in real pictures of ``../shared/data`` that show no words of their own.
"""

import hashlib
import io
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quality.burned_in import BurnedIn, BurnedInOptions
from schemas.rendered import Rendered

DATA = Path("../shared/data")
FOLDERS = (
    "seg2d_ct_slices/images",
    "cls_csv_hannover_cxr/png",
    "det_voc_bccd/JPEGImages",
    "vqa_rad/VQA_RAD Image Folder",
)
WORDS = (
    "KAUFMAN SCOTT", "Grzegorzewska, Ewa", "DOB 07.22.1943", "MRN 00482913", "Dr. Okonkwo", "St. Elsewhere Hosp.",
    "2012-03-09 14:22", "O'Brien^Siobhan", "Acc# 7741209", "Ward 7B / Nguyen",
)  # fmt: skip
KINDS: dict[str, tuple[int, int, bool, bool]] = {
    # size in pixels, grey levels above what lies below, inverted, colour
    "10 px": (10, 120, False, False),
    "12 px": (12, 120, False, False),
    "16 px": (16, 120, False, False),
    "24 px": (24, 120, False, False),
    "40 px": (40, 120, False, False),
    "16 px, contrast 60": (16, 60, False, False),
    "16 px, contrast 30": (16, 30, False, False),
    "16 px, inverted (MONOCHROME1)": (16, 120, True, False),
    "16 px, yellow": (16, 120, False, True),
}


def main(count: int) -> None:
    """Print recall of planted lines (nine tenths of their box found) for each kind, false finds and time."""
    gate = BurnedIn(BurnedInOptions())
    clean = _clean(gate, count)
    for kind, look in KINDS.items():
        found = wanted = refused = 0
        started = time.perf_counter()
        for number, picture in enumerate(clean):
            planted, boxes = plant(picture, random.Random(number), *look)
            lines = [line.box for line in gate.lines(_rendered(planted))]
            refused += bool(lines)
            found += sum(_covered(box, lines) for box in boxes)
            wanted += len(boxes)
        spent = (time.perf_counter() - started) / len(clean)
        print(f"{kind}: {found} of {wanted} lines, {refused} of {len(clean)} pictures, {spent:.2f} s a picture")


def _clean(gate: BurnedIn, count: int) -> list[Image.Image]:
    """Pictures in which nothing is read, evenly of all folders; prints in how many something was."""
    kept: list[Image.Image] = []
    read = looked = 0
    for folder in FOLDERS:
        mine = 0
        for path in sorted((DATA / folder).iterdir()):
            if path.suffix.lower() not in (".png", ".jpg") or mine >= count // len(FOLDERS):
                continue
            picture = Image.open(path).convert("RGB")
            picture.thumbnail((640, 640))
            looked += 1
            if gate.lines(_rendered(picture)):
                read += 1
                continue
            kept.append(picture)
            mine += 1
    print(f"as they are: words read in {read} of {looked} pictures (some films do show words)")
    return kept


def plant(
    picture: Image.Image, draw: random.Random, size: int, contrast: int, inverted: bool, colour: bool
) -> tuple[Image.Image, list[tuple[int, int, int, int]]]:
    """The picture with two lines in its corners, and their boxes."""
    shown = Image.fromarray(255 - np.asarray(picture)) if inverted else picture.copy()
    pen, font = ImageDraw.Draw(shown), ImageFont.load_default(size)
    boxes = []
    for words, low in zip(draw.sample(WORDS, 2), (False, True), strict=True):
        wide, high = pen.textbbox((0, 0), words, font=font)[2:]
        x = draw.randint(2, max(int(shown.width - wide - 2), 2))
        y = int(shown.height - high - 4) if low else draw.randint(2, 8)
        x0, y0, x1, y1 = (int(edge) for edge in pen.textbbox((x, y), words, font=font))
        under = float(np.asarray(shown.crop((x0, y0, x1, y1)).convert("L")).mean())
        grey = round(under + contrast if under + contrast <= 255 else max(under - contrast, 0))
        pen.text((x, y), words, fill=(grey, grey, 0) if colour else (grey, grey, grey), font=font)
        boxes.append((x0, y0, min(x1, shown.width), y1))
    return shown, boxes


def _covered(box: tuple[int, int, int, int], lines: Sequence[tuple[float, float, float, float]]) -> bool:
    x0, y0, x1, y1 = box
    mask = np.zeros((y1 - y0, x1 - x0), bool)
    for a, b, c, d in lines:
        mask[max(int(b) - 3 - y0, 0) : max(int(d) + 3 - y0, 0), max(int(a) - 3 - x0, 0) : max(int(c) + 3 - x0, 0)] = (
            True
        )
    return bool(mask.mean() >= 0.9)


def _rendered(picture: Image.Image) -> Rendered:
    out = io.BytesIO()
    picture.save(out, "png")
    data = out.getvalue()
    return Rendered(data, "image/png", *picture.size, (), hashlib.sha256(data).hexdigest(), "")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16)
