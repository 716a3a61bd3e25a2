"""Recognises other people's instruction data: LLaVA's conversations, ShareGPT's messages, questions in Parquet."""

from typing import Any

from readers.base import Recognition
from readers.recognise_table import candidates, image_column, together
from readers.records import Record, words
from readers.source import Source

_TURNS = ("conversations", "conversation", "messages")
_IMAGES = ("image", "images")
_SAID = ({"from", "value"}, {"role", "content"})


def recognise_dialogues(source: Source) -> Recognition | None:
    """Records with a list of turns, each by somebody, and the images that they are about."""
    for path, records in candidates(source):
        turns = next((name for name in _TURNS if _is_dialogue(records[0].fields.get(name))), "")
        if not turns:
            continue
        column = next((name for name in _IMAGES if any(record.fields.get(name) for record in records)), "")
        options: dict[str, Any] = {**together(source, path, records[0]), "questions": {"turns": turns}}
        if column:
            folder = image_column(source, _with_lists_opened(records, column))[1]
            options |= {"image": [column], **({"image_dir": [folder]} if folder else {})}
        if not column or not all(record.fields.get(column) for record in records):
            options["text_only"] = True
        options |= _key(records)
        hints = {"group": column} if column else {}
        why = f"the records of {path} hold dialogues under {turns!r}, as LLaVA and ShareGPT have them"
        return Recognition(0.93, why, options, (), hints)
    return None


def recognise_questions(source: Source) -> Recognition | None:
    """Records of any format with a question, an answer and a picture that is here."""
    for path, records in candidates(source):
        fields = records[0].fields
        if not {"question", "answer"} <= set(fields):
            continue
        column, folder = image_column(source, records)
        if not column:
            continue
        options: dict[str, Any] = {**together(source, path, records[0]), "image": [column], "questions": {}}
        options |= {"image_dir": [folder]} if folder else {}
        if len({words(record.fields.get(column)) for record in records}) < len(records):
            options["join"] = True
        hints = {"split": "shipped"} if options.get("split_from_path") else {}
        why = f"the records of {path} hold questions and answers about pictures that are here"
        return Recognition(0.92, why, options, (), hints)
    return None


def _is_dialogue(value: Any) -> bool:
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and any(keys <= set(first) for keys in _SAID)


def _key(records: list[Record]) -> dict[str, Any]:
    ids = [words(record.fields.get("id")) for record in records]
    if all(ids) and len(set(ids)) == len(ids):
        return {"key": "id"}
    return {"join": True}


def _with_lists_opened(records: list[Record], column: str) -> list[Record]:
    """Records with the first image of a list in its place, and nothing else."""
    firsts = [(record.line, record.fields.get(column)) for record in records]
    opened = [(line, value[0] if isinstance(value, list) and value else value) for line, value in firsts]
    return [Record(line, {column: value}) for line, value in opened if value]
