"""What a pool process does before its first work.  Imports little, so that the flow can start its pool at once."""

import atexit
import os
import threading
import time


def start_worker(parent: int, log: str) -> None:
    """Pool initialiser: a worker whose flow was killed must not live on and write.

    Args:
        parent: process id of the flow.
        log: where codecs written in C print their complaints, which would tear the progress bars.
    """
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    # Nothing is left to be done when a worker ends; taking a thousand modules apart would take a quarter of a second.
    atexit.register(os._exit, 0)
    _keep_memory()
    _without_pandas()
    _import_ahead()


def _keep_memory() -> None:
    """Let the allocator keep freed memory: mapping it anew for every picture costs a quarter of the decode time."""
    import ctypes

    from PIL.Image import core  # type: ignore[attr-defined]  # Pillow's memory arena has no other door

    trim_threshold, mmap_threshold, size = -1, -3, 1 << 28
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # not glibc
    mallopt(mmap_threshold, size)
    mallopt(trim_threshold, size)
    core.set_blocks_max(8)


def _without_pandas() -> None:
    """Let pyarrow find out once that pandas is not to be had: it would import it (0.2 s) only to recognise a Series."""
    import sys

    class Absent:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "pandas":
                raise ImportError(name)

    absent = Absent()
    sys.meta_path.insert(0, absent)
    try:
        import pyarrow

        pyarrow.array([])
    finally:
        sys.meta_path.remove(absent)


def _import_ahead() -> None:
    """Import what every partition needs, while the flow is still planning."""
    import flows.worker  # noqa: F401
    import readers.pixels.raster  # noqa: F401
    import storage.pack
    import storage.stage  # noqa: F401
    from quality.row_gates import open_gates

    open_gates({})


def ready() -> None:
    """Nothing; a pool starts its processes when it is given work."""
