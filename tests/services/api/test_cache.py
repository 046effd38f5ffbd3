"""The shared cache of the read API, on a real Valkey."""

from __future__ import annotations

import datetime
import ipaddress
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto import mock_aws

from services.api import cache as api_cache
from services.api.cache import CONNECT_SECONDS, READ_SECONDS, CacheServer, Mark, SharedCache
from services.api.errors import UnavailableError
from services.api.settings import CachePlace
from tests.support.servers import PrivateValkey, valkey_server

pytestmark = pytest.mark.standin


@pytest.fixture(scope="module")
def started() -> Iterator[PrivateValkey]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def valkey(started: PrivateValkey, monkeypatch: pytest.MonkeyPatch) -> PrivateValkey:
    monkeypatch.setenv("CACHE_PASSWORD", started.password)
    # Only tests of the limits themselves depend on how fast this machine is.
    for name in ("CONNECT_SECONDS", "READ_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(api_cache, name, 30.0)
    if started.process.poll() is not None:
        started.start()
    started.client().flushall()
    return started


@pytest.fixture
def real_limits(valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_cache, "CONNECT_SECONDS", CONNECT_SECONDS)
    monkeypatch.setattr(api_cache, "READ_SECONDS", READ_SECONDS)


def place(port: int, seconds: int = 300, tls: bool = False) -> CachePlace:
    return CachePlace("127.0.0.1", port, tls=tls, login=True, seconds=seconds)


def cache_of(port: int, seconds: int = 300, tls: bool = False) -> SharedCache:
    return SharedCache(CacheServer(place(port, seconds, tls)))


class Source:
    """Gives `answer 1`, `answer 2`, ... and counts."""

    def __init__(self, seconds: float = 0) -> None:
        self.loads, self._seconds, self._lock = 0, seconds, threading.Lock()

    def __call__(self) -> bytes:
        with self._lock:
            self.loads += 1
            mine = self.loads
        time.sleep(self._seconds)
        return b"answer %d" % mine


def timed(ask: Callable[[], bytes]) -> tuple[bytes, float]:
    started = time.monotonic()
    return ask(), time.monotonic() - started


def test_an_answer_is_loaded_once_and_kept_for_its_seconds(valkey: PrivateValkey) -> None:
    cache, source = cache_of(valkey.port, seconds=60), Source()
    assert [cache.get("k", source) for _ in range(3)] == [b"answer 1"] * 3
    assert cache_of(valkey.port).get("k", source) == b"answer 1", "another process finds it"
    assert cache.get("other", source) == b"answer 2"
    assert 55 <= valkey.client().ttl("k") <= 60
    assert sorted(valkey.client().keys()) == [b"k", b"other"], "no lock is left"


def test_an_answer_that_is_over_is_loaded_anew(valkey: PrivateValkey) -> None:
    cache, source = cache_of(valkey.port, seconds=1), Source()
    assert cache.get("k", source) == b"answer 1"
    until = time.monotonic() + 5
    while valkey.client().exists("k") and time.monotonic() < until:
        time.sleep(0.05)
    assert cache.get("k", source) == b"answer 2"


def test_of_200_that_want_one_answer_one_loads_it(valkey: PrivateValkey) -> None:
    source, together = Source(seconds=0.3), threading.Barrier(200)
    processes = [cache_of(valkey.port), cache_of(valkey.port)]

    def ask(number: int) -> bytes:
        together.wait(30)
        return processes[number % 2].get("k", source)

    with ThreadPoolExecutor(200) as pool:
        assert set(pool.map(ask, range(200))) == {b"answer 1"}
    assert source.loads == 1


def test_without_a_cache_too_one_of_a_process_loads_at_a_time(valkey: PrivateValkey) -> None:
    source, together = Source(seconds=2), threading.Barrier(50)
    cache = cache_of(1)  # nobody listens there

    def ask(_: int) -> bytes:
        together.wait(30)
        return cache.get("k", source)

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(ask, range(50))) == {b"answer 1"}
    assert source.loads == 1


def test_a_process_that_died_loading_is_not_waited_for_long(
    valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_cache, "WAIT_SECONDS", 0.1)
    valkey.client().set("k:lock", b"", px=5000)
    answer, seconds = timed(lambda: cache_of(valkey.port).get("k", Source()))
    assert answer == b"answer 1"
    assert 0.1 <= seconds < 4  # the lock is there for 5


def test_a_lock_is_given_back_when_the_answer_turns_up_before_it(valkey: PrivateValkey) -> None:
    class TooLate(CacheServer):
        def lock(self, key: str) -> bool:
            self.put(key, b"theirs")
            return super().lock(key)

    assert SharedCache(TooLate(place(valkey.port))).get("k", Source()) == b"theirs"
    assert valkey.client().keys() == [b"k"], "no lock is left"


def test_an_error_of_the_source_is_not_kept(valkey: PrivateValkey) -> None:
    cache, source = cache_of(valkey.port), Source()

    def fails() -> bytes:
        raise UnavailableError("the database does not answer")

    with pytest.raises(UnavailableError):
        cache.get("k", fails)
    assert valkey.client().keys() == []
    assert cache.get("k", source) == b"answer 1"


def test_when_the_server_is_killed_answers_go_on_and_when_it_is_back_it_is_used(
    valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_cache, "PAUSE_SECONDS", 3600.0)
    server, source = CacheServer(place(valkey.port)), Source()
    cache = SharedCache(server)
    assert cache.get("k", source) == b"answer 1"
    valkey.kill()
    assert cache.get("k", source) == b"answer 2"
    assert cache.get("k", source) == b"answer 3"
    valkey.start()
    assert cache.get("k", source) == b"answer 4", "it is left alone for a moment"
    server._closed_until = 0
    assert cache.get("k", source) == b"answer 5"
    assert cache.get("k", source) == b"answer 5"


