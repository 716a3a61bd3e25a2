"""The words that all datasets share: modalities, anatomy, clinical tasks, labels.  Pure data and small functions."""

from schemas.taxonomy.axes import Axis, Concept, axis, canonical, modality_of_dicom, triplet_problems, within
from schemas.taxonomy.labels import (
    LabelConcept,
    Scale,
    ancestors,
    canonical_label,
    labels,
    mirrored,
    parts,
    propose,
    related,
    scale_of,
    scales,
)

__all__ = [
    "Axis",
    "Concept",
    "LabelConcept",
    "Scale",
    "ancestors",
    "axis",
    "canonical",
    "canonical_label",
    "labels",
    "mirrored",
    "modality_of_dicom",
    "parts",
    "propose",
    "related",
    "scale_of",
    "scales",
    "triplet_problems",
    "within",
]
