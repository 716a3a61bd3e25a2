"""How far a release has moved from the one before it."""

import json
from typing import Any

from quality.profile import distance
from quality.release_options import DriftOptions
from quality.verdict import ReleaseFinding
from schemas.errors import UserError
from schemas.findings import Severity
from schemas.recipe import Recipe

GATE = "drift"
PROFILE = "profile.json"


def parent_profile(recipe: Recipe) -> dict[str, Any] | None:
    """The profile that the parent release carries; ``None`` where the recipe names no parent.

    Raises:
        UserError: the parent is not in the store, or was published without a profile.
    """
    if not recipe.parent:
        return None
    import fsspec

    name, _, version = recipe.parent.partition("@")
    address = f"{recipe.store.rstrip('/')}/{name}/{version}/quality/{PROFILE}"
    try:
        with fsspec.open(address, "rt", encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        raise UserError(
            f"the parent {recipe.parent} has no readable profile at {address}; check the recipe's parent, "
            "or turn the comparison off with gates.drift.enabled: false"
        ) from None
    return found


def distances(now: dict[str, Any], before: dict[str, Any]) -> dict[str, float]:
    """Total variation by axis, 0 to 1, for every axis of either profile; rounded to six places."""
    axes = sorted({*now["axes"], *before["axes"]})
    return {axis: round(distance(now["axes"].get(axis, {}), before["axes"].get(axis, {})), 6) for axis in axes}


def findings(now: dict[str, Any], before: dict[str, Any], parent: str, options: DriftOptions) -> list[ReleaseFinding]:
    """One finding for each axis that moved further than its limit."""
    found = []
    for axis, moved in distances(now, before).items():
        limit = options.axes.get(axis, options.max_distance)
        if moved > limit:
            text = f"{axis}: {moved:.0%} of the rows are distributed otherwise than in {parent}, over {limit:.0%}"
            found.append(ReleaseFinding(GATE, Severity.REFUSE_RELEASE, text))
    return found
