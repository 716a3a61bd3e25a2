"""The great-expectations suites of a release: one for every row, one for each task; imported only when they run."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from quality.metadata import PLAIN, SIZES
from quality.turns import ROLES
from schemas.errors import UserError, nearest
from schemas.instruction import TASKS
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec

HASH = r"^[0-9a-f]{32}$"
LICENSE = r"^[A-Za-z0-9][A-Za-z0-9.+-]*(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$"
FILLED = r"\S"

Rule = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Tally:
    """One expectation, summed over batches; counts only, since values may be contents."""

    suite: str
    type: str
    kwargs: dict[str, Any]
    rows: int = 0
    unexpected: int = 0
    success: bool = True
    errors: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For ``great_expectations.json``."""
        return {
            "suite": self.suite,
            "expectation": self.type,
            "kwargs": self.kwargs,
            "success": self.success,
            "rows": self.rows,
            "unexpected": self.unexpected,
            "errors": self.errors,
        }


def row_rules(recipe: Recipe, specs: Sequence[DatasetSpec]) -> list[Rule]:
    """What holds for every row of a release."""
    shares = [(choice.split or spec.split).fractions for choice, spec in zip(recipe.datasets, specs, strict=True)]
    splits = sorted({"train", "val", "test", *(name for one in shares for name in one)})
    return [
        ("expect_table_columns_to_match_set", {"column_set": [*PLAIN, *SIZES]}),
        *(("expect_column_values_to_not_be_null", {"column": name}) for name in PLAIN),
        ("expect_column_values_to_match_regex", {"column": "id", "regex": HASH}),
        ("expect_column_values_to_match_regex", {"column": "group_id", "regex": HASH}),
        ("expect_column_values_to_match_regex", {"column": "license", "regex": LICENSE}),
        *(
            ("expect_column_values_to_match_regex", {"column": name, "regex": FILLED})
            for name in ("case_id", "modality", "anatomy", "clinical_task", "converter")
        ),
        ("expect_column_values_to_be_in_set", {"column": "task", "value_set": list(TASKS)}),
        ("expect_column_values_to_be_in_set", {"column": "dataset", "value_set": [spec.name for spec in specs]}),
        ("expect_column_values_to_be_in_set", {"column": "split", "value_set": splits}),
        ("expect_column_values_to_be_in_set", {"column": "access", "value_set": sorted({s.access for s in specs})}),
        ("expect_column_values_to_be_in_set", {"column": "first_role", "value_set": [ROLES[0]]}),
        ("expect_column_values_to_be_in_set", {"column": "last_role", "value_set": [ROLES[1]]}),
        ("expect_column_values_to_be_between", {"column": "answer_index", "min_value": -1, "max_value": 25}),
        ("expect_column_values_to_be_between", {"column": "options_left", "min_value": 0, "max_value": 25}),
        ("expect_column_values_to_be_between", {"column": "turns", "min_value": 2, "max_value": 1000}),
        ("expect_column_values_to_be_between", {"column": "question_chars", "min_value": 1, "max_value": 100_000}),
        ("expect_column_values_to_be_between", {"column": "answer_chars", "min_value": 1, "max_value": 100_000}),
        ("expect_column_values_to_be_in_set", {"column": "placeholders_missing", "value_set": [0]}),
        ("expect_column_pair_values_to_be_equal", {"column_A": "images", "column_B": "views"}),
    ]


TASK_RULES: dict[str, list[Rule]] = {
    "mcq": [
        ("expect_column_values_to_be_between", {"column": "options", "min_value": 2, "max_value": 26}),
        ("expect_column_values_to_be_between", {"column": "answer_index", "min_value": 0, "max_value": 25}),
    ],
    "yes_no": [("expect_column_values_to_be_in_set", {"column": "options", "value_set": [0, 2, 3]})],
    "caption": [("expect_column_values_to_be_between", {"column": "answer_chars", "min_value": 3})],
    "region_to_text": [("expect_column_values_to_be_between", {"column": "regions", "min_value": 1})],
    "referring_segmentation": [("expect_column_values_to_be_between", {"column": "masks", "min_value": 1})],
    "comparison": [("expect_column_values_to_be_between", {"column": "images", "min_value": 2})],
    "dialogue": [("expect_column_values_to_be_between", {"column": "turns", "min_value": 4})],
    "text": [("expect_column_values_to_be_in_set", {"column": "images", "value_set": [0]})],
    "preference": [
        ("expect_column_values_to_be_between", {"column": "options", "min_value": 2, "max_value": 10}),
        ("expect_column_values_to_be_in_set", {"column": "answer_index", "value_set": [0]}),
    ],
}
"""What a task adds; restricted rows, whose contents are withheld, are null in these columns."""


