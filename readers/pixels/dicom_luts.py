"""Lookup tables inside DICOM files: modality LUT, VOI LUT, palettes."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from readers.pixels.dicom_file import items, number
from readers.pixels.window import Pixels, Values, through_table
from schemas.errors import CaseError


def modality_values(stored: Values, dataset: Dataset) -> Values:
    """``stored`` through the Modality LUT Sequence where the file has one, else unchanged."""
    tables = items(dataset, "ModalityLUTSequence")
    if not tables or stored.dtype.kind == "f":
        return stored
    first, table, _ = _table(tables[0], dataset)
    index = np.clip(stored.astype(np.int64) - first, 0, len(table) - 1)
    return table[index]


def through_voi_table(modality: Values, dataset: Dataset, *, below_zero: bool = False) -> Pixels:
    """``modality`` values (already rescaled) through the file's first VOI LUT to 8 bits.

    ``below_zero`` says that rescaling reaches below zero, as a CT's does: then the first value that the LUT maps is
    signed too, whatever the stored values are (PS3.3 C.11.2.1.1).
    """
    tables = items(dataset, "VOILUTSequence")
    if not tables:
        raise CaseError("missing_lut", "a view wants the VOI LUT of a file that has none")
    first, table, bits = _table(tables[0], dataset)
    first -= 65536 if below_zero and first > 32767 else 0
    return through_table(modality, first, table, bits)


def through_palette(stored: Values, dataset: Dataset) -> Pixels:
    """Indices to RGB: ``(rows, columns, 3)`` uint8; `CaseError` ``bad_palette`` where the palette is unusable."""
    try:
        first, entries, bits = _descriptor(dataset, "RedPaletteColorLookupTableDescriptor")
        if "RedPaletteColorLookupTableData" in dataset:
            table = np.stack([_channel(dataset, colour, entries, bits) for colour in ("Red", "Green", "Blue")], axis=-1)
        else:
            table = apply_color_lut(np.arange(entries, dtype=np.int32) + first, dataset)[:, :3]
    except CaseError:
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with the table, the case is unusable
        raise CaseError("bad_palette", "the colour palette is missing or broken") from None
    # Tables that claim 16 bits and hold 8 are common; only a true 16-bit table loses its low byte.
    eight = table if table.max(initial=0) < 256 else table >> 8
    picked: Pixels = eight.astype(np.uint8)[np.clip(stored.astype(np.int64) - first, 0, len(eight) - 1)]
    return picked


def palette_start(dataset: Dataset) -> int:
    """The first stored value that the palette maps; `CaseError` ``bad_palette`` where it does not say."""
    try:
        return _descriptor(dataset, "RedPaletteColorLookupTableDescriptor")[0]
    except Exception:  # noqa: BLE001 - whatever is wrong with the table, the case is unusable
        raise CaseError("bad_palette", "the colour palette is missing or broken") from None


def _descriptor(dataset: Dataset, keyword: str) -> tuple[int, int, int]:
    entries, first, bits = (int(value) for value in dataset[keyword].value)
    signed = number(dataset, "PixelRepresentation", 0) == 1
    return first - 65536 if signed and first > 32767 else first, entries or 65536, bits


def _channel(dataset: Dataset, colour: str, entries: int, bits: int) -> Values:
    data: Any = dataset[f"{colour}PaletteColorLookupTableData"].value
    wide = len(data) >= 2 * entries
    if not wide and (bits != 8 or len(data) < entries):
        raise CaseError("bad_palette", f"the {colour.lower()} palette has fewer than {entries} entries")
    little = dataset.original_encoding[1] is not False
    return np.frombuffer(data, (("<u2" if little else ">u2") if wide else "u1"))[:entries]


def _table(item: Dataset, dataset: Dataset) -> tuple[int, Values, int]:
    """First value mapped, entries, and bits per entry of a LUT item; `CaseError` ``bad_lut`` where it is broken."""
    try:
        entries, first, bits = (int(value) for value in item.LUTDescriptor)
        data: Any = item.LUTData
        if isinstance(data, bytes):
            little = dataset.original_encoding[1] is not False
            data = np.frombuffer(data, "<u2" if little else ">u2")
        table = np.atleast_1d(np.asarray(data)).astype(np.int64)
        entries = entries or 65536
        if len(table) * 2 == entries:
            # 8-bit entries packed two to a word
            table = table.astype("<u2").view(np.uint8).astype(np.int64)
        signed = number(dataset, "PixelRepresentation", 0) == 1
        first = first - 65536 if signed and first > 32767 else first
        if not len(table) or not 1 <= bits <= 16:
            raise ValueError("empty")
    except Exception:  # noqa: BLE001 - whatever is wrong with the table, the case is unusable
        raise CaseError("bad_lut", "a lookup table of the file is missing or broken") from None
    return first, table[:entries], bits
