"""Questions and answers out of records, normalised: strings, stripped, options without letters, answers as text."""

import re
from typing import Any, Literal

from readers.records import Record, words
from readers.table_options import Questions
from schemas.case import QuestionAnswer
from schemas.findings import Finding

_LETTERED = re.compile(r"^\s*\(?([A-Za-z])\s*[.:)]\s*")
_PLACEHOLDER = re.compile(r"\s*<(?:image|image-placeholder|Image|ImageHere)>\s*")


def question_of(record: Record, columns: Questions, language: str) -> tuple[QuestionAnswer | None, list[Finding]]:
    """The record's question, or None with the reason why it cannot be used."""
    fields = record.fields
    if columns.turns:
        return _dialogue(record, columns, language)
    question, answer = words(fields.get(columns.question)), words(fields.get(columns.answer))
    options = options_of(fields, columns)
    index = _index(fields, columns, options, answer)
    if index >= 0 and not (answer and answer in options):
        answer = options[index]
    if not question:
        return None, [Finding("empty_question", f"record {record.line} has no question and is left out")]
    if not answer:
        return None, [Finding("missing_answer", f"record {record.line} has no answer and is left out")]
    found = []
    if options and index < 0:
        found.append(Finding("answer_not_in_options", f"the answer of record {record.line} is none of its options"))
    made = QuestionAnswer(
        question=question,
        answer=answer,
        options=options,
        answer_index=index,
        question_type=words(fields.get(columns.question_type)) if columns.question_type else "",
        answer_type=_answer_type(fields, columns, options, answer),
        language=words(fields.get(columns.language)) if columns.language else language,
        key=words(fields.get(columns.key)) if columns.key else "",
    )
    return made, found


def options_of(fields: dict[str, Any], columns: Questions) -> tuple[str, ...]:
    """The options in order, ``A: `` and the like cut off, empty ones left out."""
    texts = _slots(fields, columns)
    # A letter is a label only where each option carries its own: "A. niger" alone stays as it is.
    found = [(i, _LETTERED.match(text)) for i, text in enumerate(texts) if text]
    lettered = all(hit and hit[1].upper() == chr(65 + i) for i, hit in found)
    cut = [_LETTERED.sub("", text, count=1).strip() if lettered else text for text in texts]
    return tuple(text for text in cut if text)


def _slots(fields: dict[str, Any], columns: Questions) -> list[str]:
    """The options as they stand, one for each letter, empty where a letter has none."""
    raw = [fields.get(name) for name in columns.options]
    if len(raw) == 1 and isinstance(raw[0], list):
        raw = raw[0]
    elif len(raw) == 1 and isinstance(raw[0], dict):
        raw = [raw[0][letter] for letter in sorted(raw[0])]
    return [words(value) for value in raw]


def _index(fields: dict[str, Any], columns: Questions, options: tuple[str, ...], answer: str) -> int:
    if not options:
        return -1
    letter = words(fields.get(columns.letter)) if columns.letter else ""
    slots = _slots(fields, columns)
    place = ord(letter.upper()) - 65 if re.fullmatch(r"[A-Za-z]", letter) else int(letter) if letter.isdecimal() else -1
    if 0 <= place < len(slots) and slots[place]:
        return sum(bool(text) for text in slots[:place])
    bare = answer.casefold().rstrip(".")
    same = [i for i, option in enumerate(options) if option.casefold().rstrip(".") == bare]
    return same[0] if len(same) == 1 else -1


def _answer_type(
    fields: dict[str, Any], columns: Questions, options: tuple[str, ...], answer: str
) -> Literal["", "open", "closed", "choice"]:
    if options:
        return "choice"
    said = words(fields.get(columns.answer_type)).lower() if columns.answer_type else ""
    if said in ("open", "closed"):
        return "open" if said == "open" else "closed"
    return "closed" if answer.lower().rstrip(".") in ("yes", "no") else "open"


def _dialogue(record: Record, columns: Questions, language: str) -> tuple[QuestionAnswer | None, list[Finding]]:
    """Question and answer pairs of a LLaVA or ShareGPT conversation; a system turn is left out."""
    raw = record.fields.get(columns.turns)
    said: list[tuple[bool, str]] = []
    for turn in raw if isinstance(raw, list) else []:
        if isinstance(turn, dict):
            who = words(turn.get("from", turn.get("role"))).lower()
            text = _PLACEHOLDER.sub("\n", _content(turn.get("value", turn.get("content")))).strip()
            if who != "system":
                said.append((who in ("human", "user"), text))
    pairs = tuple((said[i][1], said[i + 1][1]) for i in range(0, len(said) - 1, 2))
    sound = len(said) % 2 == 0 and all(asks == (i % 2 == 0) and text for i, (asks, text) in enumerate(said))
    if not pairs or not sound:
        detail = f"record {record.line} is no dialogue of alternating turns with words and is left out"
        return None, [Finding("broken_dialogue", detail)]
    key = words(record.fields.get(columns.key)) if columns.key else ""
    turns = pairs if len(pairs) > 1 else ()
    return QuestionAnswer(pairs[0][0], pairs[0][1], language=language, key=key, turns=turns, answer_type="open"), []


def images_in(turns: Any) -> list[str]:
    """The images that a dialogue names inside its turns, as OpenAI's and Qwen's messages do; web addresses are none."""
    return [path for _, path in image_parts(turns) if path and not re.match(r"(?:https?:|data:)", path)]


def image_parts(turns: Any) -> list[tuple[dict[str, Any], str]]:
    """The parts of a dialogue's turns that are images, each with its path or address."""
    found = []
    for turn in turns if isinstance(turns, list) else []:
        content = turn.get("content", turn.get("value")) if isinstance(turn, dict) else None
        for part in content if isinstance(content, list) else []:
            named = (part.get("image") or part.get("image_url")) if isinstance(part, dict) else None
            if named:
                address = words(named.get("url") if isinstance(named, dict) else named)
                found.append((part, address.removeprefix("file://")))
    return found


def _content(value: Any) -> str:
    """A turn's text, also where it is a list of typed parts."""
    if isinstance(value, list):
        return "\n".join(words(part.get("text")) for part in value if isinstance(part, dict) and part.get("text"))
    return words(value)
