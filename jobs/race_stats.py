"""Race statistics: the winner of every race and the winner's fastest lap, one JSON file a year."""

import argparse
import pathlib
import sys

sys.path[:0] = [str(p) for p in [pathlib.Path(__file__).resolve().parents[1] / "src"] if p.is_dir()]

from pyspark.sql import DataFrame  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

from pipeline.errors import UsageError  # noqa: E402
from pipeline.job.context import Run  # noqa: E402
from pipeline.job.runner import Input, Job, Option  # noqa: E402
from transforms.race_stats import (  # noqa: E402
    ABSENT,
    RACES,
    RESULTS,
    check_races,
    check_results,
    race_statistics,
    year_documents,
)

SHARED_WINS_NAMED = 100


def check(options: argparse.Namespace) -> None:
    """The first year must not come after the last."""
    if None not in (options.from_year, options.to_year) and options.from_year > options.to_year:
        raise UsageError(f"--from-year {options.from_year} is after --to-year {options.to_year}")


JOB = Job(
    name="race_stats",
    summary="Winner and winner's fastest lap of every race, one stats_YEAR.json a year.",
    inputs=[
        Input("races", "races as CSV: raceId, year, round, name, date, time"),
        Input("results", "results as CSV: resultId, raceId, driverId, position, fastestLapTime"),
    ],
    options=[
        Option(
            "from-year", int, None, "first year to publish; files of earlier years stay as they are", metavar="YEAR"
        ),
        Option("to-year", int, None, "last year to publish; files of later years stay as they are", metavar="YEAR"),
    ],
    check=check,
)


def body(run: Run) -> None:
    """Races and results, checked and joined; a file a year."""
    checked = check_races(run.read_csv("races", RACES, absent=ABSENT), run.options.from_year, run.options.to_year)
    races = run.settle("races", checked)
    tagged = check_results(run.read_csv("results", RESULTS, absent=ABSENT), run.kept("races"))
    results = run.settle("results", tagged, may_be_empty=True)
    statistics = race_statistics(races, results)
    tell_shared_wins(run, statistics)
    # One document at a time: a season is some dozens of races, however many seasons there are.
    for year, count, document in year_documents(statistics).orderBy("year").toLocalIterator():
        run.write_bytes(f"stats_{year}.json", document.encode(), rows=count)


def tell_shared_wins(run: Run, statistics: DataFrame) -> None:
    """Names the races with more than one result in position 1 in the report."""
    shared = statistics.where(F.col("winners") > 1).orderBy("year", "round", "raceId")
    found = shared.limit(SHARED_WINS_NAMED + 1).collect()
    for row in found[:SHARED_WINS_NAMED]:
        race = f"{row.name}, {row.year} round {row.round}"
        run.note(f"{race}: {row.winners} winners, published is driverId {row.winning_driver_id}")
    if len(found) > SHARED_WINS_NAMED:
        run.note(f"more than {SHARED_WINS_NAMED} races have several winners; the first ones are named here")


if __name__ == "__main__":
    JOB.main(body)
