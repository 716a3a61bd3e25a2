"""Reading a volume and publishing it need the room of a few copies of its voxels, however large it is."""

import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

SHAPE = (256, 256, 320)
VOXELS = SHAPE[0] * SHAPE[1] * SHAPE[2] / 2**20
"""Million voxels (MiB of a label)."""

CODE = """
import resource, sys
from readers.base import open_reader
from readers.pixels.render import render
from readers.source import Source
from readers.volume_bytes import volume_bytes
from converters.volume_segmentation import target
from schemas.spec import DatasetSpec, ReaderChoice
import imagecodecs, scipy.ndimage
from schemas import taxonomy
taxonomy.labels()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
spec = DatasetSpec(name="m", title="t", license="MIT", access="open", root=sys.argv[1], modality="CT",
    anatomy="abdomen", clinical_task="x", labels={"liver": "liver", "tumour": "liver tumor"},
    ignore_labels=["background"], reader=ReaderChoice(type="decathlon"))
reader, source, start = open_reader(spec), Source.open(sys.argv[1]), peak()
case = reader.read(next(iter(reader.items())))
for image in case.images:
    render(source, image)
reading = peak() - start
for region in case.volume_regions:
    volume_bytes(source, target(case.volumes[0], region))
volume_bytes(source, case.volumes[0])
print(reading, peak() - start)
"""


@pytest.mark.slow
def test_a_volume_is_read_in_the_room_of_its_voxels(tmp_path, make_nifti):
    voxels = np.zeros(SHAPE, np.int16)
    voxels[:] = np.random.default_rng(0).integers(-100, 200, SHAPE[:2], dtype=np.int16)[..., None]
    label = np.zeros(SHAPE, np.uint8)
    label[40:200, 40:200, 30:280] = 1
    label[80:100, 80:100, 100:120] = 2
    make_nifti("imagesTr/a.nii.gz", voxels)
    make_nifti("labelsTr/a.nii.gz", label.astype(np.float64))
    listed = '[{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}]'
    names = '{"0": "background", "1": "liver", "2": "tumour"}'
    (tmp_path / "dataset.json").write_text(f'{{"labels": {names}, "training": {listed}}}')
    stored = nib.load(tmp_path / "labelsTr/a.nii.gz").get_data_dtype().itemsize
    done = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=True)
    reading, publishing = (float(value) for value in done.stdout.split())
    # Image (2 bytes), label as stored, as whole numbers (4) and cut to what it marks (4), packed files beside them.
    assert reading < VOXELS * (2 + stored + 4 + 4 + 2) + 150, (reading, publishing)
    assert publishing < VOXELS * (2 + stored + 4 + 4 + 4) + 150, (reading, publishing)
