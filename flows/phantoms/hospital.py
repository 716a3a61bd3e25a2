"""Builds the phantom hospital: one folder per dataset, and ``truth.json`` with what is known of each case."""

from pathlib import Path
from typing import Any

from flows.phantoms import brain, dicom, fundus, radiographs, real_dicom, slices, smears, text_tasks, texts, volumes
from flows.phantoms.canvas import save_json


def build_hospital(folder: Path, seed: int = 0) -> dict[str, Any]:
    """Write every phantom dataset below ``folder``; the same seed gives the same bytes.

    The datasets are those of ``catalog/phantom_*.yaml`` and ``catalog/pydicom_files.yaml``, which look for them in
    the folder that the environment variable ``MEDCURATE_DEMO`` names.

    Args:
        folder: made where it is missing; files of the same names are replaced.
        seed: of all shapes, sides and noise.

    Returns:
        The truth by dataset and case, as written to ``truth.json``: sides are the patient's, centres are pixels
        ``(x, y)`` or, in volumes, RAS millimetres.
    """
    truth = {
        "phantom_cxr_folders": radiographs.class_folders(folder / "phantom_cxr_folders", seed),
        "phantom_cxr_table": radiographs.table(folder / "phantom_cxr_table", seed),
        "phantom_cxr_onehot": radiographs.one_hot(folder / "phantom_cxr_onehot", seed),
        "phantom_blood_coco": smears.coco(folder / "phantom_blood_coco", seed),
        "phantom_ct_slices": slices.mask_pairs(folder / "phantom_ct_slices", seed),
        "phantom_abdomen_msd": volumes.decathlon(folder / "phantom_abdomen_msd", seed),
        "phantom_brain_msd": brain.tumours(folder / "phantom_brain_msd", seed),
        "phantom_ct_dicom": dicom.ct_series(folder / "phantom_ct_dicom", seed),
        "phantom_dx_dicom": dicom.radiographs(folder / "phantom_dx_dicom", seed),
        "phantom_fundus_grades": fundus.grades(folder / "phantom_fundus_grades", seed),
        "phantom_fundus_quality": fundus.quality(folder / "phantom_fundus_quality", seed),
        "phantom_figures": texts.figures(folder / "phantom_figures", seed),
        "phantom_reports": texts.reports(folder / "phantom_reports", seed),
        "phantom_visits": texts.visits(folder / "phantom_visits", seed),
        "phantom_notes": texts.notes(folder / "phantom_notes"),
        "phantom_corpora": text_tasks.corpora(folder / "phantom_corpora"),
        "pydicom_files": real_dicom.pydicom_files(folder / "pydicom_files"),
    }
    save_json(folder / "truth.json", truth)
    return truth
