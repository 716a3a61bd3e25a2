"""Parts of other packages that cannot be loaded are named, with the package that must be mended."""

from importlib.metadata import EntryPoint

import pytest

from schemas import plugins
from schemas.errors import UserError


def test_a_part_whose_package_is_broken_is_named(monkeypatch):
    entry = EntryPoint("mine", "no_such_package.part:Mine", "medcurate.converters")
    monkeypatch.setattr(plugins, "_entries", lambda kind: {"mine": entry})
    with pytest.raises(UserError, match=r"the converter 'mine' .* cannot be loaded from no_such_package.part:Mine"):
        plugins.load("converters", "mine")
