"""Planning remembers a listing of any length in little memory, and sees every change of the files."""

import os
import tracemalloc

from flows.listing import Keys, fingerprint_of


def test_a_key_is_new_once() -> None:
    keys = Keys()
    assert [keys.add(key) for key in ("a", "b", "a", "", "b", "c")] == [True, True, False, True, False, True]


def test_keys_take_a_few_bytes_each() -> None:
    tracemalloc.start()
    keys = Keys()
    before = tracemalloc.get_traced_memory()[0]
    assert all(keys.add(f"images/case-{number:09}.png") for number in range(50_000))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # 8 bytes each, and what the arrays hold in reserve.
    assert held < 16 * 50_000


def test_the_fingerprint_follows_names_sizes_and_times_and_not_the_order(tmp_path) -> None:
    for name in ("b/2.txt", "a.txt", "b/1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, ns=(1, 1))
    first = fingerprint_of(str(tmp_path))
    assert fingerprint_of(str(tmp_path)) == first
    found = {first}
    os.utime(tmp_path / "a.txt", ns=(2, 2))
    found.add(fingerprint_of(str(tmp_path)))
    (tmp_path / "a.txt").write_text("xy")
    os.utime(tmp_path / "a.txt", ns=(1, 1))
    found.add(fingerprint_of(str(tmp_path)))
    (tmp_path / "a.txt").rename(tmp_path / "c.txt")
    found.add(fingerprint_of(str(tmp_path)))
    (tmp_path / "c.txt").unlink()
    found.add(fingerprint_of(str(tmp_path)))
    assert len(found) == 5


def test_a_remote_root_has_a_fingerprint_too() -> None:
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.pipe_file("/listing/a.txt", b"x")
    first = fingerprint_of("memory://listing")
    fs.pipe_file("/listing/b.txt", b"x")
    assert fingerprint_of("memory://listing") != first
    fs.rm("/listing", recursive=True)
