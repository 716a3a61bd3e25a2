"""What is said before Prefect starts."""

import pytest

from flows import prefect_settings
from schemas.errors import UserError


def test_a_home_that_cannot_be_made_is_said_at_once(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(UserError, match=r"Prefect keeps its database in .*/file/home, which cannot be made .*set HOME"):
        prefect_settings.apply()


def test_a_home_that_is_not_there_yet_is_made(monkeypatch, tmp_path):
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "new" / "home"))
    prefect_settings.apply()
    assert (tmp_path / "new" / "home" / ".prefect").is_dir()
