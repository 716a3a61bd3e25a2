"""Reading and rendering against a bare loop of the same decoder, per file, on the same files.

    python -m benchmarks.readers [--count 40] [--runs 5] [--json]

``bare`` opens and decodes to an array (Pillow, pydicom, nibabel).  ``publish`` is what a plain script would do to get
publishable bytes: for JPEG and PNG the bytes hashed besides, for DICOM and NIfTI a float32 window and Pillow's PNG at
level 1.  ``ours`` is the whole way: list, read the case, render its picture with hashes, perceptual hash and
statistics.  Loops take turns; the figure is the median of the runs, in milliseconds of CPU a file, so that a busy
machine does not distort it much.  ``2 cores`` is ours in two processes at once, by the clock, as a multiple of one.
"""

import argparse
import hashlib
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from readers.base import Item, open_reader
from readers.pixels.render import render
from readers.source import Source
from schemas.spec import DatasetSpec

SIDE = 512
SPEC = {
    "name": "bench", "title": "b", "license": "CC0-1.0", "access": "open", "modality": "CT", "anatomy": "abdomen",
    "clinical_task": "none", "reader": {"type": "files"},
}  # fmt: skip
Loop = Callable[[Path], None]


def main() -> None:
    """Make the files, run the loops in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readers-") as scratch:
        rows = [_line(name, Path(scratch) / name, chosen.count, chosen.runs) for name in MAKERS]
    if chosen.json:
        print(json.dumps({"count": chosen.count, "runs": chosen.runs, "rows": rows}))
        return
    heads = ("bare", "publish", "ours", "ours/bare", "ours/publish", "2 cores")
    print(f"{'CPU ms a file':14}" + "".join(f"{head:>14}" for head in heads))
    for row in rows:
        ratios = (row["ours"] / row["bare"], row["ours"] / row["publish"], row["cores"])
        figures = (row["bare"], row["publish"], row["ours"], *ratios)
        print(f"{row['name']:14}" + "".join(f"{figure:14.2f}" for figure in figures))


def _line(name: str, folder: Path, count: int, runs: int) -> dict[str, Any]:
    make, bare, publish = MAKERS[name]
    folder.mkdir(parents=True)
    for number in range(count):
        make(folder, number)
    paths = sorted(folder.iterdir())
    loops: dict[str, Callable[[], object]] = {
        "bare": lambda: _each(bare, paths),
        "publish": lambda: _each(publish, paths),
        "ours": lambda: ingest(str(folder)),
    }
    taken: dict[str, list[float]] = {key: [] for key in loops}
    for loop in loops.values():
        loop()
    for _ in range(runs):
        for key, loop in loops.items():
            begin = time.process_time()
            loop()
            taken[key].append((time.process_time() - begin) * 1000 / count)
    medians: dict[str, Any] = {key: statistics.median(found) for key, found in taken.items()}
    return {"name": name, **medians, "cores": _two_cores(str(folder))}


def _each(loop: Loop, paths: list[Path]) -> None:
    for path in paths:
        loop(path)


def ingest(folder: str) -> float:
    """List, read and render every file of a folder; returns the seconds it took."""
    # Readers keep the last files of a root; under a new name nothing of an earlier run is found.
    with tempfile.TemporaryDirectory(prefix="readers-link-") as scratch:
        root = Path(scratch) / "data"
        root.symlink_to(folder)
        spec = DatasetSpec.model_validate({**SPEC, "root": str(root)})
        begin = time.perf_counter()
        reader, source = open_reader(spec), Source.open(str(root))
        for item in reader.items():
            if isinstance(item, Item):
                render(source, reader.read(item).images[0])
        return time.perf_counter() - begin


def _two_cores(folder: str) -> float:
    """How many times the work of one process two do in the same time, once warm."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(ingest, [folder] * 2))
        alone = min(pool.submit(ingest, folder).result() for _ in range(3))
        together = min(max(pool.map(ingest, [folder] * 2)) for _ in range(3))
    return 2 * alone / together


def _plane(number: int, channels: int = 1) -> np.ndarray[Any, np.dtype[np.float64]]:
    """1/f noise, as tissue has, 0..1."""
    random = np.random.default_rng(number)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij"))
    planes = []
    for _ in range(channels):
        phase = np.exp(2j * np.pi * random.random(frequency.shape))
        field = np.fft.irfft2(phase / np.maximum(frequency, 1 / SIDE), s=(SIDE, SIDE))
        planes.append((field - field.min()) / (field.max() - field.min()))
    return np.stack(planes, -1) if channels > 1 else planes[0]


def _picture(kind: str, channels: int) -> Callable[[Path, int], None]:
    def make(folder: Path, number: int) -> None:
        pixels = (_plane(number, channels) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04}.{kind}", quality=85)

    return make


def _dicom(compressed: bool) -> Callable[[Path, int], None]:
    def make(folder: Path, number: int) -> None:
        import pydicom
        from pydicom.data import get_testdata_file
        from pydicom.uid import JPEG2000Lossless, generate_uid

        data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        data.SOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(number)])
        data.Rows = data.Columns = SIDE
        data.WindowCenter, data.WindowWidth = 40, 400
        pixels = (_plane(number) * 2000).astype(np.int16)
        data.PixelData = pixels.tobytes()
        if compressed:
            data.compress(JPEG2000Lossless, pixels)
        data.save_as(folder / f"{number:04}.dcm")

    return make


def _nifti(folder: Path, number: int) -> None:
    nib = _nibabel_module()
    volume = np.random.default_rng(number).integers(0, 60, (128, 128, 128)).astype(np.int16)
    volume[30:90, 30:90, 30:90] += 100
    nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / f"{number:04}.nii.gz")


def _nibabel_module() -> Any:
    import nibabel

    return nibabel


def _pillow(path: Path) -> None:
    np.asarray(Image.open(path))


def _pillow_hashed(path: Path) -> None:
    data = path.read_bytes()
    hashlib.sha256(data).hexdigest()
    np.asarray(Image.open(io.BytesIO(data)))


def _pydicom(path: Path) -> None:
    import pydicom

    _ = pydicom.dcmread(path).pixel_array


def _pydicom_published(path: Path) -> None:
    import pydicom

    data = pydicom.dcmread(path)
    _publish(data.pixel_array.astype(np.float32) * float(data.RescaleSlope) + float(data.RescaleIntercept), -160, 240)


def _nibabel(path: Path) -> None:
    np.asarray(_nibabel_module().load(path).dataobj)


def _nibabel_published(path: Path) -> None:
    volume = np.asarray(_nibabel_module().load(path).dataobj)
    _publish(volume[:, :, 64].T.astype(np.float32), 0, 160)


def _publish(plane: np.ndarray[Any, Any], low: float, high: float) -> None:
    pixels = np.clip((plane - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    hashlib.sha256(stream.getvalue()).hexdigest()


MAKERS: dict[str, tuple[Callable[[Path, int], None], Loop, Loop]] = {
    "JPEG grey": (_picture("jpg", 1), _pillow, _pillow_hashed),
    "JPEG RGB": (_picture("jpg", 3), _pillow, _pillow_hashed),
    "PNG grey": (_picture("png", 1), _pillow, _pillow_hashed),
    "PNG RGB": (_picture("png", 3), _pillow, _pillow_hashed),
    "DICOM plain": (_dicom(False), _pydicom, _pydicom_published),
    "DICOM J2K": (_dicom(True), _pydicom, _pydicom_published),
    "NIfTI gz": (_nifti, _nibabel, _nibabel_published),
}

if __name__ == "__main__":
    main()
