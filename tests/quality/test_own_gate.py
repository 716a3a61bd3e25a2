"""The example package in docs/: installed as a user would, then found by name in a recipe's gates."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from schemas.case import Acquisition, Case
from schemas.context import Context
from schemas.instruction import Instruction, Message, Provenance
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.work import Work
from quality.row_gates import gate, open_gates

spec = DatasetSpec(name="knees", title="Knees", license="CC0-1.0", access="open", reader=ReaderChoice(type="files"),
                   modality="x-ray", anatomy="knee", clinical_task="diagnosis")
case = Case("knees", "1", None, "", acquisition=Acquisition(laterality="left"))
def row(number, reply):
    turns = (Message("user", "Which knee is it?"), Message("assistant", reply))
    return Instruction(str(number), "text", turns, Provenance("own"))
assert "one_side" not in [one.name for one in open_gates({})]
assert open_gates({"one_side": {"enabled": False}})[-1].name != "one_side"
work = Work("1", case, rows=[row(1, "The left knee."), row(2, "It is the right knee.")])
[done] = gate([work], open_gates({"one_side": {}}), Context(spec))
print([one.id for one in done.rows], [(one.id, drop.reason) for one, drop in done.refused])
"""


def test_the_example_package_is_installed_and_runs(root: Path, tmp_path: Path) -> None:
    source = tmp_path / "own_gate"
    source.mkdir()
    for file in (root / "docs/examples/own_gate").iterdir():
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", target, source],
        check=True, capture_output=True,
    )  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['1'] [('2', 'side_contradicts')]"
