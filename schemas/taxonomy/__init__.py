"""The words that all datasets share: modalities, anatomy, clinical tasks, labels.  Pure data and small functions."""

from schemas.taxonomy.axes import Concept, axis, canonical, modality_of_dicom, triplet_problems

__all__ = ["Concept", "axis", "canonical", "modality_of_dicom", "triplet_problems"]
