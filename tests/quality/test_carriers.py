"""Published bytes: pixels pass, every other thing in a container is seen."""

import gzip
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from pydicom.data import get_testdata_file

from quality.carriers import carried, nifti_carried
from readers.pixels.decode import read_layout
from readers.pixels.icc import wordless

PIXELS = np.random.default_rng(0).integers(0, 255, (64, 48, 3), np.uint8)


def saved(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, kind, **options)
    return out.getvalue()


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x013B] = "DOE^JANE"
    return tags


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 2}])
def test_plain_jpegs_pass(options: dict[str, Any]) -> None:
    assert carried(saved("jpeg", **options)) == ""


def test_what_a_jpeg_may_carry_is_seen() -> None:
    assert carried(saved("jpeg", exif=exif())) == "privacy_jpeg_segment"
    assert carried(saved("jpeg", comment=b"DOE^JANE")) == "privacy_jpeg_segment"
    assert carried(saved("jpeg") + b"DOE^JANE") == "privacy_trailing_bytes"
    assert carried(saved("jpeg") + saved("jpeg")) == "privacy_trailing_bytes"
    plain = saved("jpeg")
    for marker in (0xE1, 0xE3, 0xED, 0xEF, 0xFE):
        segment = bytes([0xFF, marker]) + struct.pack(">H", 10) + b"DOE^JANE"
        assert carried(plain[:2] + segment + plain[2:]) == "privacy_jpeg_segment"
    # an APP0 that is not JFIF, and a comment between the scans of a progressive picture
    assert carried(plain[:2] + b"\xff\xe0\x00\x0aDOE^JANE" + plain[2:]) == "privacy_jpeg_segment"
    scans = saved("jpeg", progressive=True)
    second = scans.index(b"\xff\xda", scans.index(b"\xff\xda") + 2)
    assert carried(scans[:second] + b"\xff\xfe\x00\x0aDOE^JANE" + scans[second:]) == "privacy_jpeg_segment"
    assert carried(plain[:-2]) == "privacy_container"


def test_what_a_png_may_carry_is_seen() -> None:
    assert carried(saved("png")) == ""
    info = PngImagePlugin.PngInfo()
    info.add_text("Patient", "DOE^JANE")
    assert carried(saved("png", pnginfo=info)) == "privacy_png_chunk"
    assert carried(saved("png", exif=exif())) == "privacy_png_chunk"
    assert carried(saved("png") + b"DOE^JANE") == "privacy_trailing_bytes"
    assert carried(saved("png")[:-12]) == "privacy_container"
    body = b"tIMe" + b"\0" * 7
    chunk = struct.pack(">I", 7) + body + struct.pack(">I", zlib.crc32(body))
    plain = saved("png")
    assert carried(plain[:33] + chunk + plain[33:]) == "privacy_png_chunk"
    assert carried(b"DOE^JANE") == "privacy_container"


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_what_a_colour_profile_may_carry_is_seen(kind: str) -> None:
    """Of a real profile (pydicom's picture of crayons), as it is and as readers leave it."""
    real = get_testdata_file("crayons.icc", read=False)
    profile = Path(str(real)).read_bytes()
    treated = wordless(profile)
    assert 0 < len(treated) < len(profile)
    assert carried(saved(kind, icc_profile=profile)) == "privacy_colour_profile"
    clean = read_layout(saved(kind, icc_profile=profile)).clean
    assert carried(clean) == ""
    for place in (28, 50, 90, treated.index(b"\0c\0o\0l")):
        spoilt = treated[:place] + b"DOE" + treated[place + 3 :]
        assert carried(saved("jpeg", icc_profile=spoilt)) == "privacy_colour_profile", place
    assert carried(saved("jpeg", icc_profile=treated.replace(b"chad", b"doe!"))) == "privacy_colour_profile"
    assert carried(saved("jpeg", icc_profile=treated)) == ""


def test_what_a_nifti_may_carry_is_seen(tmp_path: Path) -> None:
    def volume(**header: bytes) -> Any:
        image = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
        for name, value in header.items():
            image.header[name] = value
        return image

    plain = volume().to_bytes()
    assert nifti_carried(plain) == ""
    assert nifti_carried(gzip.compress(plain, mtime=0)) == ""
    assert nifti_carried(gzip.compress(plain, mtime=1331251200)) == "privacy_gzip_header"
    for wrong in (plain + b"DOE^JANE", gzip.compress(plain, mtime=0) + gzip.compress(b"DOE^JANE", mtime=0)):
        assert nifti_carried(wrong) == "privacy_trailing_bytes"
    assert nifti_carried(gzip.compress(plain, mtime=0) + b"DOE^JANE") == "privacy_trailing_bytes"
    apart = volume().header.copy()
    apart["vox_offset"], apart["magic"] = 368, b"n+1"
    gap = apart.binaryblock + bytes(4) + b"DOE^JANE".ljust(16, b"\0") + bytes(8)
    assert nifti_carried(gap) == "privacy_nifti_extension"
    for name in ("descrip", "aux_file", "intent_name", "db_name", "data_type"):
        assert nifti_carried(volume(**{name: b"DOE^JANE"}).to_bytes()) == "privacy_nifti_text", name
    extended = volume()
    extended.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE"))
    assert nifti_carried(extended.to_bytes()) == "privacy_nifti_extension"
    with gzip.open(tmp_path / "DOE_JANE.nii.gz", "wb") as file:
        file.write(plain)
    assert nifti_carried((tmp_path / "DOE_JANE.nii.gz").read_bytes()) == "privacy_gzip_header"
    assert nifti_carried(b"short") == "privacy_container"
    assert nifti_carried(gzip.compress(plain, mtime=0)[:8] + b"garbage") == "privacy_container"
