"""An answer store on any fsspec address: worked on in a local folder, fetched at the start and sent back as it grows.

Every file has one writer and only grows (segments) or is replaced whole (accounts), so files are copied, never merged,
and a process sends its own only.  What a killed process had not sent lies in the local folder, and the next process on
that machine sends it.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from schemas import identity
from schemas.errors import UserError

TRIES = 4
PAUSE_S = 0.5
"""Before the second try; it doubles."""
PATTERNS = ("{token}*.seg", "accounts/{token}*.json")


def local_folder(address: str | Path) -> Path:
    """Where the store at ``address`` lies on this machine: itself where it is a plain folder."""
    if "://" not in str(address):
        return Path(address)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "medcurate" / "answers" / identity.digest("answers", str(address).rstrip("/"))


class RemoteFolder:
    """The copy of a local answer folder at an address."""

    def __init__(self, address: str, local: Path) -> None:
        self._address, self._local = address.rstrip("/"), local
        self._sent: dict[str, tuple[int, int]] = {}
        """Name to size and time of what is there."""

    def fetch(self) -> None:
        """Bring what others have sent, and send what an earlier process on this machine could not.

        Raises:
            UserError: the address cannot be reached.
        """
        self._insist("read", self._fetch_all)
        self.send("", lambda path: not _is_written(path))

    def _fetch_all(self) -> None:
        files, root = self._open()
        for path, about in self._listing(files, root).items():
            self._fetch_one(files, path, path.removeprefix(f"{root}/"), about["size"])

    def send(self, token: str, wanted: Callable[[Path], bool] = lambda _: True) -> None:
        """Send every file of the writer ``token`` that has changed since it was last sent or fetched.

        Args:
            token: with which the names of the files begin; empty for those of all writers.
            wanted: of these files, which.

        Raises:
            UserError: the address cannot be written.
        """
        found = [path for pattern in PATTERNS for path in sorted(self._local.glob(pattern.format(token=token)))]
        chosen = list(filter(wanted, found))
        self._insist("written", lambda: self._send_all(chosen))

    def _send_all(self, paths: Iterable[Path]) -> None:
        files, root = self._open()
        for path in paths:
            name, state = path.relative_to(self._local).as_posix(), (path.stat().st_size, path.stat().st_mtime_ns)
            if self._sent.get(name) != state:
                files.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
                files.pipe_file(f"{root}/{name}", path.read_bytes())
                self._sent[name] = state

    def _insist(self, what: str, work: Callable[[], None]) -> None:
        """Do it, again where it fails: a store in a network fails now and then, and that must not end a run of days.

        Raises:
            UserError: it fails every time.
        """
        for tries in range(TRIES):
            try:
                work()
            except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
                if tries == TRIES - 1 or isinstance(error, ImportError | ValueError | PermissionError):
                    raise UserError(
                        f"the answer store {self._address} cannot be {what} ({type(error).__name__}: {error})"
                    ) from None
                time.sleep(PAUSE_S * 2**tries)
            else:
                return

    def _open(self) -> tuple[Any, str]:
        import fsspec

        files, root = fsspec.core.url_to_fs(self._address)
        return files, str(root).rstrip("/")

    @staticmethod
    def _listing(files: Any, root: str) -> dict[str, Any]:
        files.invalidate_cache()
        found = files.find(root, detail=True) if files.exists(root) else {}
        return {path: about for path, about in found.items() if path.endswith((".seg", ".json"))}

    def _fetch_one(self, files: Any, path: str, name: str, size: int) -> None:
        here = self._local / name
        if not here.exists() or here.stat().st_size < size:
            here.parent.mkdir(parents=True, exist_ok=True)
            part = here.with_name(f"{here.name}.{os.getpid()}.part")
            part.write_bytes(files.cat_file(path))
            part.replace(here)
            self._sent[name] = (here.stat().st_size, here.stat().st_mtime_ns)
        elif here.stat().st_size == size:
            self._sent[name] = (size, here.stat().st_mtime_ns)


def _is_written(path: Path) -> bool:
    """Whether the process that writes the file, whose id its name begins with, is still there and is not this one."""
    process = path.name.partition("-")[0]
    return process.isdigit() and int(process) != os.getpid() and Path(f"/proc/{process}").exists()
