"""Data-Juicer's filters and image deduplicator, for `benchmarks.quality_peer`.  Run by an interpreter that has it.

Usage: ``python data_juicer_filter.py ROWS PICTURES``; each line of ROWS is a JSON object with ``text``, each line of
PICTURES one with ``text`` and ``images`` (paths).  Both are run once on a few beforehand, so that imports are not
counted.  Prints processor seconds of this process and its children, and the pictures that were kept.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from data_juicer.core.data import NestedDataset
from data_juicer.ops.deduplicator.image_deduplicator import ImageDeduplicator
from data_juicer.ops.filter.alphanumeric_filter import AlphanumericFilter
from data_juicer.ops.filter.character_repetition_filter import CharacterRepetitionFilter
from data_juicer.ops.filter.text_length_filter import TextLengthFilter
from data_juicer.ops.filter.words_num_filter import WordsNumFilter


def spent() -> float:
    return sum(os.times()[:4])


def timed(rows: list[dict[str, Any]], operators: list[Any]) -> tuple[float, Any]:
    for data in (NestedDataset.from_list(rows[:20]), NestedDataset.from_list(rows)):
        begin = spent()
        for one in operators:
            data = one.run(data)
    return spent() - begin, data


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def main(rows: str, pictures: str) -> None:
    filters = [
        TextLengthFilter(min_len=3, max_len=8000, num_proc=1),
        WordsNumFilter(min_num=1, max_num=1024, num_proc=1),
        AlphanumericFilter(num_proc=1),
        CharacterRepetitionFilter(num_proc=1),
    ]
    seconds, _ = timed(lines(rows), filters)
    spent_on_pictures, kept = timed(lines(pictures), [ImageDeduplicator(num_proc=1)])
    said = {"filters": seconds, "deduplicator": spent_on_pictures, "kept": list(kept["text"])}
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
