"""The vLLM that the pipeline starts itself, as a server and offline: shared, brought back, gone when not needed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import EngineChoice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.answers import HEADER
from synthesis.base import Answer, Request
from synthesis.channel import Channel
from synthesis.pipeline import check_engine, open_engine, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions
from synthesis.vllm_priority import NICENESS
from synthesis.vllm_server import VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]

COUNT = 400
COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (40, 60, 220), "black": (10, 10, 10)}
SAYS_COLOURS = {"mentions": []}
"""The tiny model says what colour a picture has, and never what is annotated."""
SPEC = DatasetSpec.model_validate(
    {
        "name": "smears", "title": "Smears", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "microscopy", "anatomy": "blood", "clinical_task": "diagnosis",
    }
)  # fmt: skip
SMALL = [
    "--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "64", "--kv-cache-memory-bytes", "64M",
    "--enforce-eager", "--no-enable-chunked-prefill",
]  # fmt: skip

CLIENT = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from test_vllm_managed import run
run(json.loads(sys.argv[2]), sys.argv[3], announce=True)
"""


def run(choice, answers, announce=False):
    """All rows of the run as (id, text) pairs, and how many requests went to the server."""
    rows = []
    with closing(open_engine(EngineChoice.model_validate(choice), answers)) as engine:
        tasks = [Unblinded(UnblindedOptions(style="short"))]
        for work in synthesise(works(), tasks, engine, Context(SPEC), SAYS_COLOURS):
            assert work.lost == []
            rows += [(row.id, row.messages[1].content) for row in work.rows]
            if announce and len(rows) == 80:
                print("going", flush=True)
        return rows, engine.counts.asked


def works(seed=3):
    import io
    from hashlib import sha256

    from PIL import Image

    from schemas.rendered import Rendered

    draw = random.Random(seed)
    view = View(source_width=90, source_height=90, width=90, height=90)
    for number in range(COUNT):
        name = draw.choice(list(COLOURS))
        side = draw.randint(40, 300)
        buffer = io.BytesIO()
        Image.new("RGB", (side, side), COLOURS[name]).save(buffer, "PNG")
        digest = sha256(buffer.getvalue()).hexdigest()
        image = Rendered(buffer.getvalue(), "image/png", side, side, (digest,), digest, digest)
        ref = ImageRef((f"{number}.png",), "image/png", view)
        case = Case("smears", f"{number}-{name}", None, "", images=(ref,), labels=(Label(f"cell {number}", "N"),))
        yield Work(case.key, case, pictures={ref: image})


def stored(folder):
    """Keys of all records in all segments, repetitions included."""
    keys = []
    for segment in folder.glob("*.seg"):
        data, at = segment.read_bytes(), 0
        while at + HEADER.size <= len(data):
            _, key, length, _ = HEADER.unpack_from(data, at)
            at += HEADER.size + length
            keys += [key] if at <= len(data) else []
    return keys


def runs(pid):
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


@pytest.fixture(scope="module", params=["server", "offline"])
def choice(request, vllm_python, tiny_model):
    options = {"python": str(vllm_python), "weights": str(tiny_model), "arguments": SMALL, "backoff_s": 0.1}
    options["mode"] = request.param
    return EngineChoice(type="vllm", model="colours", max_tokens=120, concurrency=16, options=options)


@pytest.fixture(scope="module")
def server(choice):
    """Our own lease, so that the server stays up between the tests."""
    lease = VllmServer(choice)
    lease.address()
    yield lease
    lease.close()


@pytest.fixture(scope="module")
def undisturbed(choice, server, tmp_path_factory):
    rows, asked = run(choice.model_dump(), tmp_path_factory.mktemp("undisturbed"))
    assert asked == COUNT
    assert len(rows) == 2 * COUNT
    return rows


def test_the_answers_are_about_their_pictures(undisturbed):
    names = [work.case_id.split("-")[1] for work in works()]
    assert [text for _, text in undisturbed[0::2]] == [f"The picture is {name}." for name in names]


def test_a_picture_that_several_requests_share_is_sent_once(choice, server, tmp_path, monkeypatch):
    """Four questions about each of three pictures, one after another: its bytes go with the first one only."""
    shown = [next(iter(work.pictures.values())) for work in islice(works(), 3)]
    names = [work.case_id.split("-")[1] for work in islice(works(), 3)]
    bodies = []
    complete = Channel.complete

    async def keep(channel, body):
        bodies.append(body)
        return await complete(channel, body)

    monkeypatch.setattr(Channel, "complete", keep)
    engine = open_engine(choice, tmp_path)
    for number in range(4):
        for name, picture in zip(names, shown, strict=True):
            answer = engine.submit(Request((("user", f"Describe picture {number}."),), (picture,))).result()
            assert isinstance(answer, Answer)
            assert answer.texts == (f"The picture is {name}.",)
    engine.close()
    assert [b"base64" in body for body in bodies] == [True] * 3 + [False] * 9


def test_pictures_that_requests_under_way_share_are_there_when_they_are_named(choice, server, tmp_path):
    """Four questions at a time about each picture: vLLM sends it to its engine with the first of them only."""
    cases = list(islice(works(seed=4), 100))
    names = [work.case_id.split("-")[1] for work in cases]
    with closing(open_engine(choice.model_copy(update={"concurrency": 64}), tmp_path)) as engine:
        asked = [
            engine.submit(Request((("user", f"Describe picture {turn}."),), tuple(work.pictures.values())))
            for work in cases
            for turn in range(4)
        ]
        said = [future.result().texts for future in asked]
        assert engine.counts.retries == 0
    assert said == [(f"The picture is {name}.",) for name in names for _ in range(4)]


