"""The folder in which a release grows until it is published, and what may be reused from an earlier try."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.errors import UserError
from schemas.recipe import Recipe


class Workspace:
    """Names of everything below ``<work>/<name>-<version>/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = folder / "plan"
        self.stage = folder / "stage"
        self.decisions = folder / "decisions.parquet"
        self.dropped = folder / "dropped.parquet"
        self.release = folder / "release"
        self.markers = folder / "packed"

    def decided(self) -> list[str]:
        """Digests of what was decided: shards that were packed by other decisions are packed again."""
        files = [path for path in (self.decisions, self.dropped) if path.exists()]
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]

    @classmethod
    def of(cls, recipe: Recipe) -> "Workspace":
        """The recipe's workspace: under ``recipe.work``, else ``.work`` in a local store, else ``./.medcurate``."""
        if recipe.work:
            base = Path(recipe.work)
        elif "://" in recipe.store:
            base = Path.cwd() / ".medcurate"
        else:
            base = Path(recipe.store) / ".work"
        return cls(base / f"{recipe.name}-{recipe.version}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace alone; the kernel lets go of it however the process ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"another run is at work in {self.folder}; wait for it, or stop it, and start again"
                ) from None
            yield


def write_json(path: Path, data: Any) -> None:
    """Write JSON so that a file under its final name is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(data, handle, ensure_ascii=False, sort_keys=True, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """The JSON at ``path``, or ``None`` where there is none yet."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
