"""Text files of unknown encoding."""

import codecs
import gzip
import io
from typing import IO, TextIO

from readers.source import Source

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BLOCK = 1 << 20


def encoding_of(source: Source, path: str) -> str:
    """The encoding of a text file, packed with gzip or not.

    Its byte order mark's, else UTF-8 if all of it is, else Windows-1252, else Latin-1.  Every byte is looked at, a
    block at a time.
    """
    with _unpacked(source, path) as file:
        block = file.read(_BLOCK)
        for mark, name in _MARKS:
            if block.startswith(mark):
                return name
        decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "cp1252")}
        while block and decoders:
            for name in list(decoders):
                try:
                    decoders[name].decode(block)
                except UnicodeDecodeError:
                    del decoders[name]
            block = file.read(_BLOCK)
    return next(iter(decoders), "latin-1")


def open_text(source: Source, path: str, encoding: str = "") -> TextIO:
    """The file as text, line ends as they are; the encoding is found out where none is given."""
    return io.TextIOWrapper(
        _unpacked(source, path), encoding or encoding_of(source, path), errors="replace", newline=""
    )


def _unpacked(source: Source, path: str) -> IO[bytes]:
    stream = source.stream(path)
    return gzip.GzipFile(fileobj=stream) if path.lower().endswith(".gz") else stream  # type: ignore[return-value]


def read_text(source: Source, path: str, limit: int = 64 << 20) -> str:
    """The whole file as text, line ends as ``\\n``."""
    data = source.read_bytes(path, limit)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace").replace("\r\n", "\n")
    for name in ("utf-8", "cp1252"):
        try:
            return data.decode(name).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1").replace("\r\n", "\n")
