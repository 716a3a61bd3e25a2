"""Text and annotation: what an answer states must be annotated, and what is uncertain is never decided."""

import re
from collections.abc import Iterator

from converters.speech import english
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.settled import settle

_DENIED = re.compile(
    r"\b(?:no|not|without|none|never|absent|free of|neither|nor|absence of|lack of|negative for)\b", re.I
)
_TEMPLATED = frozenset({"caption", "open", "count", "region_to_text", "multi_label"})
"""Tasks whose answers name what is there."""


def agreement(row: Instruction, case: Case, context: Context) -> Iterator[str]:
    """What contradicts the case: labels that are not true of it, things named that are absent, wrong counts."""
    shown = [case.images.index(image) for image in row.images if image in case.images]
    labels = settle(case).labels
    about = {-1, *shown} if len(shown) == 1 or len(case.images) == 1 else {-1}
    stated = {label.name for label in labels if label.polarity == "present"}
    true = stated | {region.label for region in case.regions} | {solid.label for solid in case.volume_regions}
    for label in row.labels:
        if label not in true:
            yield f"labels holds {label!r}, which is annotated nowhere in the case"
    absent, uncertain = (
        {label.name for label in labels if label.polarity == polarity and label.image_index in about} - true
        for polarity in ("absent", "uncertain")
    )
    from_labels = any(fact.startswith("labels[") for fact in row.provenance.facts)
    if row.task == "mcq" and row.answer in absent | uncertain and from_labels:
        yield "the right option is a label that the case says is absent or uncertain"
    if row.task == "yes_no" and from_labels:
        yield from _decided(row, uncertain, {label.name for label in labels} - uncertain)
    if row.task in _TEMPLATED and row.provenance.template and row.task != "multi_label":
        yield from _claimed(row.messages[-1].content, absent | uncertain, true)
    if len(shown) == 1 and case.complete_regions and row.task in ("caption", "count", "open"):
        yield from _counts(row, case, shown[0])


def _decided(row: Instruction, uncertain: set[str], known: set[str]) -> Iterator[str]:
    question = _without(row.messages[0].content, known, uncertain).casefold()
    if any(_stands(question, label.casefold()) for label in uncertain):
        yield "a label that the case says is uncertain is decided by yes or no"


def _claimed(text: str, false: set[str], true: set[str]) -> Iterator[str]:
    """Labels that are not true, named in a sentence without a word that denies them.

    True ones are taken out first.
    """
    text = _without(text, true, false)
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if not _DENIED.search(sentence):
            for label in sorted(false):
                if _stands(sentence.casefold(), label.casefold()):
                    yield f"the answer names {label!r}, which the case says is absent or uncertain"


def _without(text: str, labels: set[str], sought: set[str]) -> str:
    """The text without those labels that hold the words of a sought one ("liver tumor" of "tumor")."""
    forms = {form for label in labels - sought for form in (label, english.plural(label))}
    for form in sorted(forms, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", "", text, flags=re.I)
    return text


def _counts(row: Instruction, case: Case, image: int) -> Iterator[str]:
    """Every ``3 platelets`` in the answer equals the annotated number on that picture."""
    regions = [region.label for region in case.regions if region.image_index == image]
    forms = {form.casefold(): label for label in regions for form in (label, english.plural(label))}
    if not forms:
        return
    # The longest form first, or "1 liver tumor" would be read as one liver.
    either = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    for number, form in re.findall(rf"\b(\d+) ({either})\b", row.messages[-1].content, re.I):
        label = forms[form.casefold()]
        if int(number) != regions.count(label):
            yield f"the answer counts {number} of {label!r}, but {regions.count(label)} are annotated"


def _stands(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None
