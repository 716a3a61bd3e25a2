"""The answer store at an fsspec address: machines share it, and what a killed process could not send is sent later."""

import subprocess
import sys

import fsspec
import pytest

from schemas.errors import UserError
from schemas.identity import digest
from schemas.recipe import EngineChoice
from synthesis.accounting import spent
from synthesis.answers import AnswerStore
from synthesis.base import Request
from synthesis.pipeline import open_engine
from synthesis.remote_folder import local_folder
from tests.s3_server import s3_bucket

KEYS = [digest("key", str(number)) for number in range(4)]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Switches to another machine's local folder."""

    def switch(name):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))

    switch("a")
    return switch


@pytest.fixture(scope="module")
def bucket():
    """The address of a bucket on a real S3 server."""
    with s3_bucket("answers") as address:
        yield address


@pytest.fixture(params=["memory", "file", "s3"])
def address(request, tmp_path):
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"
    if request.param == "file":
        return f"file://{tmp_path}/store"
    files = fsspec.filesystem("memory")
    files.store.clear()
    return "memory://bucket/answers"


def test_another_machine_reads_what_this_one_wrote(address, machine):
    store = AnswerStore(address)
    store.put(KEYS[0], {"n": 0})
    store.close()
    machine("b")
    other = AnswerStore(address)
    assert other.get(KEYS[0]) == {"n": 0}
    other.put(KEYS[1], {"n": 1})
    other.close()
    machine("a")
    again = AnswerStore(address)
    assert [again.get(key) for key in KEYS[:3]] == [{"n": 0}, {"n": 1}, None]
    again.close()


def test_it_is_sent_as_it_grows(address, machine):
    store = AnswerStore(address)
    for number in range(3):
        store.put(KEYS[number], {"n": number})
        store.send()
        machine("b")
        assert AnswerStore(address).get(KEYS[number]) == {"n": number}
        machine("a")
    store.close()


def test_what_a_killed_process_left_behind_is_sent_by_the_next(address, machine):
    store = AnswerStore(address)
    store.put(KEYS[0], {"n": 0})
    del store
    AnswerStore(address).close()
    machine("b")
    assert AnswerStore(address).get(KEYS[0]) == {"n": 0}


def test_a_process_sends_its_own_files_only(address, machine):
    """What another living process writes is sent by itself: a copy of ours could be older than what it has sent."""
    store = AnswerStore(address)
    store.put(KEYS[0], {"n": 0})
    writer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    foreign = store.folder / f"{writer.pid}-0123456789ab.seg"
    foreign.write_bytes((store.folder / f"{store.token}.seg").read_bytes())
    store.send()
    AnswerStore(address).close()
    assert list(there(address)) == [f"{store.token}.seg"]
    writer.communicate(b"\n")
    AnswerStore(address).close()
    assert sorted(there(address)) == sorted([f"{store.token}.seg", foreign.name])
    store.close()


def there(address):
    """Name and size of every segment at the address."""
    files, root = fsspec.core.url_to_fs(address)
    files.invalidate_cache()
    return {path.rpartition("/")[2]: files.size(path) for path in files.find(root) if path.endswith(".seg")}


def test_a_long_segment_is_sent_once_and_followed_by_another(address, machine, monkeypatch):
    monkeypatch.setattr("synthesis.answers.LONG_SEGMENT", 100)
    store = AnswerStore(address)
    for number in range(3):
        store.put(KEYS[number], {"n": number, "texts": ["x" * 100]})
        store.send()
    assert len(set(there(address).values())) == 1, "each of the three segments holds one answer"
    assert len(there(address)) == 3
    store.put(KEYS[3], {"n": 3})
    assert [store.get(key)["n"] for key in KEYS] == [0, 1, 2, 3]
    store.close()
    machine("b")
    other = AnswerStore(address)
    assert [other.get(key)["n"] for key in KEYS] == [0, 1, 2, 3]
    other.close()


def test_an_engine_over_an_address(address, machine, server):
    choice = EngineChoice(type="openai", base_urls=[server.url])
    request = Request((("user", "hello"),), ())
    for name in ("a", "b"):
        machine(name)
        engine = open_engine(choice, address)
        assert engine.submit(request).result().texts == ("fine",)
        engine.close()
    assert len(server.asked) == 1
    assert spent(address).asked == 1


def test_a_plain_folder_is_its_own_local_folder(tmp_path):
    assert local_folder(tmp_path) == tmp_path


def test_an_address_that_cannot_be_is_said(machine):
    with pytest.raises(UserError, match="the answer store nowhere://x cannot be read"):
        AnswerStore("nowhere://x")


def test_a_segment_that_is_fetched_again_is_read_by_who_had_it_open(address, machine, tmp_path):
    """A process that opens the store replaces the copies; to the others the old file stayed open, and they died."""
    writer = AnswerStore(address)
    writer.put(KEYS[0], {"n": 0})
    writer.send()
    machine("b")
    early = AnswerStore(address)
    assert early.get(KEYS[0]) == {"n": 0}
    machine("a")
    writer.put(KEYS[1], {"n": 1})
    writer.send()
    machine("b")
    late = AnswerStore(address)
    assert [early.get(KEYS[0]), early.get(KEYS[1]), early.get(KEYS[2])] == [{"n": 0}, {"n": 1}, None]
    for store in (late, early, writer):
        store.close()


class Odd(Exception):
    """What a file system may raise that is no OSError, as botocore's are."""


@pytest.mark.parametrize("error", [OSError("reset"), Odd("no answer")], ids=["OSError", "its own"])
def test_an_address_that_fails_now_and_then_is_tried_again(error, machine, monkeypatch):
    monkeypatch.setattr("synthesis.remote_folder.PAUSE_S", 0.01)
    files = fsspec.filesystem("memory")
    files.store.clear()
    failing, pipe, find = [error, error], files.pipe_file, files.find

    def now_and_then(real):
        def call(*args, **kwargs):
            if failing:
                raise failing.pop()
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(type(files), "pipe_file", staticmethod(now_and_then(pipe)))
    monkeypatch.setattr(type(files), "find", staticmethod(now_and_then(find)))
    store = AnswerStore("memory://bucket/answers")
    store.put(KEYS[0], {"n": 0})
    store.send()
    failing.extend([error] * 2)
    store.put(KEYS[1], {"n": 1})
    store.close()
    machine("b")
    failing.extend([error] * 2)
    assert AnswerStore("memory://bucket/answers").get(KEYS[1]) == {"n": 1}
    failing.extend([error] * 9)
    with pytest.raises(UserError, match="cannot be read"):
        AnswerStore("memory://bucket/answers")
