"""``medcurate deploy``: a deployment on a Prefect server, which a worker of its pool picks up and runs."""

import asyncio
from pathlib import Path

from schemas.errors import UserError
from schemas.recipe import load_recipe

ENTRYPOINT = "flows/release_flow.py:release_flow"


def register(recipe: Path, *, cron: str, name: str, pool: str, workers: int) -> str:
    """Register the flow for ``recipe``; returns a sentence with the command that starts a worker."""
    recipe = recipe.resolve()
    chosen = load_recipe(recipe)
    from flows import prefect_settings

    prefect_settings.apply()
    address = _server_address()
    asyncio.run(_ensure_pool(pool, address))
    deployment = name or chosen.name
    _deploy(deployment, pool, cron, {"recipe": str(recipe), "workers": workers})
    when = f"on {cron!r}" if cron else "when asked"
    return (
        f"registered medcurate/{deployment}, to run {when}; "
        f"start a worker with: PREFECT_API_URL={address} prefect worker start --pool {pool}"
    )


def _server_address() -> str:
    from prefect.settings import PREFECT_API_URL

    address = PREFECT_API_URL.value()
    if not address:
        raise UserError(
            "a deployment needs a Prefect server that stays: start one with `prefect server start` "
            "and set PREFECT_API_URL=http://127.0.0.1:4200/api"
        )
    return str(address)


async def _ensure_pool(pool: str, address: str) -> None:
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound

    try:
        async with get_client() as client:
            try:
                found = await client.read_work_pool(pool)
            except ObjectNotFound:
                await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
                return
    except (httpx.HTTPError, RuntimeError, OSError):
        raise UserError(f"no Prefect server answers at {address}; start it, or mend PREFECT_API_URL") from None
    if found.type != "process":
        raise UserError(f"the work pool {pool!r} is of type {found.type}; name one of type process, or a new one")


def _deploy(name: str, pool: str, cron: str, parameters: dict[str, object]) -> None:
    from prefect import flow

    root = Path(__file__).resolve().parent.parent
    source = flow.from_source(source=str(root), entrypoint=ENTRYPOINT)
    try:
        source.deploy(  # type: ignore[union-attr]
            name=name,
            work_pool_name=pool,
            cron=cron or None,
            parameters=parameters,
            tags=["medcurate"],
            job_variables={"working_dir": str(Path.cwd())},
            print_next_steps=False,
            ignore_warnings=True,
        )
    except ValueError as error:
        raise UserError(f"the deployment was refused: {error}; --cron takes five fields, such as '0 2 * * *'") from None
