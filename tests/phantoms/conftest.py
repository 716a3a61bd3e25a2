"""One phantom hospital for all tests of this folder."""

from pathlib import Path

import pytest

from flows.phantoms import build_hospital


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `build_hospital` filled with seed 0."""
    folder = tmp_path_factory.mktemp("hospital")
    build_hospital(folder, 0)
    return folder
