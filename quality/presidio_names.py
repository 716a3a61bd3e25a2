"""Names and places by Presidio and a spaCy model, beside our own recognisers; both are installed by whoever wants them.

``pip install presidio-analyzer`` and a spaCy model; nothing is fetched while a run goes on.
"""

from functools import cache
from typing import Any

from quality.recognisers import Hit
from schemas.errors import UserError

ENTITIES = ("PERSON", "LOCATION", "NRP")
"""What Presidio takes from the model alone; forms of numbers, dates and addresses are better known to our own."""


def names_in(text: str, model: str) -> list[Hit]:
    """Persons, places and nations as possible names.

    Args:
        text: any text.
        model: name of an installed spaCy pipeline, e.g. ``en_core_web_lg``.

    Raises:
        UserError: Presidio or the model is not installed.
    """
    found = analyzer(model).analyze(text, "en", entities=list(ENTITIES))
    return [Hit("possible_name", hit.start, hit.end) for hit in found]


@cache
def analyzer(model: str) -> Any:
    """Presidio's engine with this model, loaded once in a process."""
    try:
        import spacy.util
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    except ImportError:
        raise UserError(
            f"gates.identifiers.presidio: {model!r} needs Presidio; pip install presidio-analyzer and the model"
        ) from None
    if not spacy.util.is_package(model):
        raise UserError(f"gates.identifiers.presidio: the spaCy model {model!r} is not installed; pip install it")
    models = [{"lang_code": "en", "model_name": model}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    return AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
