"""A small per-process cache, bounded in bytes, for what several pictures of one case are made from."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """Keeps the values used last as long as together they stay below ``limit`` bytes; the newest always stays."""

    def __init__(self, limit: int, cost: Callable[[Value], int]) -> None:
        self._limit = limit
        self._cost = cost
        self._held = 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def held(self, key: Hashable) -> Value | None:
        """The value of ``key`` if it is held."""
        with self._lock:
            return self._values.get(key)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of ``key``, made now if it is not held."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._held += self._cost(value)
            while self._held > self._limit and len(self._values) > 1:
                _, oldest = self._values.popitem(last=False)
                self._held -= self._cost(oldest)
        return value


class FileDigest:
    """The SHA-256 of a file's bytes, worked out when it is first asked for; then the bytes are let go.

    Hashing takes as long as parsing and decoding a plain DICOM slice, and masks, headers and windows need no digest.
    """

    __slots__ = ("_data", "_hex")

    def __init__(self, data: bytes) -> None:
        self._data, self._hex = data, ""

    @property
    def sha256(self) -> str:
        """Hex digits."""
        data = self._data  # taken before looking: another thread may be letting go
        if not self._hex:
            self._hex = hashlib.sha256(data).hexdigest()
            self._data = b""
        return self._hex
