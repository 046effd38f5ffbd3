"""Files arrive in any order, repeated, late and wrong: what the arrivals function does with each."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from services.arrivals import function as arrivals
from services.arrivals.sets import comparable, read_rules
from tests.services.arrivals.world import SETS, World, make_world
from tests.support.servers import Endpoint, moto_server

DAY = "20240229"
CUSTOMERS, ORDERS, ITEMS = (f"customer_orders/{name}_{DAY}.csv" for name in ("customers", "orders", "items"))


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def world(server: Endpoint) -> World:
    return make_world(server, server, uuid.uuid4().hex[:8])


def test_a_key_belongs_to_an_input_and_a_day() -> None:
    rule = read_rules(json.dumps(SETS))[0]
    assert rule.match("customer_orders/items_20240229.csv") == ("items", "20240229")
    for ending in (".gz", ".GZ", ".zst", ".bz2"):
        assert rule.match(f"customer_orders/items_20240229.csv{ending}") == ("items", "20240229")
    assert rule.match("customer_orders/items_2024022.csv") is None
    assert rule.match("customer_orders/items_20240229.csv.old") is None
    assert rule.match("other/customer_orders/items_20240229.csv") is None


def test_sequencers_of_different_lengths_compare_when_padded() -> None:
    assert comparable("0055AED6DCD90281E5") < comparable("0055AED6DCD90281E6")
    assert comparable("0055AED6DCD90281E5") < comparable("0055AED6DCD90281E50A")


def test_a_set_starts_when_its_last_file_is_there(world: World) -> None:
    assert world.arrive(ITEMS) == f"customer_orders/{DAY} waits for {CUSTOMERS}, {ORDERS}"
    assert world.arrive(CUSTOMERS) == f"customer_orders/{DAY} waits for {ORDERS}"
    assert world.started() == []
    assert world.arrive(ORDERS).startswith(f"started customer_orders-{DAY}-r1-")
    [name] = world.started()
    assert world.input_of(name) == {
        "set": "customer_orders/20240229",
        "revision": "1",
        "steps": [
            {
                "job": "dev-customer_orders",
                "arguments": {
                    "--customers": f"s3://incoming/{CUSTOMERS}",
                    "--items": f"s3://incoming/{ITEMS}",
                    "--orders": f"s3://incoming/{ORDERS}",
                    "--destination": "s3://results/customer_orders/20240229",
                    "--run-id": name,
                    "--max-rejected": "1%",
                },
            },
            {
                "job": "dev-explode_json",
                "arguments": {
                    "--destination": "s3://results/explode_json/customer_orders/20240229",
                    "--run-id": name,
                    "--source": "s3://results/customer_orders/20240229/customer_messages.jsonl",
                },
            },
        ],
    }


def test_the_same_event_repeated_changes_nothing(world: World) -> None:
    events = [world.put(key) for key in (CUSTOMERS, ORDERS, ITEMS)]
    for event in [*events, *reversed(events)]:
        world.arrivals.arrived(**event, sequencer="01")
    assert len(world.started()) == 1


def test_a_new_version_of_a_file_makes_a_new_revision(world: World) -> None:
    for key in (CUSTOMERS, ORDERS, ITEMS):
        world.arrive(key)
    world.arrive(ITEMS, sequencer="02", body=b"mended")
    assert [name.rsplit("-", 1)[0] for name in world.started()] == [
        f"customer_orders-{DAY}-r1",
        f"customer_orders-{DAY}-r2",
    ]


def test_an_event_of_an_older_version_that_comes_late_is_left_out(world: World) -> None:
    old = world.put(ITEMS, b"old")
    for key in (ITEMS, CUSTOMERS, ORDERS):
        world.arrive(key, sequencer="02")
    assert world.arrivals.arrived(**old, sequencer="01").startswith("known; ")
    assert len(world.started()) == 1


def test_a_worker_that_died_between_claim_and_start_is_made_up_for(world: World) -> None:
    for key in (CUSTOMERS, ORDERS, ITEMS):
        event = world.put(key)
        rule = world.arrivals.settings.rules[0]
        input_, day = rule.match(key) or ("", "")
        from services.arrivals.sets import Arrival, fingerprint

        world.arrivals.store.record(f"customer_orders/{day}", input_, Arrival(key, event["version"], 5, "01"), 0)
    state = world.arrivals.store.read(f"customer_orders/{DAY}")
    assert world.arrivals.store.claim(f"customer_orders/{DAY}", state, fingerprint(state.files))
    assert world.started() == []
    assert world.arrivals.arrived(**event, sequencer="01").startswith(f"known; started customer_orders-{DAY}-r1-")
    assert len(world.started()) == 1


def test_a_claim_fails_when_a_file_changed_meanwhile(world: World) -> None:
    for key in (CUSTOMERS, ORDERS):
        world.arrive(key)
    store, id_ = world.arrivals.store, f"customer_orders/{DAY}"
    before = store.read(id_)
    world.arrive(CUSTOMERS, sequencer="02")
    assert not store.claim(id_, before, "whatever")


def test_a_missing_file_is_named_at_the_hour_and_reported_once(world: World) -> None:
    world.arrive(CUSTOMERS)
    world.arrive(ORDERS)
    assert world.arrivals.due("customer_orders", "2024-02-29T06:00:00Z") == f"customer_orders/{DAY} misses {ITEMS}"
    [text] = world.mails()
    assert text == (
        f"Set customer_orders/{DAY} is not complete: missing: {ITEMS}.\n"
        f"What to do: ask the sender for {ITEMS}; the set starts by itself when the last file is there."
    )
    world.arrivals.due("customer_orders", "2024-02-29T06:00:00Z")
    assert world.mails() == []


def test_nothing_is_reported_of_a_complete_set(world: World) -> None:
    for key in (CUSTOMERS, ORDERS, ITEMS):
        world.arrive(key)
    assert world.arrivals.due("customer_orders", "2024-02-29T06:00:00Z") == f"customer_orders/{DAY} is complete"
    assert world.mails() == []


def test_a_file_over_the_limit_is_refused_with_advice_and_taken_when_the_limit_is_raised(world: World) -> None:
    assert world.arrive(ITEMS, body=b"x" * 1001) == f"refused {ITEMS}: 1001 bytes are over the limit of 1000"
    [text] = world.mails()
    assert f"s3://incoming/{ITEMS}: 1001 bytes are over the limit of 1000" in text
    assert f"make redrive KEY='{ITEMS}'" in text


def test_a_key_with_blanks_and_plus_signs_is_named_as_it_is(world: World) -> None:
    world.arrive("customer_orders/items 2024+02+29.csv")
    [text] = world.mails()
    assert "s3://incoming/customer_orders/items 2024+02+29.csv: no set has a file of this name" in text


def test_a_reference_file_is_taken_without_an_alert(world: World) -> None:
    assert world.arrive("parcels/kinds.csv") == "parcels/kinds.csv belongs to no set: jobs take it as it is"
    assert world.mails() == []


def test_an_object_that_cannot_be_read_is_reported(world: World) -> None:
    event = world.put(ITEMS)
    world.aws.client("s3").delete_object(Bucket="incoming", Key=ITEMS, VersionId=event["version"])
    assert world.arrivals.arrived(**event, sequencer="01") == f"refused {ITEMS}: the object cannot be read (404)"
    [text] = world.mails()
    assert "What to do: see its key, storage class and deletion" in text


def test_a_set_for_an_unknown_job_is_reported_and_can_be_started_later(world: World) -> None:
    world.arrive("parcels/all.csv")
    [text] = world.mails()
    assert text == (
        "Set parcels/current was not started: it needs the job parcels, which does not exist.\n"
        "What to do: mend the variable sets, apply, and run make redrive SET=parcels/current."
    )


def test_a_set_is_started_again_as_a_new_revision(world: World) -> None:
    for key in (CUSTOMERS, ORDERS, ITEMS):
        world.arrive(key)
    assert world.arrivals.restart(f"customer_orders/{DAY}").startswith(f"started customer_orders-{DAY}-r2-")
    assert len(world.started()) == 2


def test_a_set_that_is_not_complete_is_not_started_again(world: World) -> None:
    world.arrive(CUSTOMERS)
    assert world.arrivals.restart(f"customer_orders/{DAY}") == f"customer_orders/{DAY} waits for {ITEMS}, {ORDERS}"


def test_a_file_can_be_looked_at_again(world: World) -> None:
    world.put(ITEMS)
    assert world.arrivals.receive(ITEMS) == f"customer_orders/{DAY} waits for {CUSTOMERS}, {ORDERS}"


def test_an_unknown_set_is_refused_with_the_known_ones(world: World) -> None:
    with pytest.raises(ValueError, match="no set orders; have customer_orders, parcels"):
        world.arrivals.restart("orders/20240229")


def test_messages_that_fail_are_named_and_the_others_handled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.put(ITEMS)
    found = {"key": ITEMS, "size": file["size"], "version-id": file["version"], "sequencer": "01"}
    body = json.dumps({"detail": {"bucket": {"name": "incoming"}, "object": found}})
    monkeypatch.setattr(arrivals, "work", lambda: world.arrivals)
    records = [{"messageId": "a", "body": "no JSON"}, {"messageId": "b", "body": body}]
    assert arrivals.handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "a"}]}
    assert list(world.arrivals.store.read(f"customer_orders/{DAY}").files) == ["items"]
