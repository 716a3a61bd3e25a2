"""Presidio beside our own recognisers, where it and a model are installed; said in a sentence where they are not."""

import importlib.util

import pytest

from quality.row_gates import open_gates
from schemas.case import Case, Text
from schemas.context import Context
from schemas.errors import UserError

MODELS = [name for name in ("en_core_web_lg", "en_core_web_md", "en_core_web_sm") if importlib.util.find_spec(name)]


@pytest.mark.skipif(importlib.util.find_spec("presidio_analyzer") is not None, reason="Presidio is installed")
def test_what_is_missing_is_said_before_a_run() -> None:
    with pytest.raises(UserError, match="pip install presidio-analyzer and the model"):
        open_gates({"identifiers": {"presidio": "en_core_web_lg"}})


@pytest.mark.skipif(not MODELS or importlib.util.find_spec("presidio_analyzer") is None, reason="no Presidio and model")
def test_a_name_that_only_a_model_knows_is_replaced(case: Case, context: Context) -> None:
    from dataclasses import replace

    options = {"presidio": MODELS[0], "action": "surrogate"}
    [gate] = [one for one in open_gates({"identifiers": options}) if one.name == "identifiers"]
    told = replace(case, texts=(Text("report", "Rebecca came with her mother."),))
    new = gate.rewrite(told, context)  # type: ignore[attr-defined]
    assert "Rebecca" not in new.texts[0].content
    assert new.texts[0].content.endswith("came with her mother.")