def test_kill_9_of_the_client(choice, server, undisturbed, tmp_path, root):
    command = [sys.executable, "-c", CLIENT, str(root / "tests" / "synthesis"), choice.model_dump_json(), str(tmp_path)]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root)
    assert client.stdout is not None
    assert client.stdout.readline() == b"going\n"
    os.kill(client.pid, signal.SIGKILL)
    client.wait()
    client.stdout.close()
    before = len(stored(tmp_path))
    assert 40 <= before < COUNT
    rows, asked = run(choice.model_dump(), tmp_path)
    assert rows == undisturbed
    assert asked == COUNT - before, "what was answered is not asked again"
    assert len(stored(tmp_path)) == len(set(stored(tmp_path))) == COUNT


def test_kill_9_of_the_server(choice, server, undisturbed, tmp_path):
    first = server.pids()

    def kill():
        while len(stored(tmp_path)) < 60:
            time.sleep(0.02)
        os.killpg(first["server"], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    rows, asked = run(choice.model_dump(), tmp_path)
    killer.join()
    assert rows == undisturbed
    assert asked == COUNT
    assert len(stored(tmp_path)) == len(set(stored(tmp_path))) == COUNT
    assert server.pids()["server"] != first["server"]


def test_what_nobody_waits_for_any_more_is_not_written_on(choice, server, tmp_path):
    """The worker wrote to the end what its client had given up; asked again, it had the work twice and thrice.

    What is given up must cost the engine less than half of what one such answer costs.
    """
    options = {**choice.options, "retries": 0, "extra_body": {"ignore_eos": True, "min_tokens": 1500}}
    long = choice.model_copy(update={"max_tokens": 1500, "temperature": 1.0, "options": options})
    leader = server.pids()["server"]
    with closing(open_engine(long, tmp_path)) as engine:
        before = computed_s(leader)
        engine.submit(Request((("user", "Write."),), ())).result()
        one = computed_s(leader) - before
    with closing(open_engine(long.model_copy(update={"timeout_s": 0.2}), tmp_path)) as engine:
        asked = [engine.submit(Request((("user", f"Write {number}."),), ())) for number in range(12)]
        assert {future.result().code for future in asked} == {"timeout"}
    before = last = computed_s(leader)
    for _ in range(120):
        time.sleep(1)
        now = computed_s(leader)
        if now - last < 0.1:
            break
        last = now
    assert now - before < one / 2


def computed_s(leader):
    """Processor time that the processes which compute have taken so far."""
    found = [path for path in Path("/proc").glob("[0-9]*") if computes(path, leader)]
    fields = [(path / "stat").read_text().rpartition(")")[2].split() for path in found]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def test_a_picture_that_came_with_a_refused_request_is_there_for_the_next(choice, server, tmp_path):
    """vLLM prepares it and then refuses the text, which is too long: its engine never gets the picture."""
    (work,) = islice(works(seed=5), 1)
    pictures = tuple(work.pictures.values())
    with closing(open_engine(choice, tmp_path)) as engine:
        long = engine.submit(Request((("user", "word " * 5000),), pictures)).result()
        assert long.code == "refused_request"
        answer = engine.submit(Request((("user", "Describe."),), pictures)).result()
    assert answer.texts == (f"The picture is {work.case_id.split('-')[1]}.",)


def test_the_lease_outlives_a_cleaned_temporary_folder(choice, server, tmp_path):
    """A guard that starts after that looks at the new file, and would stop a server that is leased by the old one."""
    lease = VllmServer(choice)
    held = os.fstat(lease._lease.fileno()).st_ino
    (lease._folder / "lease").rename(tmp_path / "lease")
    try:
        lease.address()
        assert os.fstat(lease._lease.fileno()).st_ino == (lease._folder / "lease").stat().st_ino != held
    finally:
        (tmp_path / "lease").rename(lease._folder / "lease")
        lease.close()


def test_whoever_feeds_the_engine_goes_before_it(server):
    """On a CPU; the two processes that schedule and compute were told so with all their threads."""
    server.address()
    leader = server.pids()["server"]
    assert os.getpriority(os.PRIO_PROCESS, leader) == 0
    engine = [path for path in Path("/proc").glob("[0-9]*") if computes(path, leader)]
    assert len(engine) == 2
    for thread in (thread for path in engine for thread in (path / "task").iterdir()):
        assert os.getpriority(os.PRIO_PROCESS, int(thread.name)) == NICENESS


def computes(path, leader):
    try:
        return os.getsid(int(path.name)) == leader and b"VLLM::" in (path / "cmdline").read_bytes()
    except OSError:
        return False


def test_the_server_goes_when_nobody_needs_it(choice, server):
    assert VllmServer(choice).pids() == server.pids(), "a second client shares the server"
    pids = server.pids()
    server.close()
    end = time.monotonic() + 60
    while time.monotonic() < end and any(runs(pids[name]) for name in ("guard", "server")):
        time.sleep(0.2)
    assert not any(runs(pids[name]) for name in ("guard", "server"))


def test_a_server_that_cannot_start_is_said(choice, tmp_path):
    options = {**choice.options, "weights": str(tmp_path)}
    with pytest.raises(UserError, match=r"vLLM ended before it was up; .*vllm.log says why"):
        open_engine(choice.model_copy(update={"options": options}), tmp_path / "answers")


def test_a_missing_environment_is_said_before_anything_starts(choice):
    options = {**choice.options, "python": "/nowhere/python"}
    with pytest.raises(UserError, match="there is no vLLM environment at /nowhere/python; run `make vllm`"):
        check_engine(choice.model_copy(update={"options": options}))
