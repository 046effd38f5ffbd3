"""Values in another form are opened before they are counted, or refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from transforms.nested.unpack import Unpacker
from transforms.nested.values.parse import NotJsonError, Parser, canonical, prepare_process


def unpacked(text: str, *choices: str) -> str:
    prepare_process()
    return canonical(Unpacker(choices).unpack(Parser().parse(text)))


def test_every_type_of_dynamodb_becomes_plain_json() -> None:
    item = {
        "id": {"S": "x"},
        "n": {"N": "1"},
        "price": {"N": "12345678901234567890.50"},
        "exponent": {"N": "1E+2"},
        "bytes": {"B": "aGk="},
        "yes": {"BOOL": False},
        "nothing": {"NULL": True},
        "map": {"M": {"S": {"S": "named S"}, "inner": {"M": {}}}},
        "list": {"L": [{"N": "-2"}, {"L": []}, {"NULL": True}]},
        "texts": {"SS": ["b", "a"]},
        "numbers": {"NS": ["3", "1.5"]},
        "parts": {"BS": ["aGk="]},
    }
    assert unpacked(json.dumps(item), "=dynamodb") == (
        '{"bytes":"aGk=","exponent":100.0,"id":"x","list":[-2,[],null],"map":{"S":"named S","inner":{}},"n":1,'
        '"nothing":null,"numbers":[3,1.5],"parts":["aGk="],"price":12345678901234567890.50,"texts":["b","a"],"yes":false}'
    )


@pytest.mark.parametrize(
    "attribute",
    [
        '{"N": "abc"}', '{"N": "+1"}', '{"N": "01"}', '{"N": 1}', '{"N": "NaN"}', '{"S": 1}', '{"B": "a"}',
        '{"B": "é"}', '{"BOOL": "true"}', '{"NULL": false}', '{"M": []}', '{"L": {}}',
        '{"SS": ["a", 1]}', '{"NS": ["x"]}',
        '{"BS": "aGk="}', '{"X": 1}', '{"S": "a", "N": "1"}', "{}", '"plain"', "[1]", "null",
    ],
)  # fmt: skip
def test_what_is_no_value_of_dynamodb_is_refused(attribute: str) -> None:
    with pytest.raises(NotJsonError) as refused:
        unpacked(f'{{"Item": {{"id": {{"S": "x"}}, "v": {attribute}}}}}', "Item=dynamodb")
    assert refused.value.reason == "not_dynamodb"
    assert str(refused.value).startswith("Item: ")


def test_a_record_that_is_no_item_is_refused_and_null_stays() -> None:
    assert unpacked('{"NewImage": null, "OldImage": {"a": {"S": "x"}}}', "NewImage=dynamodb", "OldImage=dynamodb") == (
        '{"NewImage":null,"OldImage":{"a":"x"}}'
    )
    with pytest.raises(NotJsonError, match="the record: 5 is no DynamoDB value"):
        unpacked("5", "=dynamodb")


@pytest.mark.parametrize(
    ("text", "choices", "expected"),
    [
        (r'{"p":"{\"a\":[1.50,null]}","q":"[1]"}', ["p=parse"], '{"p":{"a":[1.5,null]},"q":"[1]"}'),
        (r'{"p":["1","\"x\"",{"a":1},2]}', ["p=parse"], '{"p":[1,"x",{"a":1},2]}'),
        (r'{"m":{"k":{"p":"{}"},"l":{"p":"[]"},"n":5}}', ["m.*.p=parse"], '{"m":{"k":{"p":{}},"l":{"p":[]},"n":5}}'),
        (r'[{"p":"true"},{"q":"true"}]', ["p=parse"], '[{"p":true},{"q":"true"}]'),
        (r'{"p":"{\"q\":\"{\\\"r\\\":1}\"}"}', ["p.q=parse", "p=parse"], '{"p":{"q":{"r":1}}}'),
        (r'{"p":"12345678901234567890"}', ["p=parse"], '{"p":12345678901234567890}'),
    ],
)
def test_json_in_texts_is_opened(text: str, choices: list[str], expected: Any) -> None:
    assert unpacked(text, *choices) == expected


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ("{bad}", r"p: not JSON from character 2: \"bad}\""),
        ("", "p: empty"),
        ("NaN", "p: NaN is not JSON"),
        ("\x00", r"p: .* is not JSON"),
    ],
)
def test_a_text_that_is_no_json_is_refused(held: str, message: str) -> None:
    with pytest.raises(NotJsonError, match=message) as refused:
        unpacked(json.dumps({"p": held}), "p=parse")
    assert refused.value.reason == "not_json"


def test_records_get_names_and_fields_of_what_is_around_them() -> None:
    unpacker = Unpacker(names="columns", folders=({"dt": "2024-05-01"}, {"dt": None}), takes=True)
    around = '{"keep":{"page":3},"names":["id",7]}'
    assert unpacker.unpack(["x", [1]], 0, around) == {"dt": "2024-05-01", "page": 3, "id": "x", "7": [1]}
    assert unpacker.unpack(["y", None], 1, around) == {"dt": None, "page": 3, "id": "y", "7": None}


@pytest.mark.parametrize(
    ("value", "around", "names", "reason"),
    [
        ({"a": 1}, '{"names":["a"]}', "first", "not_an_array"),
        ([1, 2], '{"names":["a"]}', "first", "wrong_width"),
        ([1, 2], '{"names":["a","a"]}', "first", "missing_names"),
        ([1], '{"names":[]}', "first", "missing_names"),
        ([1], '{"names":5}', "first", "missing_names"),
        ([1, 2], '{"names":"ab"}', "first", "missing_names"),
        ([1, 2], '{"names":{"a":1,"b":2}}', "first", "missing_names"),
        ([1], '{"keep":{"page":3}}', "", "not_an_object"),
        ({"page": 4}, '{"keep":{"page":3}}', "", "conflicting_field"),
        ({"page": "3"}, '{"keep":{"page":3}}', "", "conflicting_field"),
        ({"a": 1}, '{"keep":{"page":nul}}', "", "malformed_json"),
    ],
)
def test_what_does_not_go_with_what_is_around_it_is_refused(value: Any, around: str, names: str, reason: str) -> None:
    with pytest.raises(NotJsonError) as refused:
        Unpacker(names=names, takes=True).unpack(value, 0, around)
    assert refused.value.reason == reason


def test_an_equal_field_of_the_record_is_the_same_one() -> None:
    assert Unpacker(folders=({"dt": "1"},)).unpack({"a": 1, "dt": "1"}) == {"dt": "1", "a": 1}


def test_a_conflict_says_where_the_other_value_is() -> None:
    unpacker = Unpacker(folders=({"dt": "1"},), takes=True)
    with pytest.raises(NotJsonError, match="the record has another dt than its folder"):
        unpacker.unpack({"dt": "2"})
    with pytest.raises(NotJsonError, match="another p than its document; --keep PATH=NAME gives a name"):
        unpacker.unpack({"p": 2}, 0, '{"keep":{"p":1}}')
