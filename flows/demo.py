"""``medcurate demo``: a phantom hospital, the whole pipeline on it, and what came out."""

import os
import shutil
from pathlib import Path

from schemas.errors import UserError


def run_demo(folder: Path, workers: int) -> None:
    """Build the hospital under ``folder``, run ``recipes/demo.yaml`` on it and print the table and the release."""
    from rich.console import Console

    from flows.phantoms import build_hospital
    from flows.run_command import run_recipe

    console = Console(stderr=True)
    recipe = Path(__file__).resolve().parent.parent / "recipes" / "demo.yaml"
    if not recipe.is_file():
        raise UserError(f"there is no {recipe}; run the demo from a checkout of the repository")
    folder = folder.resolve()
    hospital, store = folder / "hospital", folder / "releases"
    console.print(f"making a phantom hospital in {hospital}")
    for old in (hospital, store):
        shutil.rmtree(old, ignore_errors=True)
    build_hospital(hospital, seed=7)
    os.environ["MEDCURATE_DEMO"] = str(hospital)
    result = run_recipe(recipe, workers=workers, store=str(store))
    print("look at it:   open", Path(result["release"]) / "report.html")
    print("check it:     medcurate verify", result["release"])
