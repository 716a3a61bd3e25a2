"""Folders of any size come out in one order, without being held."""

import random

from hypothesis import given
from hypothesis import strategies as st

from readers.sorting import sorted_entries

NAMES = st.text(st.characters(blacklist_characters="/\0", min_codepoint=1), min_size=1, max_size=6)
ENTRIES = st.lists(st.tuples(NAMES, st.booleans(), st.booleans()), unique_by=lambda entry: entry[0], max_size=40)


@given(entries=ENTRIES, run=st.integers(1, 7))
def test_runs_on_disk_give_the_order_of_a_sort_in_memory(entries, run):
    assert list(sorted_entries(entries, run)) == sorted(entries)


def test_names_that_are_no_utf8_keep_their_place_and_their_bytes():
    entries = [(name, False, False) for name in ("é", "\udce9", "z", "\U0001f600", "a\nb", "中", "\udcff")]
    random.Random(1).shuffle(entries)
    assert list(sorted_entries(entries, 2)) == sorted(entries)


def test_a_folder_is_walked_in_the_same_order_whatever_its_size(tmp_path, monkeypatch):
    from readers import sorting
    from readers.source import Source

    names = [f"{number:05}.txt" for number in random.Random(2).sample(range(99_999), 300)]
    for name in names:
        (tmp_path / name).touch()
    monkeypatch.setattr(sorting.sorted_entries, "__defaults__", (7,))
    assert list(Source.open(str(tmp_path)).walk()) == sorted(names)
