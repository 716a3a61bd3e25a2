"""How many copies look like their originals: ``python -m benchmarks.looks [--radius BITS]``.

Real pictures of ../shared/data, each changed in many ways; slices of real CT in other windows.  A copy is found where
its perceptual hash lies within the radius of the gate ``near_duplicates``.
"""

import argparse
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quality.near_duplicates import clusters
from quality.release_options import NearDuplicatesOptions
from readers.pixels.encode import facts
from readers.pixels.window import PRESETS

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
SOURCES = (
    "cls_csv_hannover_cxr/**/*.png", "seg2d_ct_slices/images/*", "det_voc_bccd/JPEGImages/*.jpg", "vqa_rad/**/*.jpg",
    "caption_report_covid_ccby/**/*.jpg", "cls_folders_bloodcells/**/*.jpg",
)  # fmt: skip
EACH = 25
"""Pictures of one source."""
SHOWN = "soft_tissue"
"""The window that copies in other windows are held against."""

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def pictures(each: int = EACH) -> Iterator[Pixels]:
    """The first so many of every source, grey or RGB."""
    for pattern in SOURCES:
        for path in sorted(DATA.glob(pattern))[:each]:
            with Image.open(path) as found:
                yield np.asarray(found.convert("L" if found.mode in ("L", "1") else "RGB"))


def ct_slices() -> Iterator[np.ndarray[Any, Any]]:
    """Slices in HU of two patients, 20 of a DICOM series and 10 of a NIfTI volume."""
    import nibabel
    import pydicom

    for path in sorted((DATA / "dicom_ct_series_seg_rtstruct" / "ct").glob("*.dcm")):
        read = pydicom.dcmread(path)
        yield read.pixel_array * float(read.RescaleSlope) + float(read.RescaleIntercept)
    volume: Any = nibabel.load(DATA / "seg3d_totalseg" / "ct.nii.gz")
    voxels = np.asarray(volume.dataobj)
    for index in range(voxels.shape[2] // 20, voxels.shape[2], max(voxels.shape[2] // 10, 1)):
        yield np.rot90(voxels[:, :, index])


def _jpeg(quality: int) -> Callable[[Pixels], Pixels]:
    def changed(pixels: Pixels) -> Pixels:
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "jpeg", quality=quality)
        return np.asarray(Image.open(out))

    return changed


def _resized(across: float, down: float) -> Callable[[Pixels], Pixels]:
    """Factors, or pixels where above 8."""

    def changed(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        size = [round(by if by > 8 else by * side) for by, side in ((across, width), (down, height))]
        return np.asarray(Image.fromarray(pixels).resize((size[0], size[1]), Image.Resampling.BILINEAR))

    return changed


def _levels(factor: float, shift: float) -> Callable[[Pixels], Pixels]:
    def changed(pixels: Pixels) -> Pixels:
        levels: Pixels = np.clip(pixels.astype(float) * factor + shift, 0, 255).astype(np.uint8)
        return levels

    return changed


def _middle_grey_levels(pixels: Pixels) -> Pixels:
    """A window over the middle four fifths of the grey levels."""
    low, high = np.percentile(pixels, (10, 90))
    levels: Pixels = np.clip((pixels - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)
    return levels


def _cropped(share: float) -> Callable[[Pixels], Pixels]:
    def changed(pixels: Pixels) -> Pixels:
        y, x = (round(share * side) for side in pixels.shape[:2])
        return np.ascontiguousarray(pixels[y : pixels.shape[0] - y, x : pixels.shape[1] - x])

    return changed


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG of quality 50": _jpeg(50),
    "half the size": _resized(0.5, 0.5),
    "twice the size": _resized(2, 2),
    "224 x 224, whatever the shape": _resized(224, 224),
    "30 levels brighter": _levels(1, 30),
    "30 levels darker": _levels(1, -30),
    "contrast 1.3": _levels(1.3, -38),
    "middle grey levels only": _middle_grey_levels,
    "2 % cut off each edge": _cropped(0.02),
    "5 % cut off each edge": _cropped(0.05),
    "inverted": lambda pixels: 255 - pixels,
}


def windowed(slice_: np.ndarray[Any, Any], name: str) -> Pixels:
    """A slice in HU as one of the presets shows it."""
    window = PRESETS[name]
    shown = (slice_ - window.center) / window.width + 0.5
    made: Pixels = (np.clip(shown, 0, 1) * 255).round().astype(np.uint8)
    return made


def found(pairs: list[tuple[Pixels, Pixels]], radius: int) -> float:
    """Share of the copies that the index puts into one cluster with their original, nothing else being there."""
    hit = 0
    for one, other in pairs:
        place = clusters(np.array([facts(one).phash, facts(other).phash], np.uint64), radius)
        hit += bool(place[0] == place[1])
    return hit / len(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radius", type=int, default=NearDuplicatesOptions().radius)
    radius = parser.parse_args().radius
    plain, slices = list(pictures()), list(ct_slices())
    print(f"{len(plain)} pictures, {len(slices)} slices of CT, radius {radius} of 64 bits; share of copies found:")
    for name, change in CHANGES.items():
        print(f"  {name}: {found([(one, change(one)) for one in plain], radius):.2f}")
    for name in ("abdomen", "bone", "brain", "lung", "angio"):
        pairs = [(windowed(one, SHOWN), windowed(one, name)) for one in slices]
        print(f"  CT, {SHOWN} beside {name}: {found(pairs, radius):.2f}")


if __name__ == "__main__":
    main()
