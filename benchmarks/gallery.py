"""Rows of a release as people see them: the picture with its regions drawn, the question, the answer.

    python -m benchmarks.gallery RELEASE OUT.html            a page of 100 rows
    python -m benchmarks.gallery RELEASE OUT.png --rows 12   one picture, as in the README

Rows are taken in turn from every pair of dataset and converter, by the hash of their id, so that the same release
gives the same page.
"""

import argparse
import base64
import html
import io
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from flows.overlay import overlay
from schemas.identity import digest
from schemas.instruction import Place

Row = dict[str, Any]
TILE = (400, 388)
PICTURE = 250


def rows_of(release: Path, count: int, only: Sequence[str] = ()) -> list[Row]:
    """``count`` rows with pictures, in turn from every dataset and converter; ``only`` some converters where given."""
    import pyarrow.parquet as pq

    groups: dict[tuple[str, str], list[Row]] = {}
    for shard in sorted((release / "data").glob("*.parquet")):
        for row in pq.read_table(shard).to_pylist():
            converter = row["provenance"]["converter"]
            if row["images"] and (not only or converter in only):
                groups.setdefault((row["dataset"], converter), []).append(row)
    piles = [sorted(groups[key], key=lambda row: digest("gallery", row["id"])) for key in _spread(groups)]
    chosen: list[Row] = []
    seen: set[tuple[str, str]] = set()
    while any(piles) and len(chosen) < count:
        for pile in filter(None, piles):
            fresh = (at for at, row in enumerate(pile) if (row["dataset"], row["case_id"]) not in seen)
            row = pile.pop(next(fresh, 0))
            seen.add((row["dataset"], row["case_id"]))
            chosen.append(row)
    return chosen[:count]


def _spread(groups: dict[tuple[str, str], list[Row]]) -> Iterator[tuple[str, str]]:
    """Keys so that neighbours differ in dataset and in converter where that can be."""
    datasets = sorted({dataset for dataset, _ in groups})
    left = {dataset: sorted(converter for d, converter in groups if d == dataset) for dataset in datasets}
    turn = 0
    while any(left.values()):
        for place, dataset in enumerate(datasets):
            if left[dataset]:
                yield dataset, left[dataset].pop((turn + 5 * place) % len(left[dataset]))
        turn += 1


def drawn(row: Row) -> list[Image.Image]:
    """The row's pictures with the regions that the row names drawn into them."""
    places = [_place(region) for region in row["regions"]]
    return [
        overlay(image["bytes"], [place for place in places if place.image_index == index])
        for index, image in enumerate(row["images"])
    ]


def _place(region: Row) -> Place:
    size = tuple(region["size"])
    box: Any = tuple(region["box"])
    shape = (size[0], size[1]) if len(size) == 2 else (0, 0)
    return Place(
        region["label"], region["kind"], box, region["rle"], shape, tuple(region["points"]), region["image_index"]
    )


def page(rows: Sequence[Row], title: str) -> str:
    """An HTML page that stands alone."""
    tiles = []
    for row in rows:
        pictures = "".join(f'<img src="data:image/png;base64,{_encoded(picture)}">' for picture in drawn(row))
        turns = "".join(
            f"<p class={turn['role']}>{html.escape(turn['content'].replace('<image>', '').strip())}</p>"
            for turn in row["messages"]
        )
        name = f"{row['dataset']} · {row['provenance']['converter']} · {row['task']}"
        tiles.append(f"<figure>{pictures}<figcaption>{html.escape(name)}</figcaption>{turns}</figure>")
    style = (
        "body{font:14px system-ui;background:#f4f4f2;margin:1em}main{display:grid;gap:1em;"
        "grid-template-columns:repeat(auto-fill,minmax(320px,1fr))}figure{margin:0;background:#fff;padding:.7em;"
        "border-radius:6px}img{max-width:100%;max-height:300px}figcaption{color:#777;font-size:12px}"
        "p{white-space:pre-wrap;margin:.4em 0}.assistant{color:#0a5c36;font-weight:600}"
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{style}</style>"
        f"<h1>{html.escape(title)}</h1><main>{''.join(tiles)}</main>\n"
    )


def _encoded(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.thumbnail((640, 640))
    picture.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def sheet(rows: Sequence[Row], columns: int = 3) -> Image.Image:
    """All rows on one picture, a tile each."""
    lines = -(-len(rows) // columns)
    whole = Image.new("RGB", (TILE[0] * columns, TILE[1] * lines), "white")
    for number, row in enumerate(rows):
        whole.paste(_tile(row), (number % columns * TILE[0], number // columns * TILE[1]))
    return whole


def _tile(row: Row) -> Image.Image:
    tile = Image.new("RGB", TILE, "white")
    pen = ImageDraw.Draw(tile)
    pictures = drawn(row)
    width = (TILE[0] - 20) // len(pictures)
    for place, picture in enumerate(pictures):
        picture.thumbnail((width - 4, PICTURE), Image.Resampling.LANCZOS)
        tile.paste(picture, (10 + place * width, 8))
    small, normal = ImageFont.load_default(size=11), ImageFont.load_default(size=13)
    height = 14 + max(picture.height for picture in pictures)
    pen.text((10, height), f"{row['dataset']} · {row['provenance']['converter']}", font=small, fill=(130, 130, 130))
    height += 17
    for turn, colour in zip(row["messages"][:2], ((30, 30, 30), (10, 92, 54)), strict=False):
        for line in _wrapped(turn["content"], 5 if turn["role"] == "user" else 3):
            pen.text((10, height), line, font=normal, fill=colour)
            height += 16
        height += 3
    return tile


def _wrapped(text: str, most: int) -> list[str]:
    lines = [
        line for part in text.replace("<image>", "").strip().splitlines() for line in textwrap.wrap(part, 58) or [""]
    ]
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1] + " ..."]


def main() -> None:
    """Entry point of ``python -m benchmarks.gallery``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--converters", nargs="*", default=[])
    options = parser.parse_args()
    rows = rows_of(options.release, options.rows, options.converters)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.out.suffix == ".png":
        sheet(rows).quantize(256, dither=Image.Dither.NONE).save(options.out, optimize=True)
    else:
        options.out.write_text(page(rows, f"{len(rows)} rows of {options.release.parent.name}@{options.release.name}"))
    print(f"{options.out}: {len(rows)} rows, {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
