"""What a recipe may say."""

import pytest
from pydantic import ValidationError

from schemas.recipe import Synthesis

TASKS = [{"type": "unblinded"}]


def test_tasks_without_an_engine_are_refused():
    # Nobody was asked, no row was written, and the release was published as if that were meant.
    with pytest.raises(ValidationError, match="tasks need an engine to ask"):
        Synthesis.model_validate({"tasks": TASKS})
    said = Synthesis.model_validate({"tasks": TASKS, "engine": {"type": "template"}})
    assert said.engine.type == "template"
