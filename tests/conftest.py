"""Fixtures that every folder of tests may use."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# CI judges a change, so it draws the same examples every time; everybody else's runs go on looking for new ones.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
if os.environ.get("CI"):
    settings.load_profile("ci")

pytest_plugins = ["tests.prefect_server"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real datasets beside the project; skips, saying so, where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("../shared/data is not here: real datasets are not shipped with the project")
    return path
