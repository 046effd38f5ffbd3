"""Which files of a folder are a day's."""

from __future__ import annotations

import pathlib

from pipeline.readers.daily_files import day_of, pick_day

NAMES = ("customers", "orders", "items")


def test_the_newest_complete_day_is_taken_and_said(tmp_path: pathlib.Path) -> None:
    for day, names in {"20220129": NAMES, "20220130": NAMES, "20220131": ("orders",)}.items():
        for name in names:
            (tmp_path / f"{name}_{day}.csv").write_text("id\n")
    (tmp_path / "notes.txt").write_text("")
    day, files, notes = pick_day(str(tmp_path), NAMES, None)
    assert (day, sorted(files)) == ("20220130", ["customers", "items", "orders"])
    assert files["items"] == str(tmp_path / "items_20220130.csv")
    assert notes == [
        f"day 20220130: the newest complete day in {tmp_path}",
        "newer but not complete: 20220131 lacks customers_20220131.csv, items_20220131.csv",
    ]
    assert pick_day(str(tmp_path), NAMES, "20220129")[0] == "20220129"


def test_the_day_in_the_names_of_files() -> None:
    assert day_of(["/in/customers_20220130.csv", "s3://b/orders_20220130.csv.gz"]) == "20220130"
    assert day_of(["customers_20220130.csv", "orders_20220131.csv"]) is None
    assert day_of(["customers.csv"]) is None
    assert day_of(["customers_20220130.csv.GZ", "orders_20220130.csv.zst", "items_20220130.csv.bz2"]) == "20220130"
    assert day_of(["customers_20220130.csv.zip"]) is None
