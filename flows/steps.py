"""The steps that a case takes inside a partition: each a generator over `Work`, put together as a plain list."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from converters.base import Converter
from flows.books import balanced
from readers.base import Item, Reader, Refusal
from readers.pixels.render import render
from readers.source import Source
from readers.volume_bytes import volume_bytes
from schemas.case import ImageRef
from schemas.context import Context
from schemas.errors import CaseError, UserError
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.settled import settle
from schemas.work import Drop, Work

Step = Callable[[Iterator[Work]], Iterator[Work]]


def run_steps(works: Iterator[Work], steps: Iterable[Step]) -> Iterator[Work]:
    """Send ``works`` through ``steps`` in order, one case at a time; a step that loses a row ends the run."""
    for step in steps:
        works = balanced(step)(works)
    return works


def read(items: Iterable[Item | Refusal], reader: Reader) -> Iterator[Work]:
    """Read every item; what cannot be read ends here with its reason."""
    for item in items:
        work = Work(case_id=item.key)
        if isinstance(item, Refusal):
            work.drop(Status(item.status), "read", item.code, item.detail)
        else:
            try:
                work.case = settle(reader.read(item))
            except CaseError as error:
                work.drop(Status(error.status), "read", error.code, error.detail)
            except UserError as error:  # the spec asks for what this case has not; others may have it
                work.drop(Status.FAILED, "read", "spec_mistake", str(error))
            except Exception as error:  # noqa: BLE001 - a hostile file may raise anything in a decoder; it must not end the run
                work.drop(Status.FAILED, "read", "unexpected_error", unexpected(item.key, error))
        yield work


def convert(converters: Sequence[Converter], context: Context) -> Step:
    """Ask every converter; a case of which nothing can be asked is filtered."""

    def step(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            if work.case is not None and work.dropped is None:
                refusing = [found for found in work.case.findings if found.severity is Severity.REFUSE]
                if refusing:
                    work.drop(Status.QUARANTINED, "read", refusing[0].code, refusing[0].detail)
                else:
                    _convert_one(work, converters, context)
            yield work

    return step


def _convert_one(work: Work, converters: Sequence[Converter], context: Context) -> None:
    assert work.case is not None
    flags = _codes(work.case.findings)
    try:
        for converter in converters:
            work.rows += [_flagged(row, flags) for row in converter.convert(work.case, context)]
    except CaseError as error:
        work.drop(Status(error.status), "convert", error.code, error.detail)
    except UserError as error:
        work.drop(Status.FAILED, "convert", "recipe_mistake", str(error))
    except Exception as error:  # noqa: BLE001 - a converter of another package may raise anything; one case pays for it
        work.drop(Status.FAILED, "convert", "unexpected_error", unexpected(work.case_id, error))


def render_pictures(source: Source, decode: bool, all_of_case: bool) -> Step:
    """Render every picture that a row shows, once; rows whose picture cannot be made are refused.

    Args:
        source: where the bytes are.
        decode: False lets JPEG and PNG pass through unseen.
        all_of_case: also those that no row shows, for a model that will be asked about them.
    """

    def step(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            if work.case is not None and work.dropped is None:
                for ref in _pictures_of(work, all_of_case):
                    _render_one(work, ref, source, decode)
                _load_volumes(work, source)
            yield work

    return step


def close_cases(works: Iterator[Work]) -> Iterator[Work]:
    """A case without a row left is out; its reason is that of its first refused row, or that nothing was asked."""
    for work in works:
        if work.dropped is None and not work.rows:
            if work.refused:
                first = work.refused[0][1]
                work.dropped = replace(first, detail=f"no row is left; the first refusal: {first.detail}")
            elif work.lost:
                work.dropped = work.lost[0][1]
            else:
                work.drop(
                    Status.FILTERED, "convert", "nothing_to_ask", f"{work.case_id}: no converter found a question"
                )
        yield work


def _pictures_of(work: Work, all_of_case: bool) -> list[ImageRef]:
    assert work.case is not None
    shown = [ref for row in work.rows for ref in row.images]
    return list(dict.fromkeys([*shown, *work.case.images] if all_of_case else shown))


def _render_one(work: Work, ref: ImageRef, source: Source, decode: bool) -> None:
    try:
        picture = render(source, ref, decode=decode)
    except CaseError as error:
        _refuse_showing(work, ref, Drop(Status(error.status), "render", error.code, error.detail))
        return
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile bytes
        detail = unexpected(work.case_id, error)
        _refuse_showing(work, ref, Drop(Status.FAILED, "render", "unexpected_error", detail))
        return
    refusing = [found for found in picture.findings if found.severity is Severity.REFUSE]
    if refusing:
        _refuse_showing(work, ref, Drop(Status.QUARANTINED, "render", refusing[0].code, refusing[0].detail))
        return
    work.pictures[ref] = picture
    flags = _codes(picture.findings)
    if flags:
        work.rows = [_flagged(row, flags) if ref in row.images else row for row in work.rows]


def _refuse_showing(work: Work, ref: ImageRef, drop: Drop) -> None:
    showing = [row for row in work.rows if ref in row.images]
    for row in showing:
        work.refuse(row, drop)
    if not work.rows:
        work.dropped = drop


def _load_volumes(work: Work, source: Source) -> None:
    for volume in dict.fromkeys(volume for row in work.rows for volume in row.volumes):
        try:
            work.volumes[volume] = volume_bytes(source, volume)
        except CaseError as error:
            drop = Drop(Status(error.status), "render", error.code, error.detail)
            for row in [row for row in work.rows if volume in row.volumes]:
                work.refuse(row, drop)


def _codes(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.code for found in findings if found.severity is Severity.FLAG))


def _flagged(row: Instruction, flags: tuple[str, ...]) -> Instruction:
    return replace(row, flags=tuple(dict.fromkeys((*row.flags, *flags)))) if flags else row


def unexpected(key: str, error: Exception) -> str:
    """A sentence about an error nobody foresaw: its type and place, never its text, which may quote contents."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {re.split(r'[/]', trace.tb_frame.f_code.co_filename)[-1]}:{trace.tb_lineno}"
    return f"{key}: an unforeseen {type(error).__name__}{where}; please report it with the file that caused it"
