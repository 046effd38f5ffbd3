"""Starts the stand-in: `python -m tests.standin.server PORT LOGFOLDER`. It listens on 127.0.0.1 only."""

from __future__ import annotations

import os
import pathlib
import sys


def configure(port: str) -> None:
    """Environment that must stand before moto is imported."""
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_EC2_METADATA_DISABLED="true",
        MOTO_PORT=port,
    )


def apply_patches(logs: pathlib.Path) -> None:
    """All patches, in the one order that works."""
    from tests.standin import patches_events, patches_jobs, patches_terraform

    patches_events.e2_sync_tasks()
    for patch in patches_terraform.PATCHES:
        patch()
    patches_events.e1_functions()
    patches_events.e1_pollers()
    patches_events.e3_rules()
    patches_jobs.e4_jobs(logs)
    patches_events.e5_alarms()
    patches_events.e6_plain_http()
    patches_events.e7_failures_in_maps()

    from moto.core.config import default_user_config

    default_user_config["stepfunctions"]["execute_state_machine"] = True


def main(port: str, logs: pathlib.Path) -> None:
    """Runs until it is ended."""
    configure(port)
    logs.mkdir(parents=True, exist_ok=True)
    apply_patches(logs)
    from moto.server import main as serve

    serve(["-H", "127.0.0.1", "-p", port])


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
