"""Many workers, events repeated and in random order: each set starts once, and only when it is complete."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.services.arrivals.world import World, make_world
from tests.support.servers import dynalite, moto_server

SETS, EVENTS, WORKERS = 100, 1000, 16
COMPLETE = 90


@pytest.mark.standin
def test_a_thousand_events_for_a_hundred_sets_start_each_complete_set_once() -> None:
    days = [f"2024{month:02d}{day:02d}" for month in range(1, 5) for day in range(1, 26)]
    shuffle = random.Random(20240229)
    with moto_server() as aws, dynalite() as dynamo:
        world = make_world(aws, dynamo, "crowd")
        # The last ten sets never get their items.
        files = [
            world.put(f"customer_orders/{name}_{day}.csv")
            for at, day in enumerate(days)
            for name in ("customers", "orders", "items")
            if name != "items" or at < COMPLETE
        ]
        events = files + shuffle.choices(files, k=EVENTS - len(files))
        shuffle.shuffle(events)
        with ThreadPoolExecutor(WORKERS) as crowd:
            answers = list(crowd.map(lambda event: _deliver(world, event), events))
        assert len(answers) == EVENTS
        assert len(days) == SETS
        names = world.started()
        assert [name.split("-")[1] for name in names] == days[:COMPLETE]
        assert {name.split("-")[2] for name in names} == {"r1"}
        for name in names:
            assert len(world.input_of(name)["steps"][0]["arguments"]) == 6


def _deliver(world: World, event: dict[str, object]) -> str:
    return world.arrivals.arrived(**event, sequencer="01")  # type: ignore[arg-type]
