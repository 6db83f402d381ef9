"""The forms an import file may have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from relaydesk.orders import files
from relaydesk.orders.files import FileError, FileRecord, opened

if TYPE_CHECKING:
    from pathlib import Path


def records(folder: Path, content: str | bytes, name: str = "orders.csv") -> list[FileRecord]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with opened(path) as (_, found):
        return list(found)


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
    monkeypatch.setattr(files, "CHUNK", 16)
    orders = [{"order_id": str(n), "state": "x" * n} for n in range(50)]
    assert [told for _, told in fields(tmp_path, json.dumps(orders, indent=9), "orders.json")] == orders


@pytest.mark.parametrize(
    "text", ['[{"order_id": "1"}, {"order_id": ', '[{"order_id": "1"}', '{"order_id": "1"} nonsense']
)
def test_broken_json_ends_after_what_was_good(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orders.json"
    path.write_text(text)
    with opened(path) as (_, found):
        assert next(found).fields == {"order_id": "1"}
        with pytest.raises(FileError, match=r"orders\.json"):
            next(found)


def test_deep_nesting_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nested too deeply"):
        records(tmp_path, "[" + "[" * 100_000, "orders.json")


def test_a_giant_json_value_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="invalid JSON"):
        records(tmp_path, '["' + "x" * (files.LONGEST_RECORD + files.CHUNK), "orders.json")


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
    found = records(tmp_path, "x" * (files.LONGEST_RECORD * 2 + 5) + '\n{"order_id": "2"}\n', "orders.jsonl")
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
        ("order_id,état\n1,créé\n".encode("latin-1"), "not UTF-8 .line 1.; save it again"),
        ("order_id,state\n1,créé\n".encode("latin-1"), "not UTF-8 .line 2."),
        ("order_id,state\n1,x\n".encode("utf-16"), "not UTF-8"),
        (b"order_id\n1\n" + "é".encode()[:1], "not UTF-8 .line 3."),
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
    with pytest.raises(FileError, match="cannot be opened"), opened(tmp_path / "none.csv"):
        pass
    with pytest.raises(FileError, match="cannot be"), opened(tmp_path):
        pass
