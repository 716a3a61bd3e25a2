"""What the machine refuses, and Ctrl-C: one sentence, and no traceback."""

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import typer
from PIL import Image

from flows.cli import command
from flows.failures import sentence, stoppable
from tests.flows.tiny import RECIPE, SPEC
from tests.prefect_server import BIN, medcurate


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/full/a.tar"), "/full/a.tar: the disk is full; make room"),
        (OSError(errno.EFBIG, "File too large"), "the file would be larger than may be written here"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), "/root/x: this user may not do that there"),
        (OSError("the library said something"), "the library said something"),
    ],
)
def test_an_error_of_the_machine_is_a_sentence_with_its_cure(error: OSError, words: str) -> None:
    assert sentence(error).startswith(words)


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 1, "medcurate: the disk is full"),
        (KeyboardInterrupt(), 130, "medcurate: stopped; the same command goes on from there"),
    ],
)
def test_a_command_that_the_machine_stops_says_so(
    raised: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped() -> None:
        raise raised

    monkeypatch.setattr("flows.cli.app", typer.Typer())
    with pytest.raises(typer.Exit) as ended:
        command(stopped)()
    assert ended.value.exit_code == code
    assert capsys.readouterr().err.startswith(words)


def test_after_ctrl_c_whatever_breaks_is_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise ConnectionError("the server is gone too") from None
    with pytest.raises(ConnectionError), stoppable():
        raise ConnectionError("the server is gone by itself")


def test_a_run_that_is_stopped_says_so_and_goes_on(prefect_env: dict[str, str], tmp_path: Path) -> None:
    for index in range(60):
        (tmp_path / "data" / "normal").mkdir(parents=True, exist_ok=True)
        Image.effect_noise((64 + index, 64), 60).save(tmp_path / "data" / "normal" / f"{index}.png")
    (tmp_path / "tiny.yaml").write_text(SPEC)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    command = [BIN / "medcurate", "run", tmp_path / "recipe.yaml", "--workers", "1"]
    stage = tmp_path / "store" / ".work" / "tiny-1.0.0" / "stage"
    with (tmp_path / "said").open("w") as said:
        # A session of its own: what a terminal sends goes to workers and to a server of Prefect as well.
        run = subprocess.Popen(command, env=prefect_env, stdout=said, stderr=said, start_new_session=True)
        while run.poll() is None and not stage.exists():
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(90) == 130
    said_text = (tmp_path / "said").read_text()
    assert said_text.splitlines()[-1] == "medcurate: stopped; the same command goes on from there"
    assert "Traceback" not in said_text
    done = medcurate("run", tmp_path / "recipe.yaml", "--json", env=prefect_env)
    assert done.returncode == 0, done.stderr


def test_a_place_that_cannot_be_written_is_named() -> None:
    done = medcurate("check-converter", "count", "--golden", "/proc/none/x", "--update", env=dict(os.environ))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "/proc/none: there is no such file or folder" in done.stderr
