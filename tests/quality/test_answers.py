"""Letters, yes and no, counted by hand on both sides of each limit."""

from typing import Any

import pytest

from quality.answers import findings, most
from quality.release_options import AnswersOptions
from schemas.findings import Severity


def test_what_is_even_depends_on_how_many_options_there_are() -> None:
    # Six questions of two options, four of four: A is expected 6/2 + 4/4 = 4 times of 10, C 4/4 = 1 time.
    assert most({(2, 0): 3, (2, 1): 3, (4, 0): 1, (4, 2): 3}) == (2, 0.3, 0.1)
    assert most({(2, 0): 5, (2, 1): 5}) == (0, 0.5, 0.5)


@pytest.fixture
def told(line: Any, write: Any) -> Any:
    def run(*rows: tuple[str, int, int], **options: Any) -> list[tuple[str, str]]:
        """Rows as (task, number of options, index of the right one)."""
        made = [
            line(number, task=task, options=[f"option {n}" for n in range(size)], answer_index=index)
            for number, (task, size, index) in enumerate(rows)
        ]
        found = findings([write(made)], AnswersOptions(**options))
        return [(str(one.severity), one.detail) for one in found]

    return run


def test_a_letter_that_is_right_too_often(told: Any) -> None:
    rows = [("mcq", 4, 1)] * 4 + [("mcq", 4, n) for n in (0, 0, 2, 2, 3, 3)]  # B in 4 of 10, 0.15 above a quarter
    said = "films: the right letter of 40% of 10 mcq questions is B (of options as listed); even would be 25%"
    assert told(*rows, min_rows=10, letter_excess=0.14) == [("flag", said)]
    assert told(*rows, min_rows=10, letter_excess=0.16) == []
    assert told(*rows, min_rows=11, letter_excess=0) == []
    assert told(*rows, min_rows=10, letter_excess=0.14, refuse=True)[0][0] == str(Severity.REFUSE_RELEASE)
    assert told(*rows, ("mcq", 4, -1), ("mcq", 4, 4), min_rows=11, letter_excess=0) == []  # no places: not counted


def test_yes_that_is_right_too_often(told: Any) -> None:
    rows = [("yes_no", 2, 0)] * 7 + [("yes_no", 2, 1)] * 3
    assert told(*rows, min_rows=10, yes_no_excess=0.21) == []
    said = "films: the right answer of 70% of 10 yes_no questions is A (of options as listed); even would be 50%"
    assert told(*rows, min_rows=10, yes_no_excess=0.19) == [("flag", said)]


def test_too_much_that_asks_for_yes_or_no(told: Any) -> None:
    rows = [("yes_no", 2, 0), ("yes_no", 2, 1)] + [("open", 0, -1)] * 6
    assert told(*rows, min_rows=8, yes_no_share=0.25) == []
    assert told(*rows, min_rows=8, yes_no_share=0.24) == [("flag", "films: 2 of 8 rows ask for yes or no, over 24%")]
    assert told(*rows, min_rows=9, yes_no_share=0.24) == []


def test_withheld_rows_and_no_rows(line: Any, write: Any) -> None:
    hidden = [line(number, access="restricted") for number in range(3)]
    assert findings([write(hidden)], AnswersOptions(min_rows=1, letter_excess=0)) == []
    assert findings([], AnswersOptions()) == []
