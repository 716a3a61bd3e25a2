"""What the row gates of a run cost and found: for the release without times, beside the workspaces with them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flows.workspace import Workspace, read_json, write_json
from quality.costs import summed


def publish(counts: Iterable[Mapping[str, Any]], space: Workspace) -> dict[str, dict[str, Any]]:
    """Write ``quality/gates.json`` of the release, which must not depend on the clock, and the costs with seconds.

    Args:
        counts: of all partitions.
        space: of the run; the costs are kept beside it, to outlive it.

    Returns:
        gate -> rows, refused, flagged, seconds.
    """
    costs = summed(one.get("gates", {}) for one in counts)
    found = {name: {key: cost[key] for key in ("rows", "refused", "flagged")} for name, cost in costs.items()}
    folder = space.release / "quality"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gates.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
    write_json(_beside(space.folder), costs)
    return costs


def costs_of(release: Path) -> dict[str, dict[str, Any]]:
    """What the gates found on a release, with ``seconds`` where it was made in this store.

    Args:
        release: folder of a release, ``<store>/<name>/<version>``.
    """
    timed = read_json(_beside(release.parent.parent / ".work" / f"{release.parent.name}-{release.name}"))
    return timed or read_json(release / "quality" / "gates.json") or {}


def _beside(workspace: Path) -> Path:
    return workspace.parent / f"{workspace.name}.gates.json"
