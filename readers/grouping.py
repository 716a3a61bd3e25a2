"""The group of a case (patient, else lesion, else study) by the spec's rule."""

import re
from collections.abc import Mapping
from typing import Any

from schemas.errors import CaseError, UserError, nearest
from schemas.spec import DatasetSpec


def group_of(spec: DatasetSpec, key: str, fields: Mapping[str, Any] | None = None) -> str | None:
    """The group key of the case ``key``, or None where the source does not tell.

    Args:
        spec: its ``group`` rule decides: a column or attribute, a pattern over the key, each case for itself, none.
        key: the case key.
        fields: what the source says of this case, for ``by: field``.

    Raises:
        UserError: the rule names a field that this layout does not have, or its pattern is no regular expression.
        CaseError: ``group_unknown`` where the pattern does not match the key, for such a case could leak.
    """
    rule = spec.group
    if rule.by == "none":
        return None
    if rule.by == "case":
        return key
    if rule.by == "field":
        known = fields or {}
        if rule.field not in known:
            hint = nearest(rule.field, known)
            raise UserError(f"{spec.name}: group.field {rule.field!r} is no field of this dataset{hint}")
        return str(known[rule.field]).strip() or None
    try:
        found = re.search(rule.pattern, key)
    except re.error as error:
        raise UserError(f"{spec.name}: group.pattern is no regular expression: {error}") from None
    if found is None:
        raise CaseError(
            "group_unknown", f"the spec's group.pattern does not match the case key {key}; widen it", "quarantined"
        )
    return found[1] if found.re.groups else found[0]
