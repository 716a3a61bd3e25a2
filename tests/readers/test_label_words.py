"""Label words that nobody mapped."""

import pytest

from readers.base import open_reader
from schemas.errors import CaseError


def test_an_unmapped_word_is_answered_with_canonical_ones(put, ingest, spec_of):
    root = put({"x.png": None, "t.csv": "image,label\nx.png,Cardiomegalie\n"})
    reader = open_reader(spec_of(root, "table", {"labels": ["label"]}, labels={"A": "pneumonia"}))
    (item,) = reader.items()
    with pytest.raises(CaseError, match=r"map it there \(to 'cardiomegaly'"):
        reader.read(item)
