"""Questions in the words of a benchmark, with the Jaccard worked out by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.benchmark_questions import findings, shingles
from quality.release_options import BenchmarkQuestionsOptions
from schemas.instruction import arrow_schema

KNOWN = "Is there evidence of a pleural effusion?"  # 7 words, 5 runs of three


@pytest.fixture
def told(tmp_path: Path, line: Any) -> Any:
    def run(*asked: str, known: Any = (KNOWN,), **options: Any) -> list[str]:
        rows = [line(number) for number in range(len(asked))]
        for row, words in zip(rows, asked, strict=True):
            row["messages"] = [{"role": "user", "content": words}, {"role": "assistant", "content": "No."}]
        pq.write_table(pa.Table.from_pylist(rows, arrow_schema()), tmp_path / "0.parquet")
        pl.DataFrame({"question": known}, schema={"question": pl.String}).write_parquet(tmp_path / "q.parquet")
        chosen = BenchmarkQuestionsOptions(**options)
        found = findings([tmp_path / "0.parquet"], {"vqa": tmp_path / "q.parquet"}, chosen)
        return [one.detail.split(" rows")[0].partition(": ")[2] for one in found]

    return run


def test_shingles_are_runs_of_three_words() -> None:
    assert shingles("Is the  LUNG clear?") == {"is the lung", "the lung clear"}
    assert (shingles("Normal?"), shingles(" ?! ")) == ({"normal"}, frozenset())


def test_equal_words_are_found_whatever_the_case_the_picture_and_the_options(told: Any) -> None:
    asked = "<image>\nis there evidence of a PLEURAL effusion\nA. yes\nB. no"
    assert told(asked, "Which organ is shown here?", asked) == ["2 of 3"]


def test_the_jaccard_is_a_threshold(told: Any) -> None:
    # One more word: 5 runs shared of 6, 0.833.
    asked = KNOWN.replace("?", " here?")
    assert told(asked, jaccard=0.83) == ["1 of 1"]
    assert told(asked, jaccard=0.84) == []
    # Two shared runs (is there evidence, there evidence of) of 5 + 5 - 2.
    assert told("Is there evidence of any old fracture?") == []


def test_without_questions_there_is_nothing_to_say(told: Any) -> None:
    assert told(KNOWN, known=()) == []
    assert told("", "?") == []
