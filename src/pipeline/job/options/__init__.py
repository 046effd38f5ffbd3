"""Typed options of a job: a dataclass gives the command line, `--help`, defaults, and an object with types.

    @dataclass
    class Options(JobOptions):
        \"\"\"Daily prices as one clean table.\"\"\"

        prices: CsvInput = csv_input("price list: id, price")
        currency: str = option("currency of the prices", "EUR", metavar="CODE")

A field `from_year` is the option `--from-year`. A bool is a flag that also takes true or false.
"""

from __future__ import annotations

from pipeline.job.options.command_line import build_parser, parse
from pipeline.job.options.every_job import JobOptions, Options
from pipeline.job.options.fields import csv_input, json_input, option
from pipeline.job.options.inputs import CsvInput, Input, JsonInput
from pipeline.job.options.values import comma_separated, day, duration, named_values, run_id, separator, words

__all__ = [
    "CsvInput", "Input", "JobOptions", "JsonInput", "Options", "build_parser", "comma_separated", "csv_input",
    "day", "duration", "json_input", "named_values", "option", "parse", "run_id", "separator", "words",
]  # fmt: skip
