"""The recipes of the field's systems that need a model: their tasks and checks open and ask about the phantoms."""

from pathlib import Path

import pytest

from flows.making import open_converter
from flows.phantoms import build_hospital
from readers.base import Refusal, open_reader
from schemas.context import Context
from schemas.recipe import load_recipe
from schemas.spec import load_spec
from schemas.work import Work
from schemas.yaml_file import validate
from synthesis.asking import abouts
from synthesis.base import Answer, Failure
from synthesis.chain import Chain
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.pipeline import open_tasks

FOLDER = Path(__file__).resolve().parents[2] / "recipes" / "systems"
RECIPES = [path for path in sorted(FOLDER.glob("*.yaml")) if load_recipe(path).synthesis is not None]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    build_hospital(folder, 7)
    environment = pytest.MonkeyPatch()
    environment.setenv("MEDCURATE_DEMO", str(folder))
    yield folder
    environment.undo()


def test_the_systems_that_need_a_model_are_there():
    assert {path.stem for path in RECIPES} >= {
        "adamllm", "bimedix2", "lingshu", "llava-med", "m3d-reports", "meddr", "medtrinity", "medvlsynther", "mmpr",
        "pubmedvision", "unimed-captions", "xraygpt",
    }  # fmt: skip


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_task_asks_about_the_phantoms(path, hospital, picture):
    recipe = load_recipe(path)
    validate(CheckOptions, recipe.synthesis.checks, path.name)
    for choice in recipe.datasets:
        spec = load_spec(Path(choice.spec))
        reader = open_reader(spec)
        items = [item for item in reader.items() if not isinstance(item, Refusal)][:4]
        context = Context(spec, recipe.seed, recipe.language)
        chosen = recipe.converters if choice.converters is None else choice.converters
        converters = [open_converter(one) for one in chosen]
        for task in open_tasks(recipe.synthesis.tasks):
            asked = 0
            for case in map(reader.read, items):
                pictures = dict.fromkeys(case.images, picture())
                if isinstance(task, Chain):
                    rows = [row for part in converters for row in part.convert(case, context)]
                    work = Work(case.key, case, rows=rows, pictures=pictures)
                    for about in abouts(task, work, context, RowChecker(CheckOptions(), context)):
                        asked += sum(1 for _ in task.start(about))
                    continue
                for row_id, request in task.prompt(case, pictures, context):
                    asked += 1
                    assert request.messages
                    said = task.parse(row_id, Answer(("{}",), "d" * 32, "m", "", "{}", False), case, context)
                    assert isinstance(said, Failure)
            assert asked > 0, task.name
