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
