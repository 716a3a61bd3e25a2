"""The page of converters names every one that is registered."""

from pathlib import Path

from schemas.plugins import names


def test_every_converter_is_on_the_page():
    page = (Path(__file__).parents[2] / "docs/converters.md").read_text("utf-8")
    assert [name for name in names("converters") if f"`{name}`" not in page] == []
