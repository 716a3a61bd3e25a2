"""Blood smears with every cell boxed, as one COCO file beside a folder of pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from flows.phantoms.canvas import Plane, ellipse, grid, paint, rng, save_jpeg, save_json, to_bytes

HEIGHT, WIDTH = 240, 320
CELLS = (("RBC", 14.0, 17.0), ("WBC", 26.0, 31.0), ("Platelets", 4.5, 6.0))
"""Class and range of radii in pixels; category ids are 1, 2, 3."""
Cell = tuple[int, float, float, float]
"""Index into `CELLS`, centre x, centre y, radius."""


def coco(folder: Path, seed: int) -> dict[str, Any]:
    """``images/*.jpg`` and ``annotations/instances.json``; counts by class and picture are the truth.

    Deliberately bad: ``smear_016.jpg`` is listed and missing, one box of ``smear_015.jpg`` leaves the picture.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    truth: dict[str, Any] = {}
    for number in range(1, 17):
        name = f"smear_{number:03d}.jpg"
        draw = rng(seed, "smear", name)
        cells = _place(draw)
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        boxes = [[x - r, y - r, 2 * r, 2 * r] for _, x, y, r in cells]
        if number == 15:
            boxes[0] = [WIDTH - 10.0, 40.0, 60.0, 30.0]
        for (kind, *_), box in zip(cells, boxes, strict=True):
            rounded = [round(edge, 2) for edge in box]
            annotations.append({
                "id": len(annotations) + 1, "image_id": number, "category_id": kind + 1, "bbox": rounded,
                "area": round(rounded[2] * rounded[3], 2), "iscrowd": 0, "segmentation": [],
            })  # fmt: skip
        if number < 16:
            save_jpeg(folder / "images" / name, _draw(cells, draw))
        truth[name] = {
            word: {
                "count": sum(cell[0] == kind for cell in cells),
                "centres": [[x, y] for k, x, y, _ in cells if k == kind],
            }
            for kind, (word, *_) in enumerate(CELLS)
        }
    categories = [{"id": kind + 1, "name": word, "supercategory": "cell"} for kind, (word, *_) in enumerate(CELLS)]
    info = {"description": "Phantom blood smears", "version": "1"}
    licenses = [{"id": 1, "name": "CC0-1.0", "url": ""}]
    save_json(
        folder / "annotations/instances.json",
        {"info": info, "licenses": licenses, "images": images, "annotations": annotations, "categories": categories},
    )
    return truth


def _place(draw: np.random.Generator) -> list[Cell]:
    """Cells that neither touch nor leave the picture: one or two white, up to four platelets, then red."""
    wanted = [1] * int(draw.integers(1, 3)) + [2] * int(draw.integers(0, 5)) + [0] * int(draw.integers(9, 17))
    cells: list[Cell] = []
    for kind in wanted:
        for _ in range(60):
            radius = round(float(draw.uniform(*CELLS[kind][1:])), 1)
            x = round(float(draw.uniform(radius + 2, WIDTH - radius - 2)), 1)
            y = round(float(draw.uniform(radius + 2, HEIGHT - radius - 2)), 1)
            if all((x - cx) ** 2 + (y - cy) ** 2 > (radius + r + 3) ** 2 for _, cx, cy, r in cells):
                cells.append((kind, x, y, radius))
                break
    return cells


def _draw(cells: list[Cell], draw: np.random.Generator) -> Any:
    yx = grid(HEIGHT, WIDTH)
    picture = [np.full((HEIGHT, WIDTH), value, np.float32) for value in (238, 224, 220)]
    for kind, x, y, radius in cells:
        (_red, _white, _platelet)[kind](picture, yx, x, y, radius, draw)
    noise = draw.normal(0, 2, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return to_bytes(np.stack(picture, axis=2) + noise)


def _stain(picture: list[Plane], cover: Plane, colour: tuple[int, int, int]) -> None:
    for channel, value in zip(picture, colour, strict=True):
        paint(channel, cover, value)


def _red(picture: list[Plane], yx: Any, x: float, y: float, radius: float, _: np.random.Generator) -> None:
    _stain(picture, ellipse(yx, (y, x), (radius, radius)), (214, 128, 126))
    _stain(picture, ellipse(yx, (y, x), (radius * 0.45, radius * 0.45), soft=6) * 0.7, (236, 190, 186))


def _white(picture: list[Plane], yx: Any, x: float, y: float, radius: float, draw: np.random.Generator) -> None:
    _stain(picture, ellipse(yx, (y, x), (radius, radius), soft=2), (196, 178, 214))
    for turn in (0.2, 2.2, 4.2):
        angle = turn + float(draw.uniform(-0.3, 0.3))
        centre = (y + radius * 0.36 * np.sin(angle), x + radius * 0.36 * np.cos(angle))
        _stain(picture, ellipse(yx, centre, (radius * 0.4, radius * 0.36), angle, soft=2), (96, 58, 142))


def _platelet(picture: list[Plane], yx: Any, x: float, y: float, radius: float, _: np.random.Generator) -> None:
    _stain(picture, ellipse(yx, (y, x), (radius, radius), soft=2), (150, 96, 168))
