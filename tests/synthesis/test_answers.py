"""The answer store survives every way of dying."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from schemas.errors import UserError
from schemas.identity import digest
from schemas.recipe import EngineChoice
from synthesis.answers import HEADER, AnswerStore
from synthesis.base import Request
from synthesis.pipeline import open_engine
from synthesis.reply import usable
from synthesis.wire import request_digest


def key(number):
    return digest("key", str(number))


def record(number):
    return {"texts": [f"answer {number} é"], "n": number}


def test_what_was_put_is_got_here_and_after_reopening(tmp_path):
    store = AnswerStore(tmp_path / "a" / "b")
    store.put(key(1), record(1))
    assert store.get(key(1)) == record(1)
    assert store.get(key(2)) is None
    store.close()
    again = AnswerStore(tmp_path / "a" / "b")
    assert (again.get(key(1)), len(again)) == (record(1), 1)
    again.close()


def test_an_open_store_sees_what_another_writes(tmp_path):
    reader, writer = AnswerStore(tmp_path), AnswerStore(tmp_path)
    assert reader.get(key(1)) is None
    writer.put(key(1), record(1))
    assert reader.get(key(1)) == record(1)
    writer.put(key(2), record(2))
    assert reader.get(key(2)) == record(2)


def test_a_store_that_writes_nothing_leaves_no_file(tmp_path):
    store = AnswerStore(tmp_path)
    store.get(key(1))
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [1, HEADER.size - 1, HEADER.size, HEADER.size + 5, -1])
def test_a_record_cut_anywhere_costs_that_record_only(tmp_path, kept):
    store = AnswerStore(tmp_path)
    for number in range(3):
        store.put(key(number), record(number))
    store.close()
    (segment,) = tmp_path.glob("*.seg")
    data = segment.read_bytes()
    size = len(data) // 3
    assert len(data) == 3 * size, "the three records are of equal length"
    segment.write_bytes(data[: 2 * size + kept] if kept >= 0 else data[:-1])
    store = AnswerStore(tmp_path)
    assert [store.get(key(number)) for number in range(3)] == [record(0), record(1), None]
    store.put(key(2), record(2))
    assert store.get(key(2)) == record(2)
    assert AnswerStore(tmp_path).get(key(2)) == record(2)


@pytest.mark.parametrize("place", ["mark", "key", "length", "payload"])
def test_a_flipped_byte_costs_that_record_only(tmp_path, place):
    store = AnswerStore(tmp_path)
    for number in range(3):
        store.put(key(number), record(number))
    store.close()
    (segment,) = tmp_path.glob("*.seg")
    data = bytearray(segment.read_bytes())
    size = len(data) // 3
    data[size + {"mark": 0, "key": 4, "length": 20, "payload": HEADER.size + 3}[place]] ^= 1
    segment.write_bytes(bytes(data))
    store = AnswerStore(tmp_path)
    assert [store.get(key(number)) for number in range(3)] == [record(0), None, record(2)]


WRITER = """
import sys
from synthesis.answers import AnswerStore
from schemas.identity import digest
store = AnswerStore(sys.argv[1])
for number in range(10**9):
    store.put(digest("key", str(number)), {"n": number, "texts": ["x" * (number % 5000)]})
    if number == 100:
        print("going", flush=True)
"""


def test_kill_9_in_the_middle_of_writing(tmp_path, root):
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=root)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"going\n"
        time.sleep(0.1)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    store = AnswerStore(tmp_path)
    assert len(store) >= 101
    for number in range(len(store)):
        found = store.get(key(number))
        assert found is None or found == {"n": number, "texts": ["x" * (number % 5000)]}
    assert all(store.get(key(number)) for number in range(101))


SOME = """
import sys
from synthesis.answers import AnswerStore
from schemas.identity import digest
store = AnswerStore(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 200):
    store.put(digest("key", str(number)), {"texts": [f"answer {number} é"], "n": number})
