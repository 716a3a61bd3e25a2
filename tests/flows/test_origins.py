"""One source shown in many ways has one origin; many pictures in one file have one each."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from flows.benchmarks import pictures_of_spec
from flows.origins import origins
from readers.array_images import row_refs
from readers.images import image_refs
from readers.pixels.render import render
from readers.source import Source
from schemas.case import ImageRef, Mark
from schemas.recipe import BenchmarkChoice

SPEC = """\
{{name: {name}, title: CT, license: Apache-2.0, access: open, root: {root}, modality: CT, anatomy: whole body,
clinical_task: organ segmentation, labels: {{aorta: aorta}}, reader: {{type: volumes, options: {{
image: ct_sm.nii.gz, masks: "seg_fast/{{label}}.nii.gz", slices: {{policy: {policy}}}, window: {window}}}}}}}
"""


def _of(source: Source, ref: ImageRef) -> tuple[str, ...]:
    return origins(ref, render(source, ref))


def test_a_volume_in_two_windows_and_other_slices_of_it_have_one_origin(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "seg_fast").mkdir(parents=True)
    for name in ("ct_sm.nii.gz", "seg_fast/aorta.nii.gz"):
        shutil.copy(shared_data / "seg3d_totalseg" / name, tmp_path / "data" / name)
    shown = {}
    for name, policy, window in (
        ("soft", "evenly", "soft_tissue"),
        ("lung", "evenly", "lung"),
        ("other", "middle", "bone"),
    ):
        text = SPEC.format(name=name, root=tmp_path / "data", policy=policy, window=window)
        (tmp_path / f"{name}.yaml").write_text(text)
        shown[name] = list(pictures_of_spec(BenchmarkChoice(name=name, spec=str(tmp_path / f"{name}.yaml"))))
    assert {name: len(pictures) for name, pictures in shown.items()} == {"soft": 3, "lung": 3, "other": 1}
    assert len({one.origins for pictures in shown.values() for one in pictures}) == 1
    # By their pixels nothing of this is found.
    digests = [one.pixel_digest for pictures in shown.values() for one in pictures]
    assert len(set(digests)) == len(digests)


def test_crops_and_marks_have_the_origin_of_their_picture(shared_data: Path) -> None:
    source = Source.open(str(shared_data / "dicom_ct_series_seg_rtstruct" / "ct"))
    refs, _ = image_refs(source, "003.dcm")
    whole = refs[0]
    cut = replace(whole, view=whole.view.cropped((10, 10, 60, 60)))
    marked = replace(whole, marks=(Mark("box", (5, 5, 20, 20)),))
    other, _ = image_refs(source, "004.dcm")
    assert _of(source, whole) == _of(source, cut) == _of(source, marked)
    assert len({render(source, ref).pixel_digest for ref in (whole, cut, marked)}) == 3
    assert _of(source, whole) != _of(source, other[0])


def test_pages_and_rows_of_arrays_have_origins_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pages = [Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8)) for _ in range(2)]
    pages[0].save(tmp_path / "two.tif", save_all=True, append_images=pages[1:])
    many = rng.integers(0, 255, (3, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "many.npz", images=many)
    source = Source.open(str(tmp_path))
    refs = list(image_refs(source, "two.tif")[0])
    for row in range(3):
        refs += row_refs("many.npz", "images", row, many[row], 1, "")
    assert len(refs) == 5
    assert len({_of(source, ref) for ref in refs}) == 5
