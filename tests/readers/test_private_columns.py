"""Columns of persons are known to the case, so that its texts are searched for them, and shown nowhere."""

import io
from pathlib import Path

from PIL import Image

from readers.base import open_reader
from schemas.spec import DatasetSpec, ReaderChoice


def test_private_columns(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("L", (40, 30), 90).save(out, "png")
    (tmp_path / "a.png").write_bytes(out.getvalue())
    (tmp_path / "t.csv").write_text('image,who,mrn,report\na.png,"Quux, Ana",X-1234,Quux feels well.\n')
    options = {"table": ["t.csv"], "texts": {"report": "report"}, "private": ["who", "mrn"]}
    spec = DatasetSpec(
        name="films", title="Films", license="CC0-1.0", access="open", root=str(tmp_path), modality="X-ray",
        anatomy="chest", clinical_task="diagnosis", reader=ReaderChoice(type="table", options=options),
    )  # fmt: skip
    reader = open_reader(spec)
    [item] = reader.items()
    case = reader.read(item)  # type: ignore[arg-type]
    assert case.identifiers == (
        ("person", "Quux, Ana"), ("person", "Quux"), ("person", "Ana"), ("record_number", "X-1234"),
    )  # fmt: skip
    # Neither a log line nor an error message shows them.
    assert "X-1234" not in repr(case)
