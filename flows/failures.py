"""What the machine refuses (a full disk, a folder that may not be written) and Ctrl-C, as one sentence and a cure."""

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CURES = {
    errno.ENOSPC: "the disk is full; make room and start again, what is finished is not done again",
    errno.EDQUOT: "the quota of the disk is used up; make room and start again, what is finished is not done again",
    errno.EFBIG: "the file would be larger than may be written here (ulimit -f); raise the limit and start again",
    errno.EACCES: "this user may not do that there; choose another place or ask for the right",
    errno.EPERM: "this user may not do that there; choose another place or ask for the right",
    errno.EROFS: "the place can only be read; choose another",
    errno.ENOENT: "there is no such file or folder; check the path, or make the folder first",
    errno.ENOTDIR: "a part of the path is a file and no folder; check the path",
    errno.EISDIR: "that is a folder; name a file",
    errno.EEXIST: "that is a file already; name a folder",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n) and start again",
}


def sentence(error: OSError) -> str:
    """One sentence: what could not be used, why, and what to do."""
    cure = _CURES.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {cure}" if error.filename else cure


@contextmanager
def stoppable() -> Iterator[None]:
    """After Ctrl-C whatever is raised is a `KeyboardInterrupt`.

    The terminal sends the signal to Prefect's server too, so the flow ends with a server that does not answer, and
    what really happened is nowhere in that error.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def note(number: int, frame: Any) -> None:
        nonlocal pressed
        pressed = True
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    except BaseException:
        if pressed:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
