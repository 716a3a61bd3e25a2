"""A pytest plugin that comes with the package: ``converter_contract`` checks a converter in one line.

::

    def test_my_converter(converter_contract):
        converter_contract("my_converter", fixtures="tests/fixtures", golden="tests/golden/my_converter.jsonl")

``pytest --medcurate-update`` writes the golden files anew.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--medcurate-update``."""
    parser.getgroup("medcurate").addoption(
        "--medcurate-update", action="store_true", help="write the golden files of converter_contract anew"
    )


@pytest.fixture
def converter_contract(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that fails the test with one sentence for each breach of the contract.

    Its arguments: ``entry`` (a registered name, ``module:Class`` or the class), ``fixtures`` (folder; the package's own
    cases where left out), ``golden`` (file; none where left out), and ``options`` of the converter.
    """

    def check(
        entry: Any,
        fixtures: str | Path | None = None,
        golden: str | Path | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        from converters.contract import check_converter, compare_golden, find_converter, load_fixtures, sample_fixtures
        from converters.contract.fresh import same_in_fresh_processes

        kind = find_converter(entry) if isinstance(entry, str) else entry
        cases = list(sample_fixtures()) if fixtures is None else load_fixtures(Path(fixtures))
        problems = check_converter(kind, cases, options)
        if isinstance(entry, str) and not problems and options is None:
            problems = same_in_fresh_processes(entry, None if fixtures is None else Path(fixtures))
        if golden is not None and not problems:
            update = bool(request.config.getoption("--medcurate-update"))
            problems = compare_golden(kind, cases, Path(golden), update=update, options=options)
        if problems:
            sentences = dict.fromkeys(f"{problem.check}: {problem.sentence}" for problem in problems)
            pytest.fail("\n".join([f"{kind.__name__} breaks the converter contract:", *sentences]), pytrace=False)

    return check
