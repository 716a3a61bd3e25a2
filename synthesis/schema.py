"""The JSON schema of a pydantic model, in the form that guided decoding takes."""

from typing import Any

from pydantic import BaseModel

WORDS = ("title", "description", "default")
"""Keys for people, left out; as the name of a property such a key holds a schema of its own and stays."""


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema without titles and descriptions, all of its properties required."""
    schema: dict[str, Any] = _bare(model.model_json_schema())
    return schema


def _bare(node: Any) -> Any:
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    bare = {key: _bare(value) for key, value in node.items() if key not in WORDS or isinstance(value, dict)}
    if isinstance(bare.get("properties"), dict):
        bare["required"] = list(bare["properties"])
    return bare
