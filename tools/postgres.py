"""A private PostgreSQL on 127.0.0.1 in a folder of its own: for `make database` and for the tests.

Usage: python -m tools.postgres start|stop|status [--folder DIR] [--port N]

`start` writes DIR/environment, which a shell reads with `. DIR/environment`: DATABASE_URL, PGUSER, PGPASSWORD and the
API_KEY for `make api`. `stop` ends the server that DIR/data/postmaster.pid names, and no other.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

USER = "app"
DATABASE = "app"
# The account that Debian's packages make; PostgreSQL refuses to run as root.
_ACCOUNT = "postgres"


class PostgresError(Exception):
    """The server cannot be started; the message says what to do."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    folder: pathlib.Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        return f"postgresql://127.0.0.1:{self.port}/{DATABASE}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to connect."""
        return {"DATABASE_URL": self.url, "PGUSER": USER, "PGPASSWORD": self.password}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str) -> str:
    newest = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(name) or (str(newest[-1]) if newest else None)
    if found is None:
        raise PostgresError(f"there is no {name}: install PostgreSQL (Debian: apt-get install postgresql)")
    return found


def _run(folder: pathlib.Path, *command: str) -> None:
    """Runs a program of PostgreSQL, as its account where this process is root."""
    log = folder / "start.log"
    user = _ACCOUNT if os.getuid() == 0 else None
    with log.open("a") as out:
        done = subprocess.run(
            command, cwd=folder, user=user, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=120, check=False
        )
    if done.returncode:
        raise PostgresError(f"{pathlib.Path(command[0]).name} failed, see {log} and {folder / 'server.log'}")


def start(folder: pathlib.Path, port: int = 0, settings: tuple[str, ...] = ()) -> Server:
    """Starts the server of a folder, which is made on first use; `settings` are lines such as `max_connections=20`."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        try:
            account = pwd.getpwnam(_ACCOUNT)
        except KeyError:
            raise PostgresError(f"as root, PostgreSQL runs under the account {_ACCOUNT}, which is not there") from None
        os.chown(folder, account.pw_uid, account.pw_gid)
    password_file = folder / "password"
    if not password_file.exists():
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        if os.getuid() == 0:
            os.chown(password_file, account.pw_uid, account.pw_gid)
        initdb = (
            _program("initdb"),
            "-D",
            "data",
            "-U",
            USER,
            "--auth=scram-sha-256",
            "--pwfile=password",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )
        _run(folder, *initdb)
    server = Server(folder, port or free_port(), password_file.read_text())
    options = f"-h 127.0.0.1 -p {server.port} -k ''" + "".join(f" -c {line}" for line in settings)
    _run(folder, _program("pg_ctl"), "-D", "data", "-l", "server.log", "-o", options, "-w", "start")
    _create_database(server)
    return server


def _create_database(server: Server) -> None:
    import psycopg

    with psycopg.connect(
        f"{server.url.rpartition('/')[0]}/postgres", user=USER, password=server.password, autocommit=True
    ) as session:
        if session.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
            session.execute(f'CREATE DATABASE "{DATABASE}"')


def server_pid(folder: pathlib.Path) -> int | None:
    """The process of the folder's server, when it runs."""
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    # After a crash of the machine the file may name somebody else's process.
    shown = subprocess.run(("ps", "-o", "comm=", "-p", str(pid)), capture_output=True, text=True, check=False).stdout
    return pid if "postgres" in shown else None


def stop(folder: pathlib.Path, how: signal.Signals = signal.SIGINT, seconds: float = 30) -> bool:
    """Stops the folder's server and waits for its end; False when none ran. SIGQUIT stops it as a crash would."""
    pid = server_pid(folder)
    if pid is None:
        return False
    os.kill(pid, how)
    until = time.monotonic() + seconds
    while server_pid(folder) is not None:
        if time.monotonic() > until:
            raise PostgresError(f"process {pid} did not stop in {seconds:.0f} s")
        time.sleep(0.05)
    return True


def write_environment(server: Server) -> pathlib.Path:
    """The file for a shell; the API key in it stays the same from start to start."""
    key_file = server.folder / "api_key"
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_urlsafe(24))
    file = server.folder / "environment"
    file.touch(mode=0o600)
    pairs = {**server.environment, "API_KEY": key_file.read_text()}
    file.write_text("".join(f"export {name}='{value}'\n" for name, value in pairs.items()))
    return file


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.postgres", description=__doc__.partition("\n")[0])
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(".database"), help="default: .database")
    parser.add_argument("--port", type=int, default=5433, help="default: 5433")
    options = parser.parse_args(argv)
    folder = options.folder.resolve()
    try:
        if options.action == "stop":
            print("stopped" if stop(folder) else "was not running")
        elif server_pid(folder) is not None:
            print(f"runs; its settings: . {options.folder / 'environment'}")
        elif options.action == "status":
            print("does not run")
        else:
            server = start(folder, options.port)
            write_environment(server)
            print(f"PostgreSQL listens on 127.0.0.1:{server.port}; for this shell: . {options.folder / 'environment'}")
    except PostgresError as error:
        print(f"database: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
