"""Any nested JSON as typed, keyed tables; see `explode` for the steps, docs/python-api.md for an example."""

from transforms.nested.explode import (
    check,
    explode,
    merge_stats,
    partial_stats,
    ranks,
    repeated_keys,
    table_rows,
    with_ordinals,
    with_ranks,
)
from transforms.nested.record_check import ParseOptions
from transforms.nested.rows.render import block_table, spark_type
from transforms.nested.schema import tables
from transforms.nested.schema.choices import is_missing, unmatched, without_effect
from transforms.nested.schema.lock import (
    ADD,
    DRIFT_MODES,
    Drift,
    SchemaError,
    TablePlan,
    lock_bytes,
    parse_lock,
    plan_with_lock,
    refuse_new,
    text_formats,
)
from transforms.nested.schema.lock_rules import conflicts, has_elements, lock_rules, locked_paths
from transforms.nested.schema.names import clean
from transforms.nested.schema.picture import tables_md
from transforms.nested.schema.plan import FILE, ORDINAL, POSITION, Table, plan_tables
from transforms.nested.schema.rules import ROW, Rule, RuleError, build_rules, dotted, parse_path
from transforms.nested.schema.stats import DEPTH, PathStats

__all__ = [
    "ADD", "DEPTH", "DRIFT_MODES", "FILE", "ORDINAL", "POSITION", "ROW", "Drift", "ParseOptions", "PathStats", "Rule",
    "RuleError", "SchemaError", "Table", "TablePlan", "block_table", "build_rules", "check", "clean", "conflicts",
    "dotted", "explode", "has_elements", "is_missing", "lock_bytes", "lock_rules", "locked_paths", "merge_stats",
    "parse_lock", "parse_path", "partial_stats", "plan_tables", "plan_with_lock", "ranks", "refuse_new",
    "repeated_keys", "spark_type", "table_rows", "tables", "tables_md", "text_formats", "unmatched", "with_ordinals",
    "with_ranks", "without_effect",
]  # fmt: skip
