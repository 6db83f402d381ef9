"""Packed style sheets and scripts mean what they meant."""

from __future__ import annotations

import pytest

from relaydesk.data import data_path
from relaydesk.web.packed import packed_script, packed_style
from relaydesk.web.static import StaticFiles


@pytest.mark.parametrize(
    ("script", "packed"),
    [
        ("const a = 1;  // one\n  /* two */ b ();", "const a=1;\nb();"),
        ("say(\"a  // b /* c */\", 'it\\'s  so');", "say(\"a  // b /* c */\",'it\\'s  so');"),
        ("x = `a  ${ b ? `c  ${d}` : '}' }  e` + 1;", "x=`a  ${ b ? `c  ${d}` : '}' }  e`+1;"),
        ("if (/a  [/ ] b/.test(c)) d = e / f / g;", "if(/a  [/ ] b/.test(c))d=e/f/g;"),
        ("a + +b - -c; d - e; typeof f in g", "a+ +b- -c;d-e;typeof f in g"),
        ("return\n  a\n\n\n  b", "return\na\nb"),
        ("a = b\n  ? c : d; for (const e of f) g(e);", "a=b\n?c:d;for(const e of f)g(e);"),
    ],
)
def test_a_script_keeps_its_texts_patterns_and_lines(script: str, packed: str) -> None:
    assert packed_script(script) == packed
    assert packed_script(packed) == packed


def test_a_style_sheet_keeps_its_selectors_and_texts() -> None:
    style = (
        '/* why */\n.a :is(.b, .c) > d:hover {\n  content: "a , b";  width: calc(1px + 2px);\n}\n'
        ".e { & > f { margin: 0 } }"
    )
    assert (
        packed_style(style)
        == '.a :is(.b,.c) > d:hover{\ncontent:"a , b";width:calc(1px + 2px);\n}\n.e{& > f{margin:0}}'
    )


def test_all_script_and_all_style_stay_within_their_budget() -> None:
    files = StaticFiles(data_path("templates") / "desk" / "static").files
    assert sum(len(files[name].content) for name in ("desk.js", "htmx.js")) <= 60 << 10
    assert len(files["desk.css"].content) <= 30 << 10
