"""The contract kit: what any converter must hold, checked on fixture cases, with a sentence for each breach.

For people who write their own converters: `check_converter` is behind ``medcurate check-converter`` and the pytest
fixture ``converter_contract`` (`converters.contract.pytest_plugin`), which comes with the package.
"""

from converters.contract.checks import Problem, check_row
from converters.contract.fixtures import Fixture, load_fixtures, sample_fixtures, save_cases
from converters.contract.golden import compare_golden, row_to_json
from converters.contract.kit import check_converter, check_entry, find_converter

__all__ = [
    "Fixture",
    "Problem",
    "check_converter",
    "check_entry",
    "check_row",
    "compare_golden",
    "find_converter",
    "load_fixtures",
    "row_to_json",
    "sample_fixtures",
    "save_cases",
]
