"""Steps that take out of a case what could name somebody, before anything is asked, shown to a model or written."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flows.rows import KEY_VARIABLE, Identities
from flows.steps import Step
from quality.identifiers import Identifiers
from schemas.context import Context
from schemas.errors import UserError
from schemas.spec import DatasetSpec
from schemas.work import Work


def demand_key(gates: Sequence[Any], spec: DatasetSpec) -> None:
    """Raise `UserError` where surrogates are to be drawn and there is no secret to draw them with."""
    if any(isinstance(one, Identifiers) and one.options.draws for one in gates) and not os.environ.get(KEY_VARIABLE):
        raise UserError(f"{spec.name}: surrogates are drawn with a secret key; set {KEY_VARIABLE} to one of your own")


def demand_declaration(spec: DatasetSpec) -> None:
    """Raise `UserError` where ids of the source make the groups and the spec does not say whose they are.

    Hashes of a patient's number without a secret are the number itself to whoever counts through all numbers.
    """
    rule = spec.group
    silent = rule.by in ("field", "pattern") and "ids" not in rule.model_fields_set
    if silent or (spec.reader.type == "dicom_series" and rule.by == "field" and rule.ids == "none"):
        named = f"group.field {rule.field}" if rule.by == "field" else "group.pattern"
        raise UserError(
            f"{spec.name}: what {named} finds may lead to persons; say group.ids: identifier, or pseudonym where the "
            "publisher made the ids up"
        )


def hide_keys(identities: Identities) -> Step:
    """Give each case its alias, so that no id is a digest of a file name or record number."""

    def step(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            if work.case is not None:
                work.case = replace(work.case, alias=identities.alias(work.case.key))
            yield work

    return step


def rewrite_texts(gates: Sequence[Any], context: Context) -> Step:
    """Mask or replace identifiers in texts and questions as the gate ``identifiers`` is told."""
    named = [one for one in gates if isinstance(one, Identifiers)]

    def step(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            if work.case is not None and work.dropped is None:
                for one in named:
                    work.case = one.rewrite(work.case, context)
            yield work

    return step
