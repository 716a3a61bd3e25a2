"""The answer store: every raw answer under the digest of its exact request, so that nothing is asked twice.

A folder of append-only segment files, one per writing process.  A record is framed by a header (mark, key, length,
CRC), so that a process killed in the middle of a write loses that record only.  Writers never touch each other's
files; readers take up what others have appended as soon as they miss a key.  Where two processes have asked the same
at the same moment, the answer that was stored first is the answer of both, so that a rerun makes the same rows.

At an fsspec address the same files are kept as copies of a local folder (`synthesis.remote_folder`).  Parsed answers
are never stored: a change of parser asks nothing again.
"""

import errno
import fcntl
import json
import os
import secrets
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from schemas.errors import UserError
from synthesis.remote_folder import RemoteFolder, local_folder

MARK = b"mcA1"
HEADER = struct.Struct("<4s16sII")
"""Mark, key, length of the payload, CRC-32 of key and payload."""
OPEN_FILES = 64
Place = tuple[str, int, int]
"""Segment, start and length of a payload."""
TURN = "turn"
"""File whose lock a process holds while it appends; it counts the records, which spares most looks for new ones."""
COUNT = struct.Struct("<Q")
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What file systems without locks say, e.g. Lustre mounted without ``flock``."""
LONG_SEGMENT = 16 << 20
"""Bytes after which a segment that has been sent to an address gets a successor, since a file is sent as a whole."""


class AnswerStore:
    """Raw answers by request digest; one per process, usable from any of its threads."""

    def __init__(self, address: str | Path, usable: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
        """Open or create the store.

        Args:
            address: folder or fsspec address.
            usable: which records count; others are as if they were not there.

        Raises:
            UserError: the folder cannot be made or the address not be reached.
        """
        self._usable = usable
        self.address = str(address)
        self.folder = folder = local_folder(address)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"the answer store {folder} cannot be made: {error.strerror}; choose another") from None
        self._remote = RemoteFolder(self.address, folder) if "://" in self.address else None
        if self._remote is not None:
            self._remote.fetch()
        self._lock = threading.Lock()
        self._index: dict[bytes, Place] = {}
        self._others: dict[bytes, list[Place]] = {}
        """Further records of a key that has several."""
        self._scanned: dict[str, int] = {}
        self._files: dict[str, int] = {}
        self._own: int | None = None
        self._turn: int | None = None
        self._turns = -1
        """The count of records at this process's last one, whose answers it has all indexed."""
        self.token = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._own_name = f"{self.token}.seg"
        self._own_end = 0
        self._ended = 0
        """Segments of this process that nothing more comes to."""
        self._refresh()

    def get(self, digest: str) -> dict[str, Any] | None:
        """The record stored under ``digest`` by any process, or ``None``."""
        key = bytes.fromhex(digest)
        with self._lock:
            try:
                return self._find(key)
            except OSError as error:
                problem = f"the answer store {self.folder} cannot be read: {error.strerror}"
                raise UserError(f"{problem}; put it back and run again") from None

    def put(self, digest: str, record: dict[str, Any]) -> dict[str, Any]:
        """Store ``record`` (anything JSON can hold) unless another process has stored one meanwhile.

        Returns:
            The one that counts; the operating system has it when this returns.
        """
        key = bytes.fromhex(digest)
        payload = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        frame = HEADER.pack(MARK, key, len(payload), crc32(payload, crc32(key))) + payload
        with self._lock:
            try:
                with self._my_turn() as turn:
                    first = self._stored_meanwhile(turn, key)
                    if first is not None:
                        return first
                    self._append(frame)
                    self._turns = self._turns + 1
                    os.pwrite(turn, COUNT.pack(self._turns), 0)
            except OSError as error:
                raise UserError(
                    f"the answer store {self.folder} cannot be written: {error.strerror}; make room and run again"
                ) from None
            self._index[key] = (self._own_name, self._own_end - len(payload), len(payload))
            return record

    def __len__(self) -> int:
        return len(self._index)

    def send(self) -> None:
        """Bring a store at an address up to date; nothing to do for a folder."""
        if self._remote is not None:
            self._remote.send(self.token)
            with self._lock:
                if self._own is not None and self._own_end >= LONG_SEGMENT:
                    self._end_segment()
                    self._own_name, self._own_end = f"{self.token}.{self._ended}.seg", 0

    def close(self) -> None:
        """Flush this process's answers to the disk and let go of all files."""
        with self._lock:
            if self._own is not None:
                self._end_segment()
            if self._turn is not None:
                os.close(self._turn)
                self._turn = None
            self._close_files()
        self.send()

    @contextmanager
    def _my_turn(self) -> Iterator[int]:
        """No other process appends meanwhile, unless the file system has no locks."""
        if self._turn is None:
            self._turn = os.open(self.folder / TURN, os.O_RDWR | os.O_CREAT, 0o644)
        turn = self._turn
        self._lock_file(turn, fcntl.LOCK_EX)
        try:
            yield turn
        finally:
            self._lock_file(turn, fcntl.LOCK_UN)

    @staticmethod
    def _lock_file(file: int, how: int) -> None:
        try:
            fcntl.flock(file, how)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise

    def _stored_meanwhile(self, turn: int, key: bytes) -> dict[str, Any] | None:
        """What another process has stored under the key since this one last looked."""
        found = os.pread(turn, COUNT.size, 0)
        turns = COUNT.unpack(found)[0] if len(found) == COUNT.size else 0
        if turns != self._turns:
            self._refresh()
            self._turns = turns
        return self._first(key)

    def _find(self, key: bytes) -> dict[str, Any] | None:
        if key not in self._index:
            self._refresh()
        return self._first(key)

    def _first(self, key: bytes) -> dict[str, Any] | None:
        """The first record of a key that counts, of those that are indexed."""
        while (place := self._index.get(key)) is not None:
            record = self._read(key, *place)
            if record is not None and self._usable(record):
                return record
            self._next(key)
        return None

    def _note(self, key: bytes, place: Place) -> None:
        """Index a record; of several the one that every process takes for the first."""
        known = self._index.get(key, place)
        self._index[key] = min(known, place)
        if known != place:
            self._others.setdefault(key, []).append(max(known, place))

    def _next(self, key: bytes) -> None:
        """Pass over a record that is damaged or does not count."""
        others = self._others.get(key)
        if others:
            self._index[key] = min(others)
            others.remove(self._index[key])
        else:
            del self._index[key]

    def _end_segment(self) -> None:
        assert self._own is not None
        os.fsync(self._own)
        os.close(self._own)
        self._own = None
        self._ended += 1

    def _append(self, frame: bytes) -> None:
        if self._own is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._own = os.open(self.folder / self._own_name, flags, 0o644)
        written = os.write(self._own, frame)
        if written != len(frame):
            os.ftruncate(self._own, self._own_end)
            raise OSError(28, "no space left on device")
        self._own_end += written
        self._scanned[self._own_name] = self._own_end

    def _refresh(self) -> None:
        """Index what other processes have appended since the last look."""
        for entry in os.scandir(self.folder):
            if entry.name.endswith(".seg") and entry.name != self._own_name:
                size = entry.stat().st_size
                if size > self._scanned.get(entry.name, 0):
                    self._let_go_of_older(entry)
                    self._scanned[entry.name] = self._scan(entry.name, size)

    def _scan(self, name: str, size: int) -> int:
        """Index the whole records of one segment from where the last look ended; returns where this one ended."""
        at = self._scanned.get(name, 0)
        file = self._file(name)
        while at + HEADER.size <= size:
            mark, key, length, _ = HEADER.unpack(os.pread(file, HEADER.size, at))
            if mark != MARK:
                found = self._next_mark(file, at + 1, size)
                if found < 0:
                    return at
                at = found
                continue
            end = at + HEADER.size + length
            if end > size:
                return at
            self._note(key, (name, at + HEADER.size, length))
            at = end
        return at

    @staticmethod
    def _next_mark(file: int, at: int, size: int) -> int:
        """Where the next record may start after a damaged one, -1 if nowhere."""
        step = 1 << 20
        while at < size:
            found = os.pread(file, step + len(MARK), at).find(MARK)
            if found >= 0:
                return at + found
            at += step
        return -1

    def _read(self, key: bytes, name: str, start: int, length: int) -> dict[str, Any] | None:
        file = self._file(name)
        framed = os.pread(file, HEADER.size + length, start - HEADER.size)
        payload = framed[HEADER.size :]
        if HEADER.unpack_from(framed)[3] != crc32(payload, crc32(key)):
            return None
        record: dict[str, Any] = json.loads(payload)
        return record

    def _file(self, name: str) -> int:
        if name not in self._files:
            if len(self._files) >= OPEN_FILES:
                self._close_files()
            self._files[name] = os.open(self.folder / name, os.O_RDONLY)
        return self._files[name]

    def _let_go_of_older(self, entry: "os.DirEntry[str]") -> None:
        """A copy of another machine's segment is replaced by a longer one; the open file is the old copy then."""
        file = self._files.get(entry.name)
        if file is not None and os.fstat(file).st_ino != entry.stat().st_ino:
            os.close(self._files.pop(entry.name))

    def _close_files(self) -> None:
        for file in self._files.values():
            os.close(file)
        self._files.clear()
