"""Fetching over a real HTTP server: resumed where it broke off, checked, never outside the root."""

import hashlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flows.fetch import BLOCK, fetch
from flows.progress import Step, listen
from schemas.errors import ReleaseError, UserError
from tests.s3_server import s3_bucket

DATA = bytes(range(256)) * 20_000
"""5 MB, so that a fetch takes several requests."""


class Server(ThreadingHTTPServer):
    ranges = True
    dies_after: int | None = None
    """Bytes of the file after which every answer breaks off."""
    waits_at: int | None = None
    """First byte of a request that is not answered."""
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        asked = self.headers.get("Range") if self.server.ranges else None
        if self.path != "/data.bin":
            self.send_error(404)
            return
        match = re.match(r"bytes=(\d+)-(\d*)", asked or "")
        first = int(match[1]) if match else 0
        last = min(int(match[2]), len(DATA) - 1) if match and match[2] else len(DATA) - 1
        if body:
            self.server.asked.append(asked or "all")
            if first == self.server.waits_at:
                time.sleep(60)
        self.send_response(206 if match else 200)
        if self.server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if match:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(DATA)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if body:
            end = last + 1 if self.server.dies_after is None else min(last + 1, max(self.server.dies_after, first))
            self.wfile.write(DATA[first:end])
            self.close_connection = end < last + 1


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def _spec(folder: Path, url: str, sha256: str = "", path: str = "sub/data.bin") -> Path:
    spec = folder / "spec.yaml"
    spec.write_text(f"""\
name: remote
title: Remote
license: CC0-1.0
access: open
root: data
files: [{{url: "{url}", path: "{path}", sha256: "{sha256}"}}]
reader: {{type: files}}
modality: X-ray
anatomy: chest
clinical_task: disease diagnosis
""")
    return spec


def _url(server: Server, name: str = "data.bin") -> str:
    return f"http://127.0.0.1:{server.server_port}/{name}"


SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize("ranges", [True, False])
def test_fetched_once_and_left_alone_then(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.ranges = ranges
    spec = _spec(tmp_path, _url(server), SHA256)
    assert [line["state"] for line in fetch(spec)] == ["fetched"]
    assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA
    asked = len(server.asked)
    assert [line["state"] for line in fetch(spec)] == ["here"]
    assert len(server.asked) == asked


@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_is_resumed(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.ranges = ranges
    (tmp_path / "data" / "sub").mkdir(parents=True)
    have = 4_000_000
    (tmp_path / "data" / "sub" / "data.bin.part").write_bytes(DATA[:have])
    fetch(_spec(tmp_path, _url(server), SHA256))
    assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA
    starts = [int(re.match(r"bytes=(\d+)", asked)[1]) for asked in server.asked if asked != "all"]
    assert not ranges or min(starts) >= have, "what was here already was fetched again"


def test_another_content_than_the_spec_says_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="not 0000"):
        fetch(_spec(tmp_path, _url(server), "0" * 64))
    assert list((tmp_path / "data").rglob("data.bin*")) == []


def test_nothing_there_and_nobody_there_are_sentences(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="there is nothing at"):
        fetch(_spec(tmp_path, _url(server, "other.bin")))
    with pytest.raises(ReleaseError, match="nobody answers there"):
        fetch(_spec(tmp_path, "http://127.0.0.1:9/x"))


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../b"])
def test_nothing_is_written_outside_the_root(server: Server, tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match="below the spec's root"):
        fetch(_spec(tmp_path, _url(server), path=path))


def test_any_fsspec_address_will_do(tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(DATA)
    fetch(_spec(tmp_path, source.as_uri(), SHA256))
    assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA


def test_a_server_that_dies_in_the_middle_is_gone_on_from_there(server: Server, tmp_path: Path) -> None:
    server.dies_after = 4_500_000
    spec = _spec(tmp_path, _url(server), SHA256)
    with pytest.raises(ReleaseError, match="run the same command again"):
        fetch(spec)
    part = tmp_path / "data" / "sub" / "data.bin.part"
    have = part.stat().st_size
    assert 0 < have < len(DATA)
    assert part.read_bytes() == DATA[:have]
    server.dies_after, server.asked = None, []
    assert [line["state"] for line in fetch(spec)] == ["fetched"]
    assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA
    assert min(int(asked.split("=")[1].split("-")[0]) for asked in server.asked if asked != "all") >= have


def test_a_part_of_another_file_is_found_by_its_digest_and_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "data" / "sub" / "data.bin.part").write_bytes(b"another file" * 1000)
    spec = _spec(tmp_path, _url(server), SHA256)
    with pytest.raises(ReleaseError, match="has sha256"):
        fetch(spec)
    assert [line["state"] for line in fetch(spec)] == ["fetched"]


def test_a_part_that_is_longer_than_the_file_is_begun_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "data" / "sub" / "data.bin.part").write_bytes(DATA + b"more")
    spec = _spec(tmp_path, _url(server), SHA256)
    for _ in range(2):
        try:
            fetch(spec)
        except ReleaseError as error:
            assert "sha256" in str(error)
    assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA


def test_a_whole_file_that_was_damaged_since_is_fetched_again(server: Server, tmp_path: Path) -> None:
    spec = _spec(tmp_path, _url(server), SHA256)
    fetch(spec)
    target = tmp_path / "data" / "sub" / "data.bin"
    target.write_bytes(DATA[:-1] + b"?")
    assert [line["state"] for line in fetch(spec)] == ["fetched"]
    assert target.read_bytes() == DATA


def test_from_s3_and_resumed_there(tmp_path: Path) -> None:
    from s3fs import S3FileSystem

    with s3_bucket("fetched") as address:
        S3FileSystem().pipe_file(f"{address}/data.bin", DATA)
        (tmp_path / "data" / "sub").mkdir(parents=True)
        (tmp_path / "data" / "sub" / "data.bin.part").write_bytes(DATA[:1_000_000])
        fetch(_spec(tmp_path, f"{address}/data.bin", SHA256))
        assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA


def test_a_fetch_that_is_killed_goes_on_from_its_last_block(server: Server, tmp_path: Path) -> None:
    spec = _spec(tmp_path, _url(server), SHA256)
    server.waits_at = BLOCK
    code = "import sys; from pathlib import Path; from flows.fetch import fetch; fetch(Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", code, str(spec)], cwd=Path(__file__).parents[2]) as process:
        part = tmp_path / "data" / "sub" / "data.bin.part"
        while len(server.asked) < 2 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert part.stat().st_size == BLOCK
    server.waits_at, server.asked = None, []
    assert [line["state"] for line in fetch(spec)] == ["fetched"]
    assert server.asked[0].startswith(f"bytes={BLOCK}-")
    assert (tmp_path / "data" / "sub" / "data.bin").read_bytes() == DATA


def test_progress_is_told_in_bytes(server: Server, tmp_path: Path) -> None:
    heard: list[Step] = []
    listen(heard.append)
    fetch(_spec(tmp_path, _url(server), SHA256))
    assert [(step.phase, step.done, step.total) for step in heard] == [
        ("fetching data.bin", 4, 5),
        ("fetching data.bin", 5, 5),
    ]
