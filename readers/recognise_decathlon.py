"""Recognises the Decathlon and nnU-Net by their ``dataset.json``, at the root or in the one folder of an archive."""

from typing import Any

from readers.base import Recognition
from readers.decathlon_json import Dataset, load_dataset
from readers.source import Source
from readers.survey import VOLUME_SUFFIXES
from schemas.errors import UserError
from schemas.taxonomy import canonical, canonical_label


def recognise_decathlon(source: Source) -> Recognition | None:
    """A ``dataset.json`` with labels beside ``imagesTr`` that holds volumes; flat pictures are ``mask_pairs``'."""
    folder = next((under for under in ("", *source.listing()[0]) if _is_here(source, under)), None)
    if folder is None:
        return None
    try:
        dataset = load_dataset(source, folder)
    except UserError:
        return None
    if dataset.entries and not dataset.entries[0].images[0].lower().endswith(VOLUME_SUFFIXES):
        return None
    where = f"{folder}/dataset.json" if folder else "dataset.json"
    why = f"{where} names {len(dataset.classes)} labels and {len(dataset.entries)} volumes beside imagesTr"
    words = tuple(word for word, values in dataset.classes.items() if values != (0,))
    options: dict[str, Any] = {**({"folder": folder} if folder else {}), "slices": {"policy": "largest_region"}}
    # The Decathlon's hippocampus calls its parts "Anterior" and "Posterior".
    of_title = {word: canonical_label(f"{word} {dataset.title}") for word in words if not canonical_label(word)}
    return Recognition(
        1.0, why, options, words, _hints(dataset), {word: name for word, name in of_title.items() if name}
    )


def _is_here(source: Source, under: str) -> bool:
    folders, files = source.listing(under)
    return "dataset.json" in files and "imagesTr" in folders


def _hints(dataset: Dataset) -> dict[str, str]:
    modalities = {canonical("modality", name) for name in dataset.channels} - {""}
    known = {"license": dataset.licence, "title": dataset.title, "anatomy": canonical("anatomy", dataset.title)}
    known["modality"] = modalities.pop() if len(modalities) == 1 else ""
    return {key: value for key, value in known.items() if value}
