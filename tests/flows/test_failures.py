"""What the machine refuses, and Ctrl-C: one sentence, and no traceback."""

import errno
import os

import pytest
import typer

from flows.cli import command
from flows.failures import sentence
from tests.prefect_server import medcurate


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


def test_a_place_that_cannot_be_written_is_named() -> None:
    done = medcurate("check-converter", "count", "--golden", "/proc/none/x", "--update", env=dict(os.environ))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "/proc/none: there is no such file or folder" in done.stderr
