"""Documents as well-known programs write them: the tables, rows and columns that they become, with which options."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.readers.json.framing.envelope import EnvelopeReader
from tests.pipeline.readers.json.framing.test_record_splitter import rows_of
from tests.support.documents import explode
from tests.support.rebuild import comparable, loads


@dataclass
class Shape:
    """A file in a published form, the options that it needs, and rows and number of columns of each table."""

    name: str
    document: Any
    tables: dict[str, tuple[int, int]]
    records: str = ""
    path: tuple[str, ...] = ()


CLOUDTRAIL = {
    "Records": [
        {
            "eventVersion": "1.08",
            "userIdentity": {"type": "IAMUser", "userName": "ann", "sessionContext": {"attributes": {"mfa": "false"}}},
            "eventTime": "2024-05-01T10:00:00Z",
            "requestParameters": {"bucketName": "b", "key": key},
            "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::b/{key}"}, {"accountId": "1"}],
        }
        for key in ("x", "y")
    ]
}
FHIR = {
    "resourceType": "Bundle",
    "type": "searchset",
    "entry": [
        {
            "fullUrl": f"urn:uuid:{number}",
            "resource": {
                "resourceType": "Patient",
                "id": str(number),
                "name": [{"family": "Lee", "given": ["Ann", "May"]}],
                "birthDate": "1980-02-29",
            },
            "search": {"mode": "match"},
        }
        for number in range(3)
    ],
}
PACKAGE_LOCK = {
    "name": "app",
    "lockfileVersion": 3,
    "packages": {
        f"node_modules/p{number}": {"version": f"{number}.0.0", "dependencies": {f"d{number}": "^1"}}
        for number in range(300)
    },
}


def node(node_type: str, **more: Any) -> dict[str, Any]:
    return {"type": node_type, "start": 0, "end": 9, **more}


def function(body: list[Any]) -> dict[str, Any]:
    params = [node("Identifier", name="x")]
    return node("FunctionExpression", id=None, params=params, body=node("BlockStatement", body=body), generator=False)


def statement(levels: int) -> dict[str, Any]:
    """A statement with functions in calls in functions, as a bundled script has them."""
    if not levels:
        return node("ReturnStatement", argument=node("Literal", value=1, raw="1"))
    inner = [statement(levels - 1), statement(0)]
    callee = node("MemberExpression", object=node("Identifier", name="a"), property=node("Identifier", name="b"))
    chained = node("CallExpression", callee=node("MemberExpression", object=callee), arguments=[])
    call = node("CallExpression", callee=chained, arguments=[function(inner), node("Literal", value="s", raw="'s'")])
    declared = [node("VariableDeclarator", id=node("Identifier", name="v"), init=call)]
    test = node("BinaryExpression", operator="==", left=call, right=node("Literal", value=None, raw="null"))
    return (
        node("VariableDeclaration", kind="const", declarations=declared)
        if levels % 2
        else node("IfStatement", test=test, consequent=node("BlockStatement", body=inner), alternate=None)
    )


SYNTAX_TREE = node("Program", body=[statement(6), statement(3)], sourceType="module")


def comment(levels: int) -> dict[str, Any]:
    replies = [comment(levels - 1), comment(0)] if levels else []
    return {"id": levels, "by": {"name": "ann"}, "text": "yes", "votes": [1, -1], "replies": replies}


COMMENTS = {"title": "Why?", "url": "https://example.com", "comments": [comment(5), comment(0)]}
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [2.35, 48.85]},
            "properties": {"name": "Paris", "population": 2102650},
        },
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-0.12, 51.5, 11]},
            "properties": {"name": "London"},
        },
    ],
}
SOCRATA = {
    "meta": {"view": {"id": "abcd-1234", "columns": [{"name": "year"}, {"name": "total"}]}},
    "data": [["row-1", 2023, "7"], ["row-2", 2024, None]],
}
DYNAMODB = {"Item": {"id": {"S": "x"}, "n": {"N": "1"}, "tags": {"SS": ["a", "b"]}, "at": {"M": {"lat": {"N": "2.5"}}}}}
DEBEZIUM = {
    "before": None,
    "after": {"id": 1, "email": "a@x"},
    "source": {"db": "shop", "table": "customers", "lsn": 24023128},
    "op": "c",
    "ts_ms": 1714550400000,
}
ELASTICSEARCH = [{"index": {"_index": "shop", "_id": "1"}}, {"title": "pen", "price": 1.5}]
SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "lint", "rules": [{"id": "E1"}, {"id": "E2"}]}},
            "results": [
                {
                    "ruleId": "E1",
                    "level": "error",
                    "message": {"text": "unused"},
                    "locations": [
                        {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}
                    ],
                }
            ],
        }
    ],
}
JUPYTER = {
    "nbformat": 4,
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        {"cell_type": "markdown", "source": ["# Title\n", "text"], "metadata": {}},
        {
            "cell_type": "code",
            "source": ["1 + 1"],
            "execution_count": 1,
            "metadata": {},
            "outputs": [{"output_type": "execute_result", "data": {"text/plain": ["2"]}, "metadata": {}}],
        },
    ],
}
OPENTELEMETRY = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "api"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "http"},
                    "spans": [
                        {
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "name": "GET /",
                            "startTimeUnixNano": "1544712660000000000",
                            "attributes": [
                                {"key": "http.status_code", "value": {"intValue": "200"}},
                                {"key": "http.ok", "value": {"boolValue": True}},
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}

SHAPES = [
    Shape("CloudTrail", CLOUDTRAIL, {"t": (2, 7), "t__resources": (4, 3)}, records="Records"),
    Shape(
        "FHIR bundle",
        FHIR,
        {"t": (3, 5), "t__resource__name": (3, 1), "t__resource__name__given": (6, 1)},
        records="entry",
    ),
    Shape(
        "FHIR resources",
        FHIR,
        {"t": (3, 3), "t__name": (3, 1), "t__name__given": (6, 1)},
        records="entry.resource",
    ),
    Shape("package lock", PACKAGE_LOCK, {"t": (1, 2), "t__packages": (300, 1), "t__packages__dependencies": (300, 1)}),
    Shape("syntax tree", SYNTAX_TREE, {"t": (252, 35), "t__params": (25, 4)}),
    Shape("comment tree", COMMENTS, {"t": (1, 2), "t__comments": (12, 3), "t__comments__votes": (24, 1)}),
    Shape(
        "GeoJSON",
        GEOJSON,
        {"t": (2, 7)},
        records="features",
        path=("geometry.coordinates=columns",),
    ),
    Shape("Socrata", SOCRATA, {"t": (2, 3)}, records="data", path=("=columns",)),
    Shape("DynamoDB export", DYNAMODB, {"t": (1, 3), "t__tags__SS": (2, 1)}, records="Item"),
    Shape("Debezium", DEBEZIUM, {"t": (1, 2)}, records="after"),
    Shape("Debezium with its envelope", DEBEZIUM, {"t": (1, 8)}),
    Shape("Elasticsearch bulk", ELASTICSEARCH, {"t": (2, 4)}),
    Shape(
        "SARIF",
        SARIF,
        {"t": (1, 3), "t__locations": (1, 2)},
        records="runs.results",
    ),
    Shape(
        "Jupyter",
        JUPYTER,
        {
            "t": (2, 2),
            "t__source": (3, 1),
            "t__outputs": (1, 1),
            "t__outputs__data__text_plain": (1, 1),
        },
        records="cells",
    ),
    Shape(
        "OpenTelemetry",
        OPENTELEMETRY,
        {"t": (1, 3), "t__attributes": (2, 3)},
        records="resourceSpans.scopeSpans.spans",
    ),
]


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_a_well_known_shape_becomes_these_tables_and_comes_back_whole(shape: Shape) -> None:
    if shape.records:
        data = json.dumps(shape.document).encode()
        texts = [raw for _, raw, error in rows_of(EnvelopeReader(iter([data]), 0, shape.records.split(".")).records())]
    else:
        documents = shape.document if isinstance(shape.document, list) else [shape.document]
        texts = [json.dumps(document) for document in documents]
    found = explode(texts, shape.path)
    found_tables = {t.name.replace("doc", "t", 1): (t.rows, len(t.columns)) for t in found.tables}
    assert found_tables == shape.tables
    assert [comparable(document) for document in found.rebuilt()] == [comparable(loads(text)) for text in texts]
