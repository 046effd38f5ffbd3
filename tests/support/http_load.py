"""Many clients at once against one HTTP server: each keeps its connection and asks again once it has its answer."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass
class LoadResult:
    """What the clients saw: seconds of every answer with status 200, and everything else by what it was."""

    seconds: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def failed(self, what: str) -> None:
        self.failures[what] = self.failures.get(what, 0) + 1

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def _client(host: str, port: int, requests: Iterator[bytes], until: float, result: LoadResult) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while time.monotonic() < until:
            started = time.monotonic()
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            body = await reader.readexactly(length)
            status = head.split(b" ", 2)[1]
            if status == b"200" and body.startswith(b"{"):
                result.seconds.append(time.monotonic() - started)
            else:
                result.failed(f"{status.decode()} {body[:80]!r}")
    except (OSError, EOFError) as error:
        result.failed(type(error).__name__)
    finally:
        writer.close()


def run_clients(
    host: str, port: int, paths: Sequence[str], headers: dict[str, str], clients: int, seconds: float
) -> LoadResult:
    """Lets the clients ask for the paths in turn for so many seconds."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = itertools.cycle([f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode() for path in paths])
    result, until = LoadResult(), time.monotonic() + seconds

    async def all_clients() -> None:
        await asyncio.wait_for(
            asyncio.gather(*(_client(host, port, requests, until, result) for _ in range(clients))), seconds + 60
        )

    asyncio.run(all_clients())
    return result