"""


def test_several_processes_write_at_once(tmp_path, root):
    command = [sys.executable, "-c", SOME, str(tmp_path)]
    writers = [subprocess.Popen([*command, first], cwd=root) for first in ("0", "200", "100")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    store = AnswerStore(tmp_path)
    assert [store.get(key(number)) for number in range(400)] == [record(number) for number in range(400)]


def test_more_segments_than_open_files(tmp_path):
    for number in range(70):
        store = AnswerStore(tmp_path)
        store.put(key(number), record(number))
        store.close()
    store = AnswerStore(tmp_path)
    assert [store.get(key(number)) for number in range(70)] == [record(number) for number in range(70)]


def test_a_place_that_cannot_be_a_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be made"):
        AnswerStore(tmp_path / "file" / "answers")


def test_the_answer_that_was_stored_first_is_everybodys(tmp_path):
    """Two processes that ask the same at the same moment must write the same row, now and in every rerun."""
    one, other = AnswerStore(tmp_path), AnswerStore(tmp_path)
    assert (one.get(key(1)), other.get(key(1))) == (None, None)
    assert one.put(key(1), record(1)) == record(1)
    assert other.put(key(1), record(2)) == record(1)
    assert [other.get(key(1)), one.get(key(1)), AnswerStore(tmp_path).get(key(1))] == [record(1)] * 3
    assert len(list(tmp_path.glob("*.seg"))) == 1


RACE = """
import sys
from synthesis.answers import AnswerStore
from schemas.identity import digest
store = AnswerStore(sys.argv[1])
for number in range(300):
    print(store.put(digest("key", str(number)), {"by": store.token})["by"])
"""


def test_processes_that_race_agree_on_every_answer(tmp_path, root):
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    racers = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [racer.communicate()[0].split() for racer in racers]
    assert said[0] == said[1] == said[2]
    store = AnswerStore(tmp_path)
    assert [store.get(key(number))["by"] for number in range(300)] == said[0]


@pytest.mark.parametrize("swap", [False, True])
def test_of_several_records_of_a_key_one_that_counts_is_found(tmp_path, swap):
    """Two machines may have stored one each; one may be damaged, or be what an older version took for an answer."""
    names = ["1-a.seg", "2-b.seg"]
    for name, end in zip(names[:: -1 if swap else 1], ("error", "stop"), strict=True):
        (tmp_path / "apart").mkdir(exist_ok=True)
        store = AnswerStore(tmp_path / "apart" / name)
        store.put(key(1), {"ends": [end]})
        store.close()
        (segment,) = (tmp_path / "apart" / name).glob("*.seg")
        segment.rename(tmp_path / name)
    assert AnswerStore(tmp_path, usable).get(key(1)) == {"ends": ["stop"]}
    first = tmp_path / names[0]
    first.write_bytes(first.read_bytes()[:-3] + b"xxx")
    assert AnswerStore(tmp_path).get(key(1)) == {"ends": ["error" if swap else "stop"]}


def test_what_an_older_version_stored_for_an_answer_is_asked_again(tmp_path, server, say):
    request = Request((("user", "hello"),), ())
    choice = EngineChoice(type="openai", base_urls=[server.url], model="fake-vlm")
    broken = {"model": "fake-vlm", "texts": ["The lu"], "ends": ["error"], "tokens_in": 1, "tokens_out": 1}
    store = AnswerStore(tmp_path)
    store.put(request_digest(choice, request), {**broken, "tokens_cached": 0})
    store.close()
    for _ in range(2):
        engine = open_engine(choice, tmp_path)
        assert engine.submit(request).result().texts == ("fine",)
        engine.close()
    assert len(server.asked) == 1


def test_a_file_system_without_locks_stores_all_the_same(tmp_path, monkeypatch):
    def no_lock(file, how):
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr("synthesis.answers.fcntl.flock", no_lock)
    store = AnswerStore(tmp_path)
    assert store.put(key(1), record(1)) == store.get(key(1)) == record(1)
    store.close()


def test_a_full_disk_is_said_and_costs_no_earlier_answer(tmp_path, monkeypatch):
    store, write = AnswerStore(tmp_path), os.write
    store.put(key(1), record(1))
    monkeypatch.setattr("synthesis.answers.os.write", lambda file, data: write(file, data[: len(data) // 2]))
    with pytest.raises(UserError, match="no space left on device; make room and run again"):
        store.put(key(2), record(2))
    monkeypatch.undo()
    store.put(key(3), record(3))
    store.close()
    store = AnswerStore(tmp_path)
    assert [store.get(key(number)) for number in (1, 2, 3)] == [record(1), None, record(3)]


def test_a_store_that_is_deleted_meanwhile_is_said(tmp_path):
    store = AnswerStore(tmp_path / "answers")
    (tmp_path / "answers").rmdir()
    with pytest.raises(UserError, match="cannot be read"):
        store.get(key(1))
    with pytest.raises(UserError, match="cannot be written"):
        store.put(key(1), record(1))
