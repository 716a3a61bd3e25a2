"""What asking has taken so far: requests, tokens, seconds, money."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from schemas.errors import UserError
from schemas.recipe import Price
from synthesis.remote_folder import local_folder


@dataclass(slots=True)
class Counts:
    """What an engine has done."""

    asked: int = 0
    """Requests that went to a server, each once however often it was tried."""
    stored: int = 0
    """Requests answered from the store."""
    retries: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0
    """In which at least one request was in flight."""

    def cost(self, price: Price) -> float:
        """In the currency of the price."""
        fresh = self.tokens_in - self.tokens_cached
        cached = price.cached if price.cached is not None else price.input
        return (fresh * price.input + self.tokens_cached * cached + self.tokens_out * price.output) / 1e6

    def add(self, other: "Counts") -> None:
        """Take the other's into these."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def summary(self) -> dict[str, Any]:
        """Everything, with a rate, for people and machines."""
        rate = self.tokens_out / self.seconds if self.seconds else 0.0
        return {**asdict(self), "seconds": round(self.seconds, 1), "tokens_out_per_second": round(rate, 1)}


NAMES = tuple(field.name for field in fields(Counts))


class Account:
    """One process's counts, kept beside the answers so that they outlive it."""

    def __init__(self, answers: str | Path, token: str) -> None:
        self._path = Path(answers) / "accounts" / f"{token}.json"

    def write(self, counts: Counts, model: str) -> None:
        """Put the counts of asking ``model`` so far under the process's name, whole or not at all.

        Raises:
            UserError: they cannot be written.
        """
        if not counts.asked:
            return
        part = self._path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"model": model, **asdict(counts)}))
            part.replace(self._path)
        except OSError as error:
            raise UserError(
                f"the account {self._path} cannot be written: {error.strerror}; make room and run again"
            ) from None


def spent_by_model(answers: str | Path) -> dict[str, Counts]:
    """What all processes together took to fill the answer store, by model; ``seconds`` is the sum over processes."""
    found: dict[str, Counts] = {}
    for path in sorted((local_folder(answers) / "accounts").glob("*.json")):
        counts = json.loads(path.read_text())
        own = Counts(**{name: counts[name] for name in NAMES})
        found.setdefault(counts.get("model", ""), Counts()).add(own)
    return found


def spent(answers: str | Path) -> Counts:
    """The same of all models together."""
    total = Counts()
    for counts in spent_by_model(answers).values():
        total.add(counts)
    return total


def bill(answers: str | Path, price: Price, others: Mapping[str, Price]) -> dict[str, Any]:
    """All that was spent, with its cost.

    Args:
        answers: the answer store.
        price: of the writer.
        others: of other models, by name.
    """
    cost = sum(counts.cost(others.get(model, price)) for model, counts in spent_by_model(answers).items())
    return {**spent(answers).summary(), "cost": round(cost, 4)}
