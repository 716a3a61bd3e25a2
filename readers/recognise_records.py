"""Recognises other people's instruction data: LLaVA's conversations, ShareGPT's messages, questions in Parquet."""

from typing import Any

from readers.base import Recognition
from readers.embedded import is_picture
from readers.questions import image_parts
from readers.recognise_columns import roles
from readers.recognise_table import candidates, embedded, image_column, text, together
from readers.records import Record, words
from readers.source import Source

_TURNS = ("conversations", "conversation", "messages")
_IMAGES = ("image", "images")
_QUESTIONS = ("question", "problem")
_LETTERED = ("{}", "option_{}", "choice_{}", "Choice {}", "option {}", "Option {}", "choice{}")
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
            folder = image_column(source, _only(_with_lists_opened(records), column))[1]
            options |= {"image": [column], **({"image_dir": [folder]} if folder else {}), **embedded(records, column)}
        elif any(address.startswith("data:") for _, address in image_parts(records[0].fields.get(turns))):
            options["embedded"] = [turns]
        shown = [record.fields.get(column) or image_parts(record.fields.get(turns)) for record in records]
        if not all(shown):
            options["text_only"] = True
        options |= _key(records)
        hints = {"group": column} if column else {}
        why = f"the records of {path} hold dialogues under {turns!r}, as LLaVA and ShareGPT have them"
        return Recognition(0.93, why, options, (), hints)
    return None


def recognise_questions(source: Source) -> Recognition | None:
    """Records of any format with a question, an answer and a picture that is here."""
    for path, records in candidates(source):
        claim = _asked(source, path, records)
        if claim is not None:
            options, hints, _ = claim
            why = f"the records of {path} hold questions and answers about pictures that are here"
            return Recognition(0.92, why, options, (), hints)
    return None


def recognise_vqa(source: Source) -> Recognition | None:
    """A JSON list of objects with an image, a question and an answer."""
    for path, records in candidates(source, ("json",)):
        claim = _asked(source, path, records)
        if claim is None:
            continue
        options, hints, pictures = claim
        options.pop("join", None)
        if options["questions"] == {}:
            del options["questions"]
        phrases = {words(record.fields.get("phrase_type")) for record in records} - {""}
        if any(phrase.startswith("test_") for phrase in phrases):
            options["split"] = "phrase_type"
            options["split_values"] = {
                phrase: "test" if phrase.startswith("test") else "train" for phrase in sorted(phrases)
            }
        counted = f"({pictures} in what was looked at)"
        why = f"{path} is a list of questions and answers about pictures that are here {counted}"
        return Recognition(0.95, why, options, (), hints)
    return None


def _asked(source: Source, path: str, records: list[Record]) -> tuple[dict[str, Any], dict[str, str], int] | None:
    """Options, hints and the number of pictures of records that ask about pictures; None where they do not."""
    fields = records[0].fields
    question = next((name for name in _QUESTIONS if name in fields), "")
    if not question or "answer" not in fields:
        return None
    firsts = _with_lists_opened(records)
    column, folder = image_column(source, firsts)
    if not column:
        return None
    options: dict[str, Any] = {**together(source, path, records[0]), "image": [column], **embedded(records, column)}
    options |= {"image_dir": [folder]} if folder else {}
    prior = [name for name in fields if name != column and name.endswith(("image", "image_path"))]
    options |= {"more_images": prior} if prior else {}
    options["questions"] = {**({"question": question} if question != "question" else {}), **_choices(records)}
    columns = [name for name in fields if name not in (column, *prior)]
    values = {name: [text(record.fields.get(name)) for record in records] for name in columns}
    told: dict[str, Any] = {}
    hints = roles(columns, values, told)
    options |= {role: told[role] for role in ("modality", "anatomy", "split") if role in told}
    pictures = len({words(record.fields.get(column)) for record in firsts})
    inside = [text(record.fields.get(column)) for record in records] if "embedded" in options else []
    if pictures < len(records) or not all(map(is_picture, inside)):
        options["join"] = True
    elif inside and "index" in fields and options["table"] == [path]:
        options["key"] = "index"
    shipped = {"split": "shipped"} if "split" in hints or options.get("split_from_path") else {}
    return options, {"group": column, **shipped}, pictures


def _choices(records: list[Record]) -> dict[str, Any]:
    """Which columns hold the options, and which the right letter."""
    fields = records[0].fields
    one = next((name for name in ("options", "choices") if isinstance(fields.get(name), (list, dict))), "")
    lettered = ([name.format(letter) for letter in "ABCDEFGH"] for name in _LETTERED)
    several = next((found for names in lettered for found in [[n for n in names if n in fields]] if len(found) > 1), [])
    if not one and not several:
        return {}
    letters = [name for name in fields if name not in several and name != one and _are_letters(records, name)]
    chosen: dict[str, Any] = {"options": [one] if one else several}
    if letters:
        chosen["letter"] = "answer" if "answer" in letters else letters[0]
    if chosen.get("letter") == "answer":
        chosen["answer"] = ""
    return chosen


def _are_letters(records: list[Record], name: str) -> bool:
    return all(words(record.fields.get(name)) in "ABCDEFGH" and words(record.fields.get(name)) for record in records)


def _is_dialogue(value: Any) -> bool:
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and any(keys <= set(first) for keys in _SAID)


def _key(records: list[Record]) -> dict[str, Any]:
    ids = [words(record.fields.get("id")) for record in records]
    if all(ids) and len(set(ids)) == len(ids):
        return {"key": "id"}
    return {"join": True}


def _with_lists_opened(records: list[Record]) -> list[Record]:
    """Records with the first entry of every list in its place."""
    return [Record(each.line, {name: _first_of(value) for name, value in each.fields.items()}) for each in records]


def _only(records: list[Record], column: str) -> list[Record]:
    return [Record(each.line, {column: each.fields[column]}) for each in records if each.fields.get(column)]


def _first_of(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
