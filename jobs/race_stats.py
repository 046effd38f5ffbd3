"""Race statistics: the winner of every race and the winner's fastest lap, one JSON file per year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.errors import UsageError
from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JobOptions, csv_input, option
from pipeline.job.outputs import Outputs, data
from pipeline.job.runner import Job
from transforms.race_stats import ABSENT, RACES, RESULTS, check_races, check_results, race_statistics, year_documents
from transforms.row_errors import valid

SHARED_WINS_NAMED = 100


@dataclass
class Options(JobOptions):
    """Winner and winner's fastest lap of every race, one stats_YEAR.json per year."""

    races: CsvInput = csv_input("races as CSV: raceId, year, round, name, date, time", columns=RACES.names)
    results: CsvInput = csv_input(
        "results as CSV: resultId, raceId, driverId, position, fastestLapTime", columns=RESULTS.names
    )
    from_year: int | None = option(
        "first year to publish; files of earlier years stay as they are", parse=int, metavar="YEAR"
    )
    to_year: int | None = option(
        "last year to publish; files of later years stay as they are", parse=int, metavar="YEAR"
    )

    def prepare(self) -> Self:
        """The first year must not come after the last."""
        if self.from_year is not None and self.to_year is not None and self.from_year > self.to_year:
            raise UsageError(f"--from-year {self.from_year} is after --to-year {self.to_year}")
        return self


def run(job: JobContext, o: Options) -> Outputs:
    """Races and results, checked and joined; a document per year."""
    races = job.read_csv(o.races, RACES, absent=ABSENT)
    results = job.read_csv(o.results, RESULTS, absent=ABSENT)

    races = job.record("races", check_races(races, o.from_year, o.to_year))
    results = job.record("results", check_results(results, races), may_be_empty=True)

    statistics = race_statistics(valid(races), valid(results))
    note_shared_wins(job, statistics)
    documents = job.few_rows(year_documents(statistics).orderBy("year"))
    return Outputs(*[data(f"stats_{year}.json", text.encode(), rows=count) for year, count, text in documents])


def note_shared_wins(job: JobContext, statistics: DataFrame) -> None:
    """Names the races with more than one result in position 1 in the report."""
    shared = statistics.where(F.col("winners") > 1).orderBy("year", "round", "raceId")
    found = job.few_rows(shared.limit(SHARED_WINS_NAMED + 1))
    for row in found[:SHARED_WINS_NAMED]:
        race = f"{row.name}, {row.year} round {row.round}"
        job.note(f"{race}: {row.winners} winners, published is driverId {row.winning_driver_id}")
    if len(found) > SHARED_WINS_NAMED:
        job.note(f"more than {SHARED_WINS_NAMED} races have several winners; the first ones are named here")


JOB = Job("race_stats", Options, run)

if __name__ == "__main__":
    JOB.main()
