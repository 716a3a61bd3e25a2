"""Mutated real files: each ends in a picture or a `CaseError`, within a second, in bounded memory.

The work is done in a child process, so that a codec that brings the process down fails the test instead of the run.
"""

import os
import random
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from readers.pixels.dicom import dicom_refs
from readers.pixels.render import picture
from readers.source import Source

DICOM = [
    "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "rtdose.dcm",
    "SC_rgb_jpeg_dcmtk.dcm", "SC_ybr_full_422_uncompressed.dcm", "examples_palette.dcm", "MR_small_bigendian.dcm",
    "SC_rgb_jpeg_gdcm.dcm", "image_dfl.dcm", "JPGExtended.dcm", "SC_rgb_jls_lossy_line.dcm",
]  # fmt: skip
OTHER_DICOM = [
    "dicom_pydicom/extra/vlut_04.dcm", "dicom_seg_sr_dcmqi/segmentations/24x38x3/multiframe/mf.dcm",
    "dicom_highdicom/seg_image_ct_binary.dcm",
]  # fmt: skip
VOLUMES = [
    "formats_misc/nibabel/anatomical.nii", "formats_misc/nibabel/standard.nii.gz", "formats_misc/nibabel/tiny.mnc",
    "formats_misc/nibabel/test.mgz", "formats_misc/nibabel/small.mnc", "formats_misc/nibabel/minc2_1_scale.mnc",
    "formats_misc/pyradiomics/breast1_label.nrrd", "nasty/nifti/rgb24.nii.gz",
]  # fmt: skip

CHILD = textwrap.dedent("""
    import resource, sys
    from dataclasses import replace
    from readers.pixels.dicom import dicom_refs, render_dicom
    from readers.pixels.volume import render_volume, volume_refs
    from readers.source import Source
    from schemas.errors import CaseError

    def worked():
        # Of processor time, not of the clock: a busy machine is no hang.
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in spent)

    source, kind = Source.open(sys.argv[1]), sys.argv[2]
    refs_of, render = (volume_refs, render_volume) if kind == "volume" else (dicom_refs, render_dicom)
    for name in source.walk():
        print("file", name, flush=True)
        start = worked()
        try:
            for ref in refs_of(source, name)[0][:2]:
                render(source, replace(ref, view=replace(ref.view, overlays=kind == "overlays")))
        except CaseError:
            pass
        if worked() - start > 1:
            print("slow", name, flush=True)
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
""")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Cut off, or with a few bytes changed, taken out or put in, mostly near the beginning where headers lie."""
    if rng.random() < 0.1:
        return data[: rng.randrange(len(data))]
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(min(len(out), 4000)) if rng.random() < 0.7 else rng.randrange(len(out))
        what = rng.random()
        if what < 0.7:
            out[at] = rng.randrange(256) if what < 0.5 else rng.choice((0, 127, 128, 255))
        elif what < 0.85:
            del out[at : at + rng.randrange(1, 9)]
        else:
            out[at:at] = rng.randbytes(rng.randrange(1, 9))
        out = out or bytearray(b"x")
    return bytes(out)


def run(folder: Path, files: list[Path], kind: str, count: int, seed: int, root: Path) -> None:
    rng = random.Random(seed)
    originals = [(path.name, path.read_bytes()) for path in files]
    for number in range(count):
        name, data = rng.choice(originals)
        (folder / f"{number:05}_{name}").write_bytes(mutated(data, rng))
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", CHILD, str(folder), kind]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert [line for line in lines if line.startswith("slow")] == []
    assert sum(line.startswith("file") for line in lines) == count
    assert int(lines[-1].split()[1]) < 2000


@pytest.mark.parametrize("kind", ["dicom", "volume"])
def test_a_few_mutations(shared_data, tmp_path, root, kind):
    run(tmp_path, files_of(shared_data, kind), kind, 150, 1, root)


@pytest.fixture
def planes(shared_data, tmp_path_factory) -> list[Path]:
    """A real file with an overlay, and a small one with two overlays and a supplemental palette."""
    made = dcmread(shared_data / "dicom_pydicom/test_files/MR_small.dcm")
    made.PixelPresentation = "COLOR"
    for name in ("Red", "Green", "Blue"):
        made.add_new(f"{name}PaletteColorLookupTableDescriptor", "SS", [256, 1000, 16])
        made.add_new(f"{name}PaletteColorLookupTableData", "OW", bytes(range(256)) * 2)
    for group, more in ((0x6000, {0x0015: ("IS", 2), 0x0051: ("US", 1)}), (0x6002, {})):
        plane = {
            0x0010: ("US", 16), 0x0011: ("US", 16), 0x0040: ("CS", "G"), 0x0050: ("SS", [-3, 5]), 0x0100: ("US", 1),
            0x0102: ("US", 0), 0x3000: ("OW", b"\x5a" * (32 * (1 + bool(more)))), **more,
        }  # fmt: skip
        for element, (kind, value) in plane.items():
            made.add_new((group, element), kind, value)
    path = tmp_path_factory.mktemp("planes") / "planes.dcm"
    made.save_as(path)
    ref = dicom_refs(Source.open(str(path.parent)), path.name)[0][0]
    whole = picture(Source.open(str(path.parent)), replace(ref, view=replace(ref.view, overlays=True)))
    assert whole.ndim == 3 and (whole == 255).all(axis=2).any()
    return [path, shared_data / "dicom_pydicom/test_files/examples_overlay.dcm"]


def test_a_few_mutations_of_overlays_and_palettes(planes, tmp_path, root):
    run(tmp_path, planes, "overlays", 100, 1, root)


@pytest.mark.slow
@pytest.mark.parametrize("seed", (2, 3))
def test_thousands_of_mutations_of_overlays_and_palettes(planes, tmp_path, root, seed):
    run(tmp_path, planes, "overlays", 1000, seed, root)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("kind", ["dicom", "volume"])
def test_ten_thousand_mutations(shared_data, tmp_path, root, kind, seed):
    run(tmp_path, files_of(shared_data, kind), kind, 1000, seed, root)


def files_of(shared_data: Path, kind: str) -> list[Path]:
    if kind == "volume":
        return [shared_data / name for name in VOLUMES]
    plain = [shared_data / "dicom_pydicom" / "test_files" / name for name in DICOM]
    return plain + [shared_data / name for name in OTHER_DICOM]
