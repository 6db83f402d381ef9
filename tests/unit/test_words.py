"""The words of the search index, and those of a query."""

from __future__ import annotations

import pytest

from relaydesk.message.words import MOST, index_words, query_words

TEXTS = [
    "My parcel never ARRIVED, order 368508827392800!",
    "Meine Straße in Köln-Süd",
    "L'été à la Crète: où est ma commande ?",
    "注文番号368508827392800が届きません",
    "주문한 물건이 도착하지 않았어요",
    "Где моя посылка?",
    "ไม่ได้รับสินค้า",
    "İstanbul'daki siparişim ışık",
    "case++aazr5wey3juyyq@support.instagram.com",
    "ｆｕｌｌ ｗｉｄｔｈ １２３",
]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (0, "arrived parcel"),
        (0, "368508827392800"),
        (0, "36850882"),  # still being typed
        (1, "strasse koln"),
        (1, "STRASSE"),
        (1, "süd"),
        (2, "ete crete"),
        (3, "届き"),
        (3, "番号"),
        (3, "注文番号"),
        (3, "ん"),
        (4, "물건"),
        (4, "도착"),
        (5, "ПОСЫЛКА"),
        (6, "สินค้า"),
        (7, "istanbul"),
        (7, "isik"),
        (8, "case++aazr5wey3juyyq@support.instagram.com"),
        (8, "aazr5wey"),
        (9, "width 123"),
    ],
)
def test_a_piece_of_a_text_is_among_its_words(text: int, query: str) -> None:
    words, asked = set(index_words([TEXTS[text]])), query_words(query)
    assert asked
    assert set(asked[:-1]) <= words
    assert any(word.startswith(asked[-1]) for word in words)


@pytest.mark.parametrize("query", ["never come", "文注", "süden", "koelner", "물도", "368508827392801"])
def test_what_no_text_holds_is_not_among_them(query: str) -> None:
    words, asked = set(index_words(TEXTS)), query_words(query)
    assert not (set(asked[:-1]) <= words and any(word.startswith(asked[-1]) for word in words))


@pytest.mark.parametrize("query", ["", "  ", "?!", "'", '"*', "_"])
def test_a_query_without_a_word_asks_for_nothing(query: str) -> None:
    assert query_words(query) == ()


def test_words_are_bounded() -> None:
    assert len(index_words([" ".join(map(str, range(3 * MOST)))])) == MOST
    assert max(map(len, index_words(["x" * 10_000]))) == 64
