"""``medcurate run``: the flow in this process, with progress and a closing table."""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from flows import prefect_settings, preflight
from flows.failures import stoppable
from schemas.errors import ReleaseError


def run_recipe(
    recipe: Path, *, workers: int = 0, store: str = "", keep_work: bool = False, as_json: bool = False
) -> dict[str, Any]:
    """Run one recipe and print what became of it; returns the flow's result."""
    preflight.load(recipe, store)  # a mistake is told before Prefect itself takes its seconds to start
    result = quietly(recipe, workers, store, keep_work)
    if as_json:
        json.dump(result, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
        sys.stdout.write("\n")
    else:
        from flows.show import print_totals

        print_totals(result["totals"])
        if result["model"]:
            print("model:  ", ", ".join(f"{name} {value:,}" for name, value in result["model"].items()))
        print(f"release: {result['release']}")
    return result


def quietly(recipe: Path, workers: int, store: str, keep_work: bool) -> dict[str, Any]:
    """Run the flow under progress bars; Prefect's own log lines would tear them, so only its crashes are shown."""
    from flows.show import Bars

    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    prefect_settings.apply()
    logging.getLogger("great_expectations").propagate = False
    with stoppable(), Bars() as bars:
        bars.say("starting Prefect (its database is made on the first run)")
        import httpx

        from flows.release_flow import make_runner

        run = make_runner(workers)
        try:
            result: dict[str, Any] = run(str(recipe), workers=workers, store=store, keep_work=keep_work)
        except httpx.HTTPError as error:  # nothing else in a run asks by httpx
            raise ReleaseError(
                f"Prefect's server failed ({type(error).__name__}); see whether the disk of "
                f"{os.environ.get('PREFECT_HOME', '~/.prefect')} is full or the machine out of memory, and start again"
            ) from error
    return result
