"""Settings that Prefect must find in the environment before it is first imported."""

import os
from pathlib import Path

from schemas.errors import UserError

DEFAULTS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The first start migrates a new database: 25 s on two quiet cores, above Prefect's own limit of 20 s.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def apply() -> None:
    """Set what the user has not set: no telemetry, enough time for the embedded server's first start.

    Raises:
        UserError: Prefect would have no folder for its database, and would wait for its server until the limit above.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"Prefect keeps its database in {home}, which cannot be made ({error.strerror}); set HOME or PREFECT_HOME "
            "to a folder that you may write"
        ) from None