@pytest.mark.usefixtures("real_limits")
def test_a_server_that_accepts_and_never_answers_costs_a_moment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_cache, "PAUSE_SECONDS", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache, source = cache_of(silent.getsockname()[1]), Source()
        answer, seconds = timed(lambda: cache.get("k", source))
        assert (answer, cache.get("k", source)) == (b"answer 1", b"answer 2")
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert 0.15 < seconds < 3


@pytest.mark.usefixtures("real_limits")
def test_a_server_that_stops_answering_in_the_middle_costs_a_moment_once(valkey: PrivateValkey) -> None:
    cache, source = cache_of(valkey.port), Source()
    assert cache.get("k", source) == b"answer 1"
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        answer, seconds = timed(lambda: cache.get("k", source))
    finally:
        valkey.process.send_signal(signal.SIGCONT)
    assert answer == b"answer 2"
    assert seconds < 3


def test_with_a_wrong_password_answers_go_on_and_the_log_does_not_have_it(
    valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CACHE_PASSWORD", "hunter2")
    server, source = CacheServer(place(valkey.port)), Source()
    cache = SharedCache(server)
    assert cache.get("k", source) == b"answer 1"
    assert [record.message for record in caplog.records] == [
        "cache: AuthenticationError: invalid username-password pair or user is disabled."
    ]
    monkeypatch.setenv("CACHE_PASSWORD", valkey.password)
    server._closed_until = 0
    assert cache.get("k", source) == b"answer 2"
    assert cache.get("k", source) == b"answer 2", "a changed password is read again"


def test_user_and_password_may_be_a_secret(valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("CACHE_PASSWORD")
    valkey.client().acl_setuser("read-api", enabled=True, reset_passwords=True, passwords=["+pw"], keys=["*"],
                                commands=["+get", "+set", "+del"])  # fmt: skip
    source = Source()
    with mock_aws():
        secrets = boto3.client("secretsmanager", region_name="eu-west-1")
        made = secrets.create_secret(Name="cache", SecretString='{"username": "read-api", "password": "pw"}')
        monkeypatch.setenv("CACHE_SECRET_ARN", made["ARN"])
        cache = cache_of(valkey.port)
        assert [cache.get("k", source), cache.get("k", source)] == [b"answer 1", b"answer 1"]


def test_a_secret_that_cannot_be_read_is_a_miss(
    valkey: PrivateValkey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("CACHE_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:absent-abcdef")
    with mock_aws():
        assert cache_of(valkey.port).get("k", Source()) == b"answer 1"
    assert "absent-abcdef cannot be read" in caplog.text


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cache")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "cache.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls_port(valkey: PrivateValkey, certificate: Path) -> Iterator[int]:
    """The server by TLS: connections are decrypted and passed on to it, one at a time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        while True:
            try:
                with (
                    context.wrap_socket(listener.accept()[0], server_side=True) as client,
                    socket.create_connection(("127.0.0.1", valkey.port)) as server,
                ):
                    while asked := client.recv(65536):
                        server.sendall(asked)
                        client.sendall(server.recv(65536))
            except ssl.SSLError:
                continue
            except OSError:
                if listener.fileno() == -1:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_by_tls_with_a_certificate_that_is_trusted(
    tls_port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    cache, source = cache_of(tls_port, tls=True), Source()
    assert [cache.get("k", source), cache.get("k", source)] == [b"answer 1", b"answer 1"]


def test_a_certificate_that_nobody_signed_is_refused(
    tls_port: int, valkey: PrivateValkey, caplog: pytest.LogCaptureFixture
) -> None:
    assert cache_of(tls_port, tls=True).get("k", Source()) == b"answer 1"
    assert "certificate verify failed" in caplog.text
    assert valkey.client().keys() == []


def test_a_certificate_of_another_host_is_refused(
    tls_port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    other = SharedCache(CacheServer(CachePlace("localhost", tls_port, tls=True, login=True)))
    assert other.get("k", Source()) == b"answer 1"
    assert "Hostname mismatch" in caplog.text


class Clock:
    """Both clocks, put forward by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = [100.0, 1_800_000_000.0]
        monkeypatch.setattr(api_cache, "_clocks", lambda: (self.now[0], self.now[1]))

    def forward(self, monotonic: float, wall: float | None = None) -> None:
        self.now[0] += monotonic
        self.now[1] += monotonic if wall is None else wall


def test_a_mark_is_asked_for_once_a_second_and_gone_by_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock(monkeypatch), []
    mark = Mark(lambda: asked.append(1) or f"load {len(asked)}")
    assert [mark.current(), mark.current()] == ["load 1", "load 1"]
    clock.forward(0.9)
    assert mark.current() == "load 1"
    clock.forward(0.1)
    assert mark.current() == "load 2"


def test_a_process_that_was_frozen_does_not_go_by_what_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock(monkeypatch), []
    mark = Mark(lambda: asked.append(1) or f"load {len(asked)}")
    assert mark.current() == "load 1"
    clock.forward(0.001, wall=60)
    assert mark.current() == "load 2"


def test_a_mark_that_took_longer_than_its_lease_is_not_gone_by(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert Mark(lambda: clock.forward(1.1) or "load 1").current() is None


def test_a_source_that_does_not_give_its_mark_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock(monkeypatch), []

    def ask() -> str:
        asked.append(1)
        raise UnavailableError("the database does not answer")

    mark = Mark(ask)
    assert [mark.current(), mark.current(), len(asked)] == [None, None, 1]
    clock.forward(1)
    assert [mark.current(), len(asked)] == [None, 2]
