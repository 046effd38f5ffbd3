"""Nothing whose result differs between the engines decides a value: jobs, transforms and the pipeline use none of it.

The differences were measured: texts and JSON that an engine makes or reads, regular expressions, a sort before a write,
cached and observed frames, and more. What is used all the same is in `ALLOWED`, with the reason why it is safe there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import JOBS, ROOT, SRC

# Functions of pyspark.sql.functions, and of SQL, by what differs: JSON, patterns, texts, times, numbers, nulls.
_FUNCTIONS = """
json_array_length json_tuple get_json_object from_json to_json schema_of_json from_csv to_csv from_xml to_xml
rlike regexp regexp_like regexp_count regexp_extract regexp_extract_all regexp_instr regexp_replace split
format_string format_number printf date_format to_char to_varchar from_unixtime
convert_timezone from_utc_timestamp to_utc_timestamp to_timestamp try_to_timestamp to_date
bround try_cast try_to_number
sort_array array_sort array_min array_max min_by max_by
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
# Methods of frames and columns. `cast` is named with its type: `cast string` shows numbers in the engine's way.
METHODS = frozenset({"rlike", "observe", "persist", "cache", "checkpoint", "localCheckpoint", "toJSON"})
CASTS = frozenset({"string", "double", "float"})
SORTS, SINKS = frozenset({"orderBy", "sort", "sortWithinPartitions"}), frozenset({"mapInArrow", "mapInPandas", "write"})
IN_SQL = re.compile(rf"\b({'|'.join(sorted(FUNCTIONS))})\s*\(|\b(rlike|regexp)\b|\bas\s+(string|double|float)\b", re.I)
SQL_CALLS = frozenset({"expr", "sql", "selectExpr", "where", "filter"})

# What may be used, by file: the name as `uses_of` gives it, and why every engine gives the same there.
WHOLE = "a whole number"
SPARK_ONLY = "the part of a run that is Spark's alone"
STILL = "not a kernel yet"
ALLOWED: dict[str, dict[str, str]] = {
    "jobs/restaurants.py": {"cast string": WHOLE},
    "src/pipeline/engines/embedded.py": {"cache": "the engine's own method"},
    "src/pipeline/engines/spark.py": {
        "cache": "the engine's own method",
        "localCheckpoint": SPARK_ONLY,
        "persist": SPARK_ONLY,
        "sort before map_batches": SPARK_ONLY,
    },
    "src/transforms/carparks/tables.py": {"sort_array": "texts without nulls, by their bytes"},
    "src/transforms/checks.py": {"cast string": "keys: texts and whole numbers"},
    "src/transforms/people/table.py": {"cast string": WHOLE},
    "src/transforms/race_stats.py": {"cast string": WHOLE},
    "src/transforms/restaurants/tables.py": {"cast string": WHOLE},
    "src/transforms/restaurants/events.py": {"cast string": WHOLE, "try_cast": STILL},
}


def uses_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every use of something that differs."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "pyspark.sql.functions":
            yield from ((node.lineno, one.name) for one in node.names if one.name in FUNCTIONS)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from ((node.lineno, name) for name in _names(node, node.func))
        if isinstance(node, ast.FunctionDef):
            yield from _sorted_sinks(node)


def _names(call: ast.Call, method: ast.Attribute) -> Iterator[str]:
    name, owner = method.attr, ast.unparse(method.value)
    if (owner == "F" and name in FUNCTIONS) or (
        owner != "F" and name in METHODS and not owner.endswith("engine") and (name != "observe" or _of_frame(call))
    ):
        yield name
    elif name == "cast" and _text(call) in CASTS and owner != "F.lit(None)":
        yield f"cast {_text(call)}"
    if name in SQL_CALLS:
        for found in IN_SQL.finditer(" ".join(_texts(call))):
            yield next(one for one in (found[1], found[2], found[3] and f"cast {found[3]}") if one).lower()


def _of_frame(call: ast.Call) -> bool:
    """True for `observe` with aggregates: other objects have a method of that name."""
    return any("F." in ast.unparse(one) for one in call.args)


def _text(call: ast.Call) -> str:
    return call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""


def _texts(call: ast.Call) -> Iterator[str]:
    for argument in call.args:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _sorted_sinks(function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    """Where a kernel or a write gets a frame that was sorted: in the same chain, or by a name of the function."""
    is_sorted: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _has_sort(node.value, is_sorted):
            is_sorted |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr in SINKS and _has_sort(node.value, is_sorted):
            yield node.lineno, f"sort before {node.attr}"
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "map_batches"
            and _has_sort(node.args[0], is_sorted)
        ):
            yield node.lineno, "sort before map_batches"


def _has_sort(value: ast.expr, names: set[str]) -> bool:
    """True when the value is a chain of calls on a sorted frame."""
    while isinstance(value, ast.Call | ast.Attribute):
        if isinstance(value, ast.Attribute) and value.attr in SORTS:
            return True
        value = value.func if isinstance(value, ast.Call) else value.value
    if isinstance(value, ast.IfExp):
        return _has_sort(value.body, names) or _has_sort(value.orelse, names)
    return isinstance(value, ast.Name) and value.id in names


FILES = sorted(path for folder in (SRC / "transforms", SRC / "pipeline", JOBS) for path in folder.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_uses_nothing_that_differs_between_engines(path: Path) -> None:
    allowed = ALLOWED.get(path.relative_to(ROOT).as_posix(), {})
    found = list(uses_of(path.read_text(encoding="utf-8")))
    assert [f"line {line}: {name}" for line, name in found if name not in allowed] == []
    assert set(allowed) - {name for _, name in found} == set(), "allowed, and not used any more"


def test_every_file_with_allowed_uses_is_there() -> None:
    assert set(ALLOWED) <= {path.relative_to(ROOT).as_posix() for path in FILES}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("frame.select(F.from_json('a', 'x int'))", ["from_json"]),
        ("frame.select(F.col('a').rlike('[0-9]'))", ["rlike"]),
        ("frame.select(F.split(F.col('a'), ','))", ["split"]),
        ("frame.where(\"name RLIKE '[0-9]'\")", ["rlike"]),
        ("frame.select(F.expr(\"try_cast(a AS int), date_format(b, 'y')\"))", ["try_cast", "date_format"]),
        ("frame.select(F.expr('CAST(a AS STRING)'))", ["cast string"]),
        ("frame.select(F.col('a').cast('string'))", ["cast string"]),
        ("frame.observe(seen, F.count('*'))", ["observe"]),
        ("frame.persist().cache()", ["cache", "persist"]),
        ("frame.orderBy('a').mapInArrow(kernel, 'a int')", ["sort before mapInArrow"]),
        ("frame.sortWithinPartitions('a').select('a').write.parquet('x')", ["sort before write"]),
        (
            "ordered = frame.orderBy('a') if few else frame\n    ordered.mapInArrow(k, 'a int')",
            ["sort before mapInArrow"],
        ),
        ("map_batches(frame.orderBy('a'), kernel, 'a int')", ["sort before map_batches"]),
        ("text.split(',') + re.split(',', text)", []),
        ("frame.where('a > 1').orderBy('a').limit(3).collect()", []),
        ("self.engine.cache(frame.mapInArrow(kernel, 'a int')).orderBy('a')", []),
    ],
)
def test_a_made_use_is_found(line: str, names: list[str]) -> None:
    assert [name for _, name in uses_of(f"def made(frame):\n    {line}\n")] == names
