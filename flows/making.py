"""From a case as it was read to rows and pictures that may leave this machine: the steps before any model or gate."""

from collections.abc import Mapping, Sequence
from typing import Any

from converters.speech import speech
from flows.counted import counted
from flows.faces import treat_faces
from flows.private_steps import hide_keys, rewrite_texts
from flows.rows import Identities
from flows.screening import screen_pictures
from flows.steps import Step, convert, render_pictures
from quality.costs import Cost
from readers.source import Source
from schemas import plugins
from schemas.context import Context
from schemas.recipe import Choice, Recipe
from schemas.yaml_file import validate


def making(
    recipe: Recipe,
    converters: Sequence[Choice],
    gates: Sequence[Any],
    source: Source,
    context: Context,
    identities: Identities,
    *,
    bare: bool = False,
    costs: Mapping[str, Cost] | None = None,
) -> list[Step]:
    """The steps, in order.

    Args:
        recipe: whether pictures are decoded, and whether a model will be asked about all of them.
        converters: of the dataset.
        gates: those of them that rewrite texts, paint over words and cut off faces.
        source: where the dataset's files lie.
        context: of the dataset.
        identities: of the dataset.
        bare: leave pictures as they came and render all of a case, for a person who may see them.
        costs: by gate; what is looked for here is added to them.
    """
    steps = [
        hide_keys(identities),
        rewrite_texts(gates, context),
        convert([open_converter(choice) for choice in converters], context),
        render_pictures(source, recipe.decode or bare, all_of_case=recipe.synthesis is not None or bare),
    ]
    if bare:
        return steps
    looking = {
        "burned_in": (screen_pictures(gates, source), "burned_in"),
        "faces": (treat_faces(gates, source, context), "privacy_face"),
    }
    costs = costs or {}
    return steps + [
        counted(step, costs[name], codes) if name in costs else step for name, (step, codes) in looking.items()
    ]


def open_converter(choice: Choice, language: str = "") -> Any:
    """The registered converter, its options checked and, where ``language`` is the recipe's, whether it is spoken."""
    kind = plugins.load("converters", choice.type)
    options = validate(kind.Options, choice.options, f"converter {choice.type}: options")
    spoken = getattr(options, "language", None)
    if spoken or (spoken is not None and language):
        speech(spoken or language)
    return kind(options)
