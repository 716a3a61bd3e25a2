"""A file that hashes itself while it is written, and appears under its name only when whole."""

import hashlib
import os
from pathlib import Path
from queue import Queue
from threading import Thread
from types import TracebackType

from schemas.manifest import ReleaseFile
from storage.atomic import unfinished

DEPTH = 64
"""Writes that may wait for the hash; bounds memory."""


class HashedSink:
    """A writable binary file for pyarrow and others, hashed by a thread beside the writer.

    Hashing 44 kB takes as long as writing it, and `hashlib` lets go of the interpreter meanwhile.

    Args:
        folder: the release folder.
        path: of the file inside it.
    """

    def __init__(self, folder: Path, path: str) -> None:
        self.path = path
        self._final = folder / path
        self._final.parent.mkdir(parents=True, exist_ok=True)
        self._file = unfinished(self._final).open("wb", buffering=1 << 20)
        self._hash = hashlib.sha256()
        self._size = 0
        self._queue: Queue[bytes | None] = Queue(DEPTH)
        self._thread = Thread(target=self._digest, daemon=True)
        self._thread.start()
        self.closed = False

    def write(self, data: bytes) -> int:
        """Append ``data``, which must not change afterwards."""
        self._file.write(data)
        self._queue.put(data)
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def flush(self) -> None:
        """Nothing: only `finish` promises anything."""

    def close(self) -> None:
        """Nothing, since pyarrow calls it also when writing failed; see `finish`."""

    def finish(self, rows: int = 0) -> ReleaseFile:
        """Flush to the disk, give the file its name and return its line of the manifest."""
        self._stop()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        unfinished(self._final).replace(self._final)
        return ReleaseFile(path=self.path, sha256=self._hash.hexdigest(), bytes=self._size, rows=rows)

    def __enter__(self) -> "HashedSink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if not self._file.closed:
            self._file.close()
            unfinished(self._final).unlink(missing_ok=True)

    def _stop(self) -> None:
        if not self.closed:
            self.closed = True
            self._queue.put(None)
            self._thread.join()

    def _digest(self) -> None:
        while (data := self._queue.get()) is not None:
            self._hash.update(data)
