"""Starts and ends the stand-in, and runs Terraform against it: `with standin() as aws: ...`."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.paths import ROOT
from tests.support.servers import Endpoint, server_process
from tools.postgres import free_port

TERRAFORM = ROOT / "terraform"


@contextlib.contextmanager
def standin(folder: pathlib.Path) -> Iterator[Endpoint]:
    """The stand-in in a process of its own, ended by its id. Its log is folder/server.log, the jobs' next to it."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    endpoint = Endpoint(f"http://127.0.0.1:{port}")
    paths = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "tests.standin.server", str(port), str(folder.resolve())]
    with server_process(command, f"{endpoint.url}/moto-api/data.json", folder, paths):
        yield endpoint


def plugin_mirror() -> str:
    """The folder with Terraform's provider on this machine, empty when there is none (see tools/terraform.sh)."""
    run = subprocess.run(["sh", "tools/terraform.sh", "plugins"], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


@dataclass(frozen=True)
class Terraform:
    """The repository's Terraform in a folder of its own, with its state there instead of in a bucket."""

    folder: pathlib.Path

    @classmethod
    def copy_to(cls, folder: pathlib.Path) -> Terraform:
        """Copies terraform/ and what it reads, so that nothing is left in the repository."""
        ignore = shutil.ignore_patterns(".terraform*", "*.tfstate*")
        shutil.copytree(TERRAFORM, folder / "terraform", ignore=ignore, dirs_exist_ok=True)
        certificates = "src/pipeline/sinks/postgres/rds-ca-rsa2048-g1.pem"
        (folder / certificates).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / certificates, folder / certificates)
        (folder / "terraform" / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        return cls(folder / "terraform")

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Runs a command of Terraform; another exit code than the accepted ones is an error with all it printed."""
        mirror = plugin_mirror()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {"AWS_EC2_METADATA_DISABLED": "true", "TF_IN_AUTOMATION": "true"}
        if mirror:
            environment["TF_CLI_CONFIG_FILE"] = os.devnull
        if arguments[0] == "init" and mirror:
            arguments = (*arguments, f"-plugin-dir={mirror}")
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in accept:
            raise RuntimeError(f"terraform {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-6000:]}")
        return done

    def outputs(self) -> dict[str, Any]:
        """The outputs by name."""
        import json

        output: Mapping[str, Any] = json.loads(self.run("output", "-json").stdout)
        return {name: item["value"] for name, item in output.items()}
