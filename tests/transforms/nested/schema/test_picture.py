"""tables.md: an entity diagram and a line for each table."""

from __future__ import annotations

from tests.support.documents import explode
from transforms.nested.schema.picture import tables_md


def test_tables_are_entities_with_their_keys_types_and_lines_between_them() -> None:
    found = explode(['{"order": "A-1", "été": 1.5, "items": [{"sku": "pen"}], "stock": {"w-17": 4}}'], ["stock=map"])
    assert (
        tables_md(found.tables).decode()
        == """# Tables of doc

```mermaid
erDiagram
    "doc" ||--o{ "doc__items" : "items"
    "doc" ||--o{ "doc__stock" : "stock"
    "doc" {
        text _id PK
        text order
        double _t_ "été"
    }
    "doc__items" {
        text _id PK
        text _parent_id FK
        text _root_id FK
        integer _index
        text sku
    }
    "doc__stock" {
        text _id PK
        text _parent_id FK
        text _root_id FK
        integer _index
        text _key
        integer value
    }
```

| table | a row is | rows | columns | in |
|---|---|---|---|---|
| doc | a record | 1 | 3 |  |
| doc__items | an element of `items` | 1 | 5 | doc |
| doc__stock | a key of the map `stock` | 1 | 6 | doc |

`_parent_id` is the `_id` of the row in the table named under *in*, `_root_id` that of the record.
"""
    )


def test_a_wide_table_shows_30_columns_and_many_tables_are_a_list_only() -> None:
    wide = explode(["{" + ", ".join(f'"c{number:02d}": 1' for number in range(45)) + "}"])
    text = tables_md(wide.tables).decode()
    assert "integer c28\n" in text
    assert '        text _more "16 more columns"\n' in text
    assert "c29" not in text
    many = explode(["{" + ", ".join(f'"g{a}": {{"k": [1], "l": [2]}}' for a in range(31)) + "}"])
    text = tables_md(many.tables).decode()
    assert "mermaid" not in text
    assert text.count("| an element of ") == 62


def test_a_recursive_table_has_a_line_to_itself() -> None:
    tree = '{"v": 1, "l": {"v": 2, "l": {"v": 3, "l": {"v": 4}}}, "r": {"v": 5, "l": {"v": 6, "r": {"v": 7}}}}'
    text = tables_md(explode([tree]).tables).decode()
    assert '    "doc" ||--o{ "doc" : "l, r"\n' in text
    assert "        integer _depth\n        text _path\n        integer v\n" in text
    assert "| doc | a record, again at `l`, `r` | 7 | 7 | doc |" in text
    assert "A table that is in itself is recursive: `_depth` counts its rows above one, `_path` is its place." in text
