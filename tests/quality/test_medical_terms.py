"""Terms counted by hand, on both sides of the thresholds."""

from dataclasses import replace
from typing import Any

import pytest

from quality.medical_terms import MedicalTerms, MedicalTermsOptions, terms_in
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction, Message


@pytest.fixture
def codes(row: Instruction, case: Case, context: Context) -> Any:
    def run(words: str, task: Any = "caption", **options: Any) -> list[str]:
        said = replace(row, task=task, messages=(Message("user", "Describe."), Message("assistant", words)))
        return [one.code for one in MedicalTerms(MedicalTermsOptions(**options)).check(said, case, (), context)]

    return run


def test_terms_count_once_in_any_number_and_by_their_longest_form() -> None:
    assert terms_in(["the", "left", "kidney", "and", "the", "left", "kidney"]) == {"left kidney"}
    assert terms_in(["pleural", "effusions", "in", "the", "lungs"]) == {"pleural effusion", "lung"}
    assert terms_in(["a", "sunny", "day", "at", "the", "sea"]) == set()


def test_captions_with_too_few_terms_are_refused(codes: Any) -> None:
    words = "The liver, the spleen and the heart are seen."  # three terms, nine words
    assert codes(words, min_terms=3) == []
    assert codes(words, min_terms=4) == ["terms_few"]
    assert codes(words, task="open", min_terms=4) == []
    assert codes(words, min_terms=1, min_share=3 / 9) == []
    assert codes(words, min_terms=1, min_share=0.34) == ["terms_thin"]
