"""The forms an import file may have."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from relaydesk.orders import json_file
from relaydesk.orders import records as limits
from relaydesk.orders.files import opened
from relaydesk.orders.records import FileError, FileRecord

if TYPE_CHECKING:
    from pathlib import Path


def records(folder: Path, content: str | bytes, name: str = "orders.csv") -> list[FileRecord]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with opened(path) as file:
        return list(file.records)


def fields(folder: Path, content: str | bytes, name: str = "orders.csv") -> list[tuple[int, object]]:
    return [(record.row, record.fields) for record in records(folder, content, name)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_reads_csv_by_any_delimiter(tmp_path: Path, mark: str, bom: str, end: str) -> None:
    text = bom + end.join(
        (mark.join(("order_id", "state")), mark.join(("1", '"a,b;c\td"')), "", mark.join(("2", "é")), "")
    )
    assert fields(tmp_path, text) == [
        (2, {"order_id": "1", "state": "a,b;c\td"}),
        (4, {"order_id": "2", "state": "é"}),
    ]


def test_a_quoted_header_does_not_mislead(tmp_path: Path) -> None:
    assert fields(tmp_path, 'order_id;"a,b,c,d"\n1;2\n') == [(2, {"order_id": "1", "a,b,c,d": "2"})]


def test_a_record_over_several_lines_keeps_the_numbers_right(tmp_path: Path) -> None:
    found = fields(tmp_path, 'order_id,state\n1,"a\nb"\n2,c\n')
    assert [row for row, _ in found] == [2, 4]


def test_a_row_of_another_width_is_named(tmp_path: Path) -> None:
    short, good, long = records(tmp_path, "order_id,state\n1\n2,b\n3,c,d\n")
    assert (short.row, short.fields, good.fields) == (2, None, {"order_id": "2", "state": "b"})
    assert (long.row, long.why.split(";")[0]) == (4, "3 cells where the header has 2")


def test_an_unclosed_quote_is_named_with_the_lines_it_swallowed(tmp_path: Path) -> None:
    found = records(tmp_path, 'order_id,state\n1,"a\n2,b\n3,c"x\n4,d\n')
    assert "lines 2 to 4" in found[0].why
    assert found[1].fields == {"order_id": "4", "state": "d"}


def test_an_endless_cell_does_not_end_the_import(tmp_path: Path) -> None:
    found = records(tmp_path, "order_id,state\n1," + "x" * 200_000 + "\n2,b\n")
    assert "field limit" in found[0].why or "field larger" in found[0].why
    assert found[-1].fields == {"order_id": "2", "state": "b"}


@pytest.mark.parametrize("name", ["orders.json", "orders.data"])
@pytest.mark.parametrize(
    "text",
    [
        '[{"order_id": 12345678901234567890, "amount": 19.90},\n {"order_id": "2"}]',
        '{"order_id": 12345678901234567890, "amount": 19.90}\n{"order_id": "2"}',
        '{"data": [{"order_id": 12345678901234567890, "amount": 19.90}, {"order_id": "2"}], "paging": {}}',
    ],
)
def test_it_reads_json_with_numbers_kept_as_written(tmp_path: Path, name: str, text: str) -> None:
    assert fields(tmp_path, text, name) == [
        (1, {"order_id": "12345678901234567890", "amount": "19.90"}),
        (2, {"order_id": "2"}),
    ]


def test_json_longer_than_a_chunk_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "CHUNK", 16)
    orders = [{"order_id": str(n), "state": "x" * n} for n in range(50)]
    assert [told for _, told in fields(tmp_path, json.dumps(orders, indent=9), "orders.json")] == orders


@pytest.mark.parametrize(
    "text", ['[{"order_id": "1"}, {"order_id": ', '[{"order_id": "1"}', '{"order_id": "1"} nonsense']
)
def test_broken_json_ends_after_what_was_good(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orders.json"
    path.write_text(text)
    with opened(path) as file:
        assert next(file.records).fields == {"order_id": "1"}
        with pytest.raises(FileError, match=r"orders\.json"):
            list(file.records)


def test_deep_nesting_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nested too deeply"):
        records(tmp_path, "[" + "[" * 100_000, "orders.json")


def test_a_giant_json_value_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="invalid JSON"):
        records(tmp_path, '["' + "x" * (limits.LONGEST_RECORD + limits.CHUNK), "orders.json")


@pytest.mark.parametrize("name", ["orders.jsonl", "orders.ndjson", "orders"])
def test_a_bad_json_line_is_named_and_the_rest_goes_on(tmp_path: Path, name: str) -> None:
    found = records(tmp_path, '{"order_id": "1"}\n\n{"order_id": \n[1]\n{"order_id": "2"}', name)
    assert [(record.row, record.fields) for record in found] == [
        (1, {"order_id": "1"}),
        (3, None),
        (4, None),
        (5, {"order_id": "2"}),
    ]


def test_an_endless_json_line_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    found = records(tmp_path, "x" * (limits.LONGEST_RECORD * 2 + 5) + '\n{"order_id": "2"}\n', "orders.jsonl")
    assert [(record.row, record.fields) for record in found] == [(1, None), (2, {"order_id": "2"})]


@pytest.mark.parametrize("name", ["orders.csv", "orders.json", "orders.jsonl"])
def test_an_empty_file_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="is empty"):
        records(tmp_path, "", name)


def test_an_empty_list_is_no_mistake(tmp_path: Path) -> None:
    assert records(tmp_path, "[]", "orders.json") == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("order_id,\u00e9tat\n1,".encode() + b"cr\xe9\n", "not UTF-8 .line 2.; save it again"),
        ("order_id,\u00e9tat\n1,a\n".encode() + "\u00e9".encode()[:1], "not UTF-8 .line 3."),
        (b'[{"order_id": "1", "state": "\xe9"}]', "is JSON and not UTF-8"),
        ("number,state\n1,a\n", "no order_id column; its first line names number, state"),
        ("order_id,Order ID\n1,2\n", "names a column twice: order_id"),
        ('order_id,"a"b\n1,2\n', "header line"),
    ],
)
def test_a_file_that_can_not_be_read_is_a_sentence(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(FileError, match=sentence):
        records(tmp_path, content)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"), opened(tmp_path / "none.csv"):
        pass
    with pytest.raises(FileError, match="cannot be"), opened(tmp_path):
        pass


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("order_id;state\n1;cr\u00e9\u00e9 5 \u20ac\n".encode("cp1252"), "cp1252"),
        ("order_id;state\n1;cr\u00e9\u00e9 5 \u20ac\n".encode(), "utf-8"),
        ("order_id;state\n1;cr\u00e9\u00e9 5 \u20ac\n".encode("utf-8-sig"), "utf-8"),
        ("order_id\tstate\n1\tcr\u00e9\u00e9 5 \u20ac\n".encode("utf-16"), "utf-16"),
    ],
)
def test_it_reads_csv_as_spreadsheets_save_it(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with opened(path) as file:
        assert [record.fields for record in file.records] == [
            {"order_id": "1", "state": "cr\u00e9\u00e9 5 \u20ac"}
        ]
        assert file.encoding == encoding


PAGE = (
    '{"data": [{"id": "1"}, {"id": "2"}], "paging": {"cursors": {"after": "]}"}, "next": "https://x/?a=[1]"}}'
)


@pytest.mark.parametrize("chunk", [7, 1 << 16])
@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        PAGE.replace("data", "orders"),
        '{"orders": {"data": [{"id": "1"}, {"id": "2"}], "paging": {}}}',
        '{"paging": {}, "data": [{"id": "1"}, {"id": "2"}]}',
        '{"id_of_shop": "9", "commerce_orders": {"data": [{"id": "1"}, {"id": "2"}]}}',
        '{"data": [{"id": "1"}], "paging": {}}\n{"data": [{"id": "2"}]}',
        '[{"data": [{"id": "1"}]}, {"data": [{"id": "2"}]}]',
        '[{"id": "1"}]\n[{"id": "2"}]',
        '{"id": "1"}\n{"id": "2"}',
        '{"data": [{"id": "1"}]}\n{"id": "2"}\n',
    ],
)
def test_it_takes_what_the_graph_api_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, chunk: int
) -> None:
    monkeypatch.setattr(json_file, "CHUNK", chunk)
    for name in ("orders.json", "orders", "orders.csv"):
        assert [record.fields for record in records(tmp_path, text, name)] == [{"id": "1"}, {"id": "2"}]


def test_a_page_on_each_line_is_read_as_such(tmp_path: Path) -> None:
    text = '{"data": [{"id": "1"}, {"id": "2"}]}\n{"data": [{"id": "3"}]}\n'
    assert fields(tmp_path, text, "orders.jsonl") == [(1, {"id": "1"}), (1, {"id": "2"}), (2, {"id": "3"})]


def test_an_error_of_the_graph_api_is_told_as_such(tmp_path: Path) -> None:
    [record] = records(tmp_path, '{"error": {"message": "(#10) denied", "code": 10}}', "orders.json")
    assert record.fields is None and record.why == "an error of the Graph API: (#10) denied"


def test_nested_lists_end_somewhere(tmp_path: Path) -> None:
    [record] = records(tmp_path, "[" * 300 + "1" + "]" * 300, "orders.json")
    assert record.fields is None


def test_a_stream_is_told_by_its_content() -> None:
    for content in (PAGE, "order id\n1\n2\n", '{"id": "1"}\n{"id": "2"}'):
        with opened(io.BytesIO(content.encode())) as file:
            assert len([record for record in file.records if record.fields]) == 2


def test_the_documented_name_counts_before_another_for_the_same(tmp_path: Path) -> None:
    assert records(tmp_path, "order_id,Order Number,email,relay_address\n1,2,a,b\n")[0].fields is not None
    with pytest.raises(FileError, match="names a column twice: created_at"):
        records(tmp_path, "order_id,created,order date\n1,2,3\n")
