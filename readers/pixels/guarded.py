"""Run a codec that may never come back in a process of its own, which the system ends in time."""

import os
import select
import signal
from collections.abc import Callable
from typing import Any

import numpy as np

from schemas.errors import CaseError

_PATIENCE = 60.0
"""Seconds by the clock without a word from the process, however busy the machine is."""

Array = np.ndarray[Any, Any]


def guarded(decode: Callable[[], Array], seconds: float, failure: CaseError) -> Array:
    """What ``decode`` gives, from a forked process with at most ``seconds`` of CPU time.

    Raises ``failure`` where it takes longer or dies, and the `CaseError` that ``decode`` itself raises.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(decode, seconds, writing)
    os.close(writing)
    try:
        answer = _listen(reading)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return _understood(answer, failure)


def _answer(decode: Callable[[], Array], seconds: float, writing: int) -> None:
    """In the child: write ``ok``, type, shape and values, or ``no``, code, detail and status; then end at once."""
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            array = np.ascontiguousarray(decode())
            head = "\t".join(("ok", array.dtype.str, *map(str, array.shape)))
            body = array.tobytes()
        except CaseError as error:
            head, body = "\t".join(("no", error.code, error.detail, error.status)), b""
        with os.fdopen(writing, "wb") as out:
            out.write(head.encode("utf-8", "surrogateescape") + b"\n" + body)
    finally:
        os._exit(0)


def _listen(reading: int) -> bytes:
    parts = []
    while select.select([reading], [], [], _PATIENCE)[0]:
        part = os.read(reading, 1 << 20)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _understood(answer: bytes, failure: CaseError) -> Array:
    head, _, body = answer.partition(b"\n")
    said, *facts = head.decode("utf-8", "surrogateescape").split("\t")
    if said == "no":
        raise CaseError(*facts)
    if said != "ok":
        raise failure
    kind, *shape = facts
    array = np.frombuffer(body, kind)
    if array.size != np.prod([int(side) for side in shape]):
        raise failure
    return array.reshape([int(side) for side in shape])


def jpegls(decode: Callable[[], Array], samples: int, name: str) -> Array:
    """`guarded` for JPEG-LS: over some broken streams CharLS, the only codec there is, counts to four thousand million.

    Decoding takes 0.02 to 0.1 microseconds a sample; a fork costs a few milliseconds.
    """
    failure = CaseError("corrupt_pixels", f"the JPEG-LS data of {name} is broken: decoding it does not end")
    return guarded(decode, 0.8 + 0.4e-6 * samples, failure)
