"""Texts that read alike: found by MinHash where all pairs find them, and what that means for a release."""

import random
from typing import Any

import pytest

from quality.benchmark_questions import shingles
from quality.release_options import TextDuplicatesOptions
from quality.text_duplicates import band_rows, clusters, findings

WORDS = [f"word{n}" for n in range(400)]


def text(draw: random.Random, size: int = 40) -> str:
    return " ".join(draw.choices(WORDS, k=size))


def jaccard(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def test_every_planted_neighbour_above_the_threshold_is_found() -> None:
    draw = random.Random(4)
    texts = [text(draw) for _ in range(300)]
    near = []
    for source in texts[:150]:
        words = source.split()
        for _ in range(draw.randint(0, 3)):
            words[draw.randrange(len(words))] = "other"
        near.append(" ".join([*words, "end"]))
    found = clusters(texts + near, 0.8)
    wanted = [jaccard(texts[n], near[n]) >= 0.8 for n in range(150)]
    assert sum(wanted) > 50
    hit = [found[300 + n] == n for n in range(150)]
    assert sum(h for h, w in zip(hit, wanted, strict=True) if w) >= 0.98 * sum(wanted)
    assert not any(h for h, w in zip(hit, wanted, strict=True) if not w)


@pytest.mark.parametrize(("alike", "rows"), [(0.5, 2), (0.8, 5), (0.9, 7), (1.0, 8)])
def test_bands_find_ninety_nine_of_a_hundred(alike: float, rows: int) -> None:
    # At 0.5, 21 bands of 3 miss (1 - 0.125)^21 = 6 %, but 32 bands of 2 only (1 - 0.25)^32 = 0.01 %.
    assert band_rows(alike) == rows


def test_words_without_a_run_of_three_and_without_words() -> None:
    assert clusters(["left lung", "Left lung!", "right lung", "...", "?!"], 0.8) == [0, 0, 2, 3, 4]


def told(line: Any, number: int, words: str, **changes: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": "<image>\nReport."}, {"role": "assistant", "content": words}]
    return line(number, task="report", messages=turns, options=[], answer_index=-1, **changes)


def test_reports_that_read_alike_are_told_and_refused_above_the_limit(line: Any, write: Any) -> None:
    draw = random.Random(1)
    same, other = text(draw), text(draw)
    shard = write([
        told(line, 1, same), told(line, 2, same + " end", split="test"), told(line, 3, other, split="test"),
        told(line, 4, "word1 " * 19), told(line, 5, "word1 " * 19),
    ])  # fmt: skip
    [found] = findings([shard], TextDuplicatesOptions())
    assert found.detail == (
        "films: 2 of 3 texts of 20 words or more read like a text of another group (Jaccard of 3 words running 0.8 or "
        "more); 1 of the 2 in held-out splits read like one in an earlier split"
    )
    assert str(found.severity) == "flag"
    assert [{one["split"] for one in rows["rows"]} for rows in found.evidence] == [{"train", "test"}]
    assert str(findings([shard], TextDuplicatesOptions(max_leak=0.5))[0].severity) == "flag"
    assert str(findings([shard], TextDuplicatesOptions(max_leak=0.49))[0].severity) == "refuse_release"
    assert findings([shard], TextDuplicatesOptions(tasks=("caption",))) == []
    assert findings([shard], TextDuplicatesOptions(jaccard=1.0)) == []


def test_texts_of_one_group_may_read_alike(line: Any, write: Any) -> None:
    same = text(random.Random(2))
    shard = write([told(line, 1, same, group_id="0" * 32), told(line, 2, same + " end", group_id="0" * 32)])
    assert findings([shard], TextDuplicatesOptions()) == []
