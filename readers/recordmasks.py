"""Masks whose files a table names: as large as the image, or cropped to a box that further columns place."""

import numpy as np

from readers.declared import mask_to_stored
from readers.finder import Finder
from readers.labels import LabelMap
from readers.pixels.stored import stored_values
from readers.records import Record, words
from readers.source import Source
from readers.table_options import MaskFiles
from schemas.case import Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.masks import Mask, mask_region
from schemas.view import View


class RecordMasks:
    """Reads the mask of a record."""

    def __init__(self, source: Source, columns: MaskFiles, labels: LabelMap) -> None:
        self._source = source
        self._columns = columns
        self._labels = labels
        self._finder = Finder(source, columns.folder)

    def regions(self, record: Record, view: View, index: int, findings: list[Finding]) -> list[Region]:
        """The record's mask as a region on the image ``index``; empty where it names none."""
        columns = self._columns
        written = words(record.fields.get(columns.mask))
        if not written:
            return []
        word = columns.word or words(record.fields.get(columns.label))
        name = self._labels.canonical(word)
        if name is None:
            return []
        path = self._finder.find(written)
        mask = self._placed(_inside(self._source, path), record, view)
        stem = path.rpartition("/")[2].rpartition(".")[0]
        region = mask_region(mask_to_stored(mask, view, findings), name, word, index, stem)
        if region is None:
            findings.append(Finding("empty_mask", f"record {record.line}: its mask marks nothing"))
            return []
        return [region]

    def _placed(self, mask: Mask, record: Record, view: View) -> Mask:
        """The mask on the whole picture; `CaseError` ``mask_shape`` where it does not fit."""
        columns = self._columns
        if not columns.left:
            if mask.shape not in ((view.source_height, view.source_width), (view.height, view.width)):
                raise CaseError(
                    "mask_shape", f"record {record.line}: the mask's size is not its image's", "quarantined"
                )
            return mask
        left, top = self._number(record, columns.left), self._number(record, columns.top)
        height, width = mask.shape
        declared = (self._number(record, columns.width, width), self._number(record, columns.height, height))
        if declared != (width, height):
            detail = f"record {record.line}: the mask has {width}x{height} pixels, but its table says otherwise"
            raise CaseError("mask_shape", detail, "quarantined")
        whole = np.zeros((view.height, view.width), dtype=bool)
        if left < 0 or top < 0 or left + width > view.width or top + height > view.height:
            raise CaseError("mask_shape", f"record {record.line}: the placed mask leaves its image", "quarantined")
        whole[top : top + height, left : left + width] = mask
        return whole

    @staticmethod
    def _number(record: Record, column: str, otherwise: int = 0) -> int:
        text = words(record.fields.get(column)) if column else str(otherwise)
        try:
            return round(float(text))
        except (ValueError, OverflowError):
            raise CaseError("bad_box", f"record {record.line}: the column {column!r} holds no number") from None


def _inside(source: Source, path: str) -> Mask:
    """Where a mask file is neither black nor transparent."""
    stored, _ = stored_values(source, path)
    if stored.ndim == 2:
        return np.asarray(stored > stored.max(initial=0) / 2) if stored.max(initial=0) > 0 else stored != 0
    lit = stored[..., :3].max(axis=2) > 0
    return np.asarray(lit & (stored[..., 3] > 0) if stored.shape[2] == 4 else lit)