class Suites:
    """Runs the suites over pandas frames; one context for all of them.

    Args:
        row: rules for all rows.
        extra: the recipe's own: ``expectation``, ``kwargs`` and, for one task only, ``task``.
    """

    def __init__(self, row: Sequence[Rule], extra: Iterable[dict[str, Any]] = ()) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        rules = {"rows": list(row), **{f"task {task}": list(some) for task, some in TASK_RULES.items()}}
        for one in extra:
            suite = f"task {one['task']}" if one.get("task") else "rows"
            rules.setdefault(suite, []).append((one["expectation"], one.get("kwargs", {})))
        self._context: Any = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = self._context.data_sources.add_pandas("release").add_dataframe_asset("rows")
        self._batch = asset.add_batch_definition_whole_dataframe("rows")
        self._suites = {name: self._definition(gx, name, some) for name, some in rules.items()}
        self._tallies = {
            name: [Tally(name, kind, dict(kwargs)) for kind, kwargs in some] for name, some in rules.items()
        }

    def check(self, frame: Any) -> None:
        """Add one `polars.DataFrame` of `quality.metadata.batches`."""
        self._run("rows", frame)
        for task in sorted(frame["task"].drop_nulls().unique().to_list()):
            if f"task {task}" in self._suites:
                self._run(f"task {task}", frame.filter(frame["task"] == task))

    def tallies(self) -> list[Tally]:
        """All expectations with their counts; a task that no row has is left out."""
        return [one for some in self._tallies.values() for one in some if one.rows or one.errors]

    def _definition(self, gx: Any, name: str, rules: Sequence[Rule]) -> Any:
        expectations = [_expectation(gx, kind, kwargs) for kind, kwargs in rules]
        suite = self._context.suites.add(gx.ExpectationSuite(name, expectations=expectations))
        return self._context.validation_definitions.add(
            gx.ValidationDefinition(name=name, data=self._batch, suite=suite)
        )

    def _run(self, name: str, frame: Any) -> None:
        import logging

        # It warns of every column that holds no value at all, as options do in a batch without choices.
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        outcome = self._suites[name].run(
            batch_parameters={"dataframe": frame.to_pandas()}, result_format={"result_format": "BASIC"}
        )
        by_id = {one.expectation_config.id: one for one in outcome.results}
        order = [one.id for one in self._suites[name].suite.expectations]
        for tally, identity in zip(self._tallies[name], order, strict=True):
            _add(tally, by_id[identity], frame.height)


def _add(tally: Tally, result: Any, rows: int) -> None:
    tally.rows += rows
    tally.success = tally.success and bool(result.success)
    tally.unexpected += int(result.result.get("unexpected_count", 0) or 0)
    if result.exception_info.get("raised_exception") or any(
        isinstance(one, dict) and one.get("raised_exception") for one in result.exception_info.values()
    ):
        tally.success = False
        tally.errors.append("the expectation could not be computed")


def _expectation(gx: Any, kind: str, kwargs: dict[str, Any]) -> Any:
    name = "".join(part.capitalize() for part in kind.split("_"))
    known = [one for one in dir(gx.expectations) if one.startswith("Expect")]
    if name not in known:
        raise UserError(f"gates.expectations: there is no expectation {kind!r}{nearest(name, known)}")
    try:
        return getattr(gx.expectations, name)(**kwargs)
    except (TypeError, ValueError) as error:
        raise UserError(f"gates.expectations: {kind}: {str(error).splitlines()[0]}") from None
