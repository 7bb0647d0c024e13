import json
import math
import random

import pytest

from foresaid.canonical_json import (
    DEPTH,
    FILE_BYTES,
    FILE_LINES,
    LINE_BYTES,
    decimal,
    dump_line,
    parse_decimal,
    parse_line,
    parse_lines,
    split_lines,
)
from foresaid.errors import LedgerError

LINE = {"a": [1, -2, "0.5", True, None, {"sha256": "é"}], "b_c": '\t\u0001"\\/'}


def test_a_line_reads_back_as_it_was_written() -> None:
    assert dump_line(LINE).endswith(b"\n")
    assert parse_line(dump_line(LINE)[:-1]) == LINE


def test_only_one_spelling_of_a_value_is_accepted() -> None:
    line = dump_line(LINE)[:-1]
    others = [
        json.dumps(LINE).encode(),
        json.dumps(LINE, sort_keys=True, separators=(",", ":")).encode(),
        line.replace(b"/", b"\\/"),
        line.replace(b"\\u0001", b"\\U0001"),
        b" " + line,
        line + b" ",
        line + line,
        b'{"b":1,"a":2}',
        b'{"a":-0}',
    ]

    for other in others:
        with pytest.raises(LedgerError, match=r"^line 3: "):
            parse_line(other, 3)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":1,"a":1}', "duplicate key 'a'"),
        (b'{"a":{"b":1,"b":2}}', "duplicate key 'b'"),
        (b'{"a":0.5}', "floats are refused"),
        (b'{"a":1e400}', "floats are refused"),
        (b'{"a":NaN}', "floats are refused"),
        (b'{"a":-Infinity}', "floats are refused"),
        (b'{"a":9007199254740992}', "less than 2"),
        (b'{"a":' + b"9" * 5000 + b"}", "less than 2"),
        (b'{"A":1}', "expected .a-z_"),
        (b'{"1a":1}', "expected .a-z_"),
        (b'{"":1}', "expected .a-z_"),
        ('{"é":1}'.encode(), "expected .a-z_"),
        (b'{"a":"\\ud800"}', "not UTF-8"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"{}\r", "carriage return"),
        (b"[1]", "expected an object"),
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[" * 60_000, "nested"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, "nested more than 8"),
        (b'{"a":"' + b"x" * LINE_BYTES + b'"}', "at most 1048576"),
    ],
)
def test_a_line_outside_the_profile_is_refused_with_its_number(line: bytes, reason: str) -> None:
    with pytest.raises(LedgerError, match=rf"^line 12: .*{reason}"):
        parse_line(line, 12)


def test_the_depth_limit_itself_is_allowed() -> None:
    line = b'{"a":' * DEPTH + b"1" + b"}" * DEPTH

    assert line + b"\n" == dump_line(parse_line(line))


@pytest.mark.parametrize("value", [{"a": 0.5}, {"a": float("nan")}, {"a": {1, 2}}, {"A": 1}, {"a": 2**53}, {"a": "\ud800"}])
def test_nothing_is_written_that_could_not_be_read(value: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match=r"^line 5: "):
        dump_line(value, 5)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: dict[str, object] = {}
    value["a"] = value

    with pytest.raises(LedgerError, match="Circular"):
        dump_line(value)


def test_a_file_needs_its_last_newline_and_keeps_to_its_caps() -> None:
    assert parse_lines(b'{}\n{"a":1}\n') == [{}, {"a": 1}]
    for data, line in [
        (b"", 1),
        (b"{}\n{}", 2),
        (b"{}\n" * (FILE_LINES + 1), FILE_LINES + 1),
        (b"x" * (FILE_BYTES + 1), 1),
        (b"{}\n\n{}\n", 2),
    ]:
        with pytest.raises(LedgerError, match=rf"^line {line}: "):
            parse_lines(data)
    assert len(list(split_lines(b"{}\n" * FILE_LINES))) == FILE_LINES


def test_random_junk_raises_one_type_of_error() -> None:
    random_bytes = random.Random("junk")
    line = dump_line(LINE)[:-1]
    for _ in range(5000):
        junk = bytearray(line)
        for _ in range(random_bytes.randint(1, 4)):
            junk[random_bytes.randrange(len(junk))] = random_bytes.randrange(256)
        try:
            value = parse_line(bytes(junk))
        except LedgerError:
            continue
        assert bytes(junk) + b"\n" == dump_line(value)


@pytest.mark.parametrize(
    ("expected", "x", "digits"),
    [
        ("0", 0.0, 8),
        ("0", -0.0, 8),
        ("0.1", 0.1, 17),
        ("1", 0.999999999, 8),
        ("-2.5", -2.5, 8),
        ("0.12345679", 0.123456789, 8),
        ("100", 100.0, 8),
        ("120", 123.0, 2),
        ("0.000001", 1e-6, 17),
        ("0.000000000000000001", 1e-18, 8),
        ("123456790000000000", 123456789e9, 8),
        ("3", 3, 8),
    ],
)
def test_a_number_is_written_with_so_many_significant_digits(expected: str, x: float, digits: int) -> None:
    assert expected == decimal(x, digits)


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, 1e18, 1.5e-18, 1.2345678e-12])
def test_a_number_that_the_grammar_cannot_hold_is_refused(x: float) -> None:
    with pytest.raises(LedgerError, match="decimal"):
        decimal(x)


def test_with_17_digits_a_number_reads_back_unchanged() -> None:
    numbers = random.Random("decimals")
    for _ in range(2000):
        x = numbers.choice((-1, 1)) * numbers.uniform(0.1, 1) * 10 ** numbers.randint(2, 17)
        assert x == float(parse_decimal(decimal(x, 17)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1.",
        ".5",
        "01",
        "+1",
        "1e3",
        "1,5",
        "1_000",
        " 1",
        "1\n",
        "--1",
        "0x1",
        "1" * 19,
        "0." + "1" * 19,
        "NaN",
        "Infinity",
        "\u0661",
        "\uff11",
        "\u22121",
        "1.2.3",
        1,
        0.5,
        None,
    ],
)
def test_any_other_spelling_of_a_number_is_refused(text: object) -> None:
    with pytest.raises(LedgerError, match="decimal string"):
        parse_decimal(text)
