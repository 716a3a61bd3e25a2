import base64
import io
import re

import numpy as np
import polars as pl
from PIL import Image

from schemas.masks import encode
from storage.drawing import figure
from storage.report import render_report
from storage.samples import sample_rows

from .conftest import blob, picture, row, simple_case, staged


def region(**changes):
    return {"label": "cell", "kind": "box", "box": [0.25, 0.5, 0.5, 1.0], "rle": "", "points": [], "size": [],
            "image_index": 0} | changes  # fmt: skip


def test_box_is_drawn_where_its_fractions_say():
    svg = figure(picture(9, size=(400, 320)), [region()])
    assert 'viewBox="0 0 400 320"' in svg
    assert 'x="100.0" y="160.0" width="100.0" height="160.0"' in svg
    assert ">cell</text>" in svg


def test_of_many_alike_the_first_is_named_with_their_number():
    svg = figure(picture(9, size=(400, 320)), [region() for _ in range(4)] + [region(label="tumour")])
    assert (svg.count("cell ×4</text>"), svg.count("<text"), svg.count("<rect")) == (1, 2, 5)


def test_name_near_the_right_edge_ends_at_its_box():
    svg = figure(picture(9, size=(400, 320)), [region(box=[0.75, 0.5, 1.0, 1.0])])
    assert 'x="398.0" y="155.4" text-anchor="end"' in svg  # 160 less 0.3 of 400 / 26, and 2 inside


def test_small_picture_is_enlarged_with_its_regions():
    svg = figure(picture(9, size=(32, 16)), [region(kind="point", points=[0.5, 0.25])])
    assert 'viewBox="0 0 640 320"' in svg  # 20 times, so that the shorter side has 320
    assert 'cx="320.0" cy="80.0"' in svg


def test_mask_is_tinted_on_its_own_pixels():
    mask = np.zeros((6, 8), bool)
    mask[1:3, 2:7] = True
    svg = figure(picture(9), [region(kind="mask", rle=encode(mask), size=[6, 8])])
    overlay = base64.b64decode(re.findall(r"base64,([^\"]+)", svg)[1])
    alpha = np.asarray(Image.open(io.BytesIO(overlay)))[..., 3]
    assert np.array_equal(alpha > 0, mask)
    assert "<rect" not in svg


def test_contour_is_a_polygon():
    svg = figure(picture(9, size=(400, 320)), [region(kind="contour", points=[0.0, 0.0, 0.5, 0.0, 0.5, 0.5])])
    assert 'points="0.0,0.0 200.0,0.0 200.0,160.0"' in svg and "<rect" not in svg


def test_picture_without_pixels_is_no_figure():
    assert figure(None, [region()]) == ""


def test_large_picture_is_shown_smaller():
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1500, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    svg = figure(stream.getvalue(), [])
    assert 'viewBox="0 0 1500 1000"' in svg
    shown = Image.open(io.BytesIO(base64.b64decode(re.findall(r"base64,([^\"]+)", svg)[0])))
    assert shown.size == (768, 512)


def test_sample_takes_turns_over_datasets_and_tasks(factory):
    cases = [simple_case(n, rows=3) for n in range(1, 9)]
    cases.append(staged("c101", [blob(picture(1))], [row("c101", 0, task="mcq")]))
    out, files = factory.pack(*_staged(factory, cases), formats=["parquet"])
    shards = [out / file.path for file in files]
    assert [r["task"] for r in sample_rows(shards, each=2)] == ["mcq", "open", "open"]
    assert [r["task"] for r in sample_rows(shards, each=9, most=4)] == ["mcq", "open", "open", "open"]
    ids = pl.read_parquet(shards).filter(pl.col("task") == "open")["id"].sort()
    assert [r["id"] for r in sample_rows(shards, each=2)][1:] == ids[:2].to_list()
    assert all(r["images"][0]["bytes"] for r in sample_rows(shards))


def _staged(factory, cases):
    stages = factory.stage(cases)
    return stages, factory.decide(stages)


def test_report_is_one_file_that_shows_counts_gates_and_rows_and_quotes_what_it_shows(factory):
    cases = [simple_case(n) for n in range(1, 9)]
    attack = row("c101", 0, task="mcq", labels=["<script>alert(1)</script>"])
    cases.append(staged("c101", [blob(picture(1))], [attack]))
    folder, manifest = factory.release(cases)
    manifest.gates = [
        {"gate": "balance", "passed": True, "detail": "fine", "waived_by": ""},
        {"gate": "leak", "passed": False, "detail": "two cases", "waived_by": "known and harmless"},
    ]
    entries = [("row", "cells", "c1", "r1", "quarantined", "gate", "too_long", "too long"),
               ("case", "cells", "c1", "", "kept", "", "", "")]  # fmt: skip
    names = ["kind", "dataset", "case_id", "row_id", "status", "stage", "reason", "detail"]
    pl.DataFrame(entries, names, orient="row").write_parquet(folder / "ledger.parquet")
    totals = {"case": {"cells": {"kept": 9}}, "row": {"cells": {"kept": 17, "quarantined": 1}}}
    page = render_report(folder, manifest, totals)
    assert page == render_report(folder, manifest, totals)
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "too_long" in page and '<td class="waived">waived</td>' in page and "known and harmless" in page
    assert "<td class=number>18</td><td class=number>17</td><td class=number>0</td><td class=number>1</td>" in page
    assert page.count('class="row"') == 4 and "What is number 0?" in page


def test_report_of_nothing_is_a_page(factory):
    folder, manifest = factory.release([simple_case(1)])
    empty = manifest.model_copy(update={"files": [], "totals": {}})
    assert "What became of" in render_report(folder, empty, {})
