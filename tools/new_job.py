"""`make new-job NAME=prices`: a job that runs, its transform, their tests and a sample, to be changed from there.

It reads a CSV with the columns id and price, rejects negative prices, and publishes the other rows as NAME.csv.
"""

from __future__ import annotations

import keyword
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

FILES = {
    "jobs/NAME.py": '''\
"""The job NAME: rows with an id and a price, checked, as one table."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.job.context import JobContext
from pipeline.job.options import CsvInput, JobOptions, csv_input
from pipeline.job.outputs import Outputs, csv
from pipeline.job.runner import Job
from transforms.NAME import COLUMNS, check_prices
from transforms.row_errors import valid


@dataclass
class Options(JobOptions):
    """Rows with an id and a price, checked, as one table."""

    source: CsvInput = csv_input("CSV: id, price")


def run(job: JobContext, o: Options) -> Outputs:
    """Reads, checks and writes the rows."""
    rows = job.record("source", check_prices(job.read_csv(o.source, COLUMNS)))
    return Outputs(csv("NAME.csv", valid(rows), order=["id"]))


JOB = Job("NAME", Options, run)

if __name__ == "__main__":
    JOB.main()
''',
    "src/transforms/NAME.py": '''\
"""NAME: what a row must be like."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, LongType, StructField, StructType

from transforms.row_errors import reject

COLUMNS = StructType(
    [
        StructField("id", LongType(), nullable=False),
        StructField("price", DecimalType(18, 2), nullable=False),
    ]
)


def check_prices(rows: DataFrame) -> DataFrame:
    """Rejects prices below zero (`negative_price`).

    In: `price`, any numeric type. Out: the same rows; grain unchanged. Null rule: a row without a price passes.
    """
    detail = F.concat(F.lit("price: "), F.col("price").cast("string"), F.lit(", expected 0 or more"))
    return reject(rows, F.col("price") < 0, "negative_price", detail)
''',
    "tests/transforms/test_NAME.py": '''\
"""The checks of NAME."""

from __future__ import annotations

from pyspark.sql import SparkSession

from transforms.NAME import check_prices


def test_a_price_below_zero_is_rejected_and_zero_is_not(spark: SparkSession) -> None:
    rows = spark.sql("SELECT * FROM VALUES (1, 0.00BD), (2, -0.01BD), (3, NULL) AS t(id, price)")
    checked = check_prices(rows).orderBy("id").select("id", "_error.code", "_error.detail").collect()
    assert [tuple(row) for row in checked] == [
        (1, None, None),
        (2, "negative_price", "price: -0.01, expected 0 or more"),
        (3, None, None),
    ]
''',
    "tests/jobs/test_NAME.py": '''\
"""The job NAME by its command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.jobs import JobResult


def test_the_sample_is_published_without_its_negative_price(
    call_job: Callable[..., JobResult], sample_args: Callable[[str], list[str]], tmp_path: Path
) -> None:
    done = call_job("NAME", *sample_args("NAME"), "--destination", tmp_path / "out", "--run-id", "r1")
    assert done.exit_code == 0, done.output
    assert done.read("NAME.csv") == "id,price\\n1,9.90\\n3,0.50\\n"
    [line] = done.read("_runs/r1/quarantine/source.jsonl").splitlines()
    rejected = json.loads(line)
    assert (rejected["reason"], rejected["position"], rejected["raw"]) == ("negative_price", 3, "2,-1.00")
''',
    "data/NAME/args": """\
# One of three rows is wrong on purpose.
--source data/NAME/NAME.csv
--max-rejected 40%
""",
    "data/NAME/NAME.csv": "id,price\n1,9.90\n2,-1.00\n3,0.50\n",
}


def refusal(name: str, root: pathlib.Path) -> str:
    """Why there can be no new job of this name; empty when there can."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        return f"'{name}' is not a name of a job: lower-case letters, digits and single underscores (NAME=daily_prices)"
    paths = [root / path.replace("NAME", name) for path in (*FILES, "src/transforms/NAME", "data/NAME")]
    there = [path.relative_to(root).as_posix() for path in paths if path.exists()]
    return f"{there[0]} is there already" if there else ""


def main(name: str, root: pathlib.Path = ROOT) -> int:
    """Writes the files and names them; exit code 2 when the name is refused."""
    if reason := refusal(name, root):
        print(f"new-job: {reason}", file=sys.stderr)
        return 2
    for path, text in FILES.items():
        target = root / path.replace("NAME", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("NAME", name), encoding="utf-8")
        print(target.relative_to(root))
    tests = f"tests/transforms/test_{name}.py tests/jobs/test_{name}.py"
    print(f"now: make run JOB={name}; tools/with.sh .venv pytest {tests}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
