"""Columns of a file with packed columns, held to a locked schema: what differs is reported, added, kept or refused."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from transforms.nested.schema.lock import SchemaError, TablePlan, lock_bytes, parse_lock
from transforms.nested.schema.plan import Table
from transforms.packed.lock import columns_in, fit, held_types, misfit_drift, misfits, plan_with_lock
from transforms.packed.plan import Plan, SplitOptions, columns_of, make_plan, split_all, unfold
from transforms.row_errors import ERROR_FIELD

MONDAY = make_plan(["id", "name size"], SplitOptions(types={"id": "int", "size": "int"}))


def locked() -> list[Table]:
    return plan_with_lock(MONDAY, None, "add").tables


def against(header: list[str], mode: str = "add", **options: object) -> tuple[Plan, TablePlan]:
    plan = make_plan(header, SplitOptions(held=held_types(locked()), **options))  # type: ignore[arg-type]
    return plan, plan_with_lock(plan, locked(), mode)


def messages(schema: TablePlan) -> list[str]:
    return [item.message() for item in schema.drift or ()]


def test_the_file_of_a_schema_holds_columns_and_types_and_comes_back() -> None:
    content = lock_bytes(locked(), "rows")
    assert parse_lock(content, "s.json", "rows") == locked()
    assert held_types(locked()) == {"id": "int", "name": "string", "size": "int"}


def test_the_first_run_has_nothing_to_differ_from() -> None:
    assert plan_with_lock(MONDAY, None, "fail").drift is None


def test_types_are_kept_without_being_asked_for_again() -> None:
    plan, schema = against(["id", "name size"], "fail")
    assert columns_of(plan) == [("id", "int"), ("name", "string"), ("size", "int")]
    assert messages(schema) == []


def test_new_columns_and_new_pieces_come_behind_and_lost_ones_stay() -> None:
    _, schema = against(["name size colour", "shop"])
    assert messages(schema) == [
        "new field rows.colour: string",
        "new field rows.shop: string",
        "lost field rows.id: int",
    ]
    assert columns_in(schema.tables[0]) == ["id", "name", "size", "colour", "shop"]


def test_fail_refuses_a_new_column_and_lets_a_lost_one_pass() -> None:
    with pytest.raises(SchemaError, match=r"do not match the locked schema: new field rows\.shop: string$"):
        against(["id", "name size", "shop"], "fail")
    assert messages(against(["name size"], "fail")[1]) == ["lost field rows.id: int"]


def test_another_type_for_a_locked_column_is_refused() -> None:
    with pytest.raises(SchemaError, match="column size is int in the locked schema, bigint by the options"):
        against(["id", "name size"], types={"size": "bigint"})


def test_options_may_name_columns_that_only_the_schema_has() -> None:
    before = make_plan(["id", "tags", "info"], SplitOptions(lists={"tags": "array"}, pairs={"info": "map"}))
    held = held_types(plan_with_lock(before, None, "add").tables)
    assert held == {"id": "string", "tags": "array<string>", "info": "map<string,array<string>>"}
    options = SplitOptions(
        lists={"tags": "array"}, pairs={"info": "map"}, types={"id": "string"}, greedy=("id",), held=held
    )
    assert columns_of(make_plan(["id", "note"], options)) == [("id", "string"), ("note", "string")]
    with pytest.raises(ValueError, match="--list: missing column tag; have id, note"):
        make_plan(["id", "note"], SplitOptions(lists={"tag": "array"}, held=held))


def test_lists_and_pairs_are_named_again_and_go_on() -> None:
    options = {"lists": {"tags": "array"}, "pairs": {"info": "map"}}
    before = plan_with_lock(make_plan(["id", "tags", "info"], SplitOptions(**options)), None, "add").tables  # type: ignore[arg-type]
    kinds = [("id", "string"), ("tags", "array<string>"), ("info", "map<string,array<string>>")]

    def later(header: list[str], **options: object) -> tuple[Plan, TablePlan]:
        plan = make_plan(header, SplitOptions(held=held_types(before), **options))  # type: ignore[arg-type]
        return plan, plan_with_lock(plan, before, "fail")

    plan, schema = later(["id", "tags", "info"], **options)
    assert (columns_of(plan), messages(schema)) == (kinds, [])
    assert messages(later(["id", "info"], **options)[1]) == ["lost field rows.tags: array<string>"]
    message = "tags is array<string> in the locked schema, string by the options; it was made by --list tags=array$"
    for lists in ({}, {"tags": "rows"}):
        with pytest.raises(SchemaError, match=message):
            later(["id", "tags", "info"], lists=lists, pairs=options["pairs"])
    with pytest.raises(SchemaError, match=r"string by the options; it was made by --pairs info=map$"):
        later(["id", "tags", "info"], lists=options["lists"])


def test_columns_that_differ_in_case_only_are_refused_where_both_are_published() -> None:
    with pytest.raises(SchemaError, match="columns id and Id differ in case only; --skip-lines 1 --header a,b,c gives"):
        against(["Id", "name size"])
    assert columns_in(against(["Id", "name size"], "report")[1].tables[0]) == ["id", "name", "size", "_rest"]
    with pytest.raises(SchemaError, match="columns a and A differ in case only"):
        plan_with_lock(make_plan(["a", "A b"], SplitOptions()), None, "add")


def test_the_message_of_a_missing_name_has_each_column_once() -> None:
    with pytest.raises(ValueError, match="--types: missing column sise; have id, name, size; near: size"):
        against(["id", "name size"], types={"sise": "int"})
    with pytest.raises(ValueError, match="--elastic: missing column nam; have id, name size, name, size; near: name"):
        against(["id", "name size"], greedy=("nam",))


PLANS = [
    (["id", "a b"], SplitOptions(types={"b": "decimal(9,2)", "id": "date"})),
    (["id", "tags", "info"], SplitOptions(lists={"tags": "rows"}, pairs={"info": "map"})),
    (["info", "t"], SplitOptions(pairs={"info": "columns"}, keys=("x", "y"), types={"x": "int"}, lists={"t": "array"})),
    (["unit,geo\\time", "2019", "2018"], SplitOptions(separator=",", flag=("v", "f"))),
    (["unit,geo\\time", "2019", "2018"], SplitOptions(separator=",", shape="wide")),
    (["id", "address", "size"], SplitOptions(greedy=("address",), types={"size": "int"})),
]


@pytest.mark.parametrize(("header", "options"), PLANS)
def test_the_columns_are_known_before_there_are_rows(
    spark: SparkSession, header: list[str], options: SplitOptions
) -> None:
    plan = make_plan(header, options)
    kinds = {"size": T.IntegerType()} if plan.row else {"id": T.DateType()} if "b" in options.types else {}
    read = T.StructType([*[T.StructField(name, kinds.get(name, T.StringType())) for name in header], ERROR_FIELD])
    made = unfold(split_all(spark.createDataFrame([], read), plan), plan)
    assert columns_of(plan) == [(name, kind) for name, kind in made.dtypes if name not in ("_error", *plan.places)]


def test_rows_get_the_locked_columns_and_the_rest_as_json(spark: SparkSession) -> None:
    _, schema = against(["shop/a", "name size", "day"], "report", types={"day": "date"})
    [table] = schema.tables
    frame = spark.sql(
        "SELECT 'x' AS `shop/a`, 'pen' AS name, 2 AS size, date'2022-01-30' AS day, 7 AS _source_offset"
        " UNION ALL SELECT NULL, 'ink', 3, NULL, 9"
    )
    fitted = fit(frame, table)
    assert (schema.is_locked, fitted.columns) == (True, ["id", "name", "size", "_source_offset", "_rest"])
    assert [tuple(row) for row in fitted.orderBy("size").collect()] == [
        (None, "pen", 2, 7, '{"/shop~1a":"x","/day":"2022-01-30"}'),
        (None, "ink", 3, 9, None),
    ]


def test_a_column_of_the_file_that_begins_with_an_underscore_goes_to_the_rest_too(spark: SparkSession) -> None:
    _, schema = against(["id", "name size", "_x"], "report")
    frame = spark.sql("SELECT 1 AS id, 'pen' AS name, 2 AS size, 'u' AS _x, 7 AS _source_offset")
    assert [tuple(row) for row in fit(frame, schema.tables[0]).collect()] == [(1, "pen", 2, 7, '{"/_x":"u"}')]


def test_a_column_named_as_the_rest_is_refused_where_there_is_one() -> None:
    with pytest.raises(SchemaError, match="column _rest: --on-drift report makes a column of this name"):
        against(["id", "name size", "_rest"], "report")
    assert columns_in(against(["id", "name size", "_rest"])[1].tables[0]) == ["id", "name", "size", "_rest"]


def test_values_that_do_not_fit_the_schema_any_more_are_counted_by_column(spark: SparkSession) -> None:
    plan, schema = against(["id", "name size", "more"], types={"more": "int"})
    cells = [("pen 2", None), ("ink many", None), ("ink much", None), ("ink", None), ("a b c d", None), (None, "id")]
    rows = [(1, cell, 1, ("rejected", "wrong_type", 'column id: ["x"] is not int') if bad else None)
            for cell, bad in cells]  # fmt: skip
    rows.append((1, "pen 2", None, ("rejected", "wrong_type", 'column more: ["x"] is not int')))
    read = T.StructType([
        T.StructField("id", T.IntegerType()), T.StructField("name size", T.StringType()),
        T.StructField("more", T.IntegerType()), ERROR_FIELD,
    ])  # fmt: skip
    split = split_all(spark.createDataFrame(rows, read), plan)
    [counts] = misfits(split, plan, schema).collect()
    assert [item.message() for item in misfit_drift(counts, plan, schema)] == [
        "changed type rows.id: int -> something else in 1 row",
        "changed type rows.size: int -> something else in 3 rows",
        "changed pieces rows.name size: 2 pieces -> something else in 1 row",
    ]


def test_values_of_cells_are_counted_for_the_column_that_they_go_to(spark: SparkSession) -> None:
    plan = make_plan(["unit,geo\\time", "2019", "2018"], SplitOptions(separator=","))
    schema = plan_with_lock(plan, plan_with_lock(plan, None, "add").tables, "add")
    frame = spark.createDataFrame([("EUR,AT", "1.5", "x"), ("EUR,BE", "y", "2")], ["unit,geo\\time", "2019", "2018"])
    [counts] = misfits(split_all(frame, plan), plan, schema).collect()
    assert [item.message() for item in misfit_drift(counts, plan, schema)] == [
        "changed type rows.value: double -> something else in 2 rows"
    ]
