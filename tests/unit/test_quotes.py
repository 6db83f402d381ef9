"""Where plain text quotes an earlier mail: one row is one form of one program."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaydesk.message.message import Body, Message, Passage
from relaydesk.message.quotes import MAX_LINES, agreed, passages
from tests.support.growth import LINEAR, growth

OWN = "It came broken."
LABEL = "Order number: 222222222222222"

ATTRIBUTIONS = [
    # English: Gmail, folded, Apple, Thunderbird, Evolution, KMail, mutt, Yahoo, Spark, Notes, Zoho, Horde
    "On Mon, Apr 2, 2012 at 6:26 PM, Megan One <one@x.example> wrote:",
    "On Mon, Apr 2, 2012 at 6:26 PM, Megan One\n<one@x.example> wrote:",
    "On Mon, Apr 2, 2012 at\n6:26 PM, Megan One\n<one@x.example>\nwrote:",
    "On May 12, 2025, at 2:03\u202fPM, The Shop wrote:",
    "On 12/05/2025 14:03, Shop wrote:",
    "On 2025-05-12 14:03, Shop wrote:",
    "On Mon, 2012-04-02 at 17:44 +0400, Shop wrote:",
    "On Monday 12 May 2025 14:03:00 you wrote:",
    "On Mon Shop wrote:",
    "On Monday, Shop wrote:",
    "Shop <shop@x.example> wrote:",
    "shop@x.example (Shop) writes:",
    "--- On Wed, 4/4/12, shop@x.example <shop@x.example> wrote:",
    "--------------------------------------------\nOn Mon, 5/12/25, Shop <shop@x.example> wrote:",
    "On 12 May 2025, 14:03 +0200, Shop <shop@x.example>, wrote:",
    "-----Shop <shop@x.example> wrote: -----",
    "Shop@x.example wrote on 05/12/2025 02:03:00 PM:",
    "---- On Mon, 12 May 2025 14:03:00 +0200 Shop <shop@x.example> wrote ----:",
    "---- On Mon, 12 May 2025 14:03:00 +0200 Shop <shop@x.example> wrote ----",
    "---- On Mon, 12 May 2025 14:03:00 +0200\nShop <shop@x.example> wrote ---",
    "------- Original Message -------\nOn Monday, May 12th, 2025 at 2:03 PM, Shop <s@x.example> wrote:",
    # Folded behind a name and its address
    "Shop <shop@x.example> kirjoitti 12.5.2025\nkello 14.03:",
    "Shop <shop@x.example>, 12 May 2025 Pzt, 14:03\ntarihinde şunu yazdı:",
    "Shop <shop@x.example> escreveu (segunda,\n12/05/2025 à(s) 14:03):",
    # Polish, Hebrew, Arabic
    "Wiadomość napisana przez Shop <shop@x.example> w dniu 12 maj 2025, o godz. 14:03:",
    "Wiadomość napisana w dniu 12 maj 2025, o godz. 14:03, przez Shop:",
    "\u202bבתאריך יום ב׳, 12 במאי 2025 ב-14:03 מאת Shop\u200f <\u202ashop@x.example\u202c\u200f>:\u202c",
    "في الاثنين، 12 مايو 2025 في 2:03 م تمت كتابة ما يلي بواسطة Shop <shop@x.example>:",
    "Quoting Shop <shop@x.example>:",
    "\u200eOn 12\u00a0May 2025, at 14:03, Shop\u00a0wrote:",
    "*On Mon, May 12, 2025 at 2:03 PM Shop <shop@x.example> wrote:*",
    # German
    "Am 12.05.2025 um 14:03 schrieb Shop <shop@x.example>:",
    "Am Mo., 12. Mai 2025 um 14:03 Uhr schrieb Shop <\nshop@x.example>:",
    "Am 12.05.2025 um 14:03 schrieb Shop:",
    "Am 12.05.25 um 14:03 schrieb Ihr Shop:",
    "Am Montag, 12. Mai 2025, 14:03:00 MESZ hat Shop <shop@x.example> Folgendes geschrieben:",
    "Am Montag, den 12.05.2025, 14:03 +0200 schrieb Shop:",
    "Shop schrieb am 12.05.2025 um 14:03:",
    "Zitat von Shop <shop@x.example>:",
    # French
    "Le lun. 12 mai 2025 à 14:03, Shop <shop@x.example> a écrit :",
    "Le 12/05/2025 à 14:03, Shop a écrit\u00a0:",
    "Le lundi 12 mai 2025 à 14:03:00 UTC+2, Shop <shop@x.example> a écrit :",
    # Spanish
    "El lun, 12 may 2025 a las 14:03, Shop (<shop@x.example>) escribió:",
    "El lunes, 12 de mayo de 2025, Shop escribió:",
    "El 12/05/2025 a las 14:03, Shop escribió:",
    # Portuguese
    "Em seg., 12 de mai. de 2025 às 14:03, Shop <shop@x.example> escreveu:",
    "Em 12/05/2025 14:03, Shop escreveu:",
    "Em segunda-feira, 12 de maio de 2025, Shop escreveu:",
    # Italian
    "Il giorno lun 12 mag 2025 alle ore 14:03 Shop <shop@x.example> ha scritto:",
    "Il 12/05/2025 14:03, Shop ha scritto:",
    "Il lunedì 12 maggio 2025, Shop ha scritto:",
    # Dutch
    "Op ma 12 mei 2025 om 14:03 schreef Shop <shop@x.example>:",
    "Op 12-05-2025 om 14:03 schreef Shop:",
    "Op maandag 12 mei 2025 heeft Shop het volgende geschreven:",
    # Swedish, Danish, Norwegian, Finnish
    "Den mån 12 maj 2025 kl 14:03 skrev Shop <shop@x.example>:",
    "Den 2025-05-12 kl. 14:03, skrev Shop:",
    "Den man. 12. maj 2025 kl. 14.03 skrev Shop <shop@x.example>:",
    "man. 12. mai 2025 kl. 14:03 skrev Shop <shop@x.example>:",
    "ma 12. toukok. 2025 klo 14.03 Shop (shop@x.example) kirjoitti:",
    "Shop kirjoitti 12.5.2025 klo 14.03:",
    # Polish, Czech, Turkish, Hungarian, Romanian, Greek, Vietnamese
    "pon., 12 maj 2025 o 14:03 Shop <shop@x.example> napisał(a):",
    "W dniu 12.05.2025 o 14:03, Shop pisze:",
    "W dniu poniedziałek, 12 maja 2025 Shop napisał(a):",
    "po 12. 5. 2025 v 14:03 odesílatel Shop <shop@x.example> napsal:",
    "Dne 12. 05. 25 v 14:03 Shop napsal(a):",
    "Shop <shop@x.example>, 12 May 2025 Pzt, 14:03 tarihinde şunu yazdı:",
    "12.05.2025 14:03 tarihinde Shop yazdı:",
    "Shop <shop@x.example> ezt írta (időpont: 2025. máj. 12., H, 14:03):",
    "În lun., 12 mai 2025 la 14:03, Shop <shop@x.example> a scris:",
    "Στις Δευ, 12 Μαΐ 2025 στις 2:03 μ.μ., ο χρήστης Shop <shop@x.example> έγραψε:",
    "Vào Th 2, 12 thg 5, 2025 lúc 14:03 Shop <shop@x.example> đã viết:",
    # Japanese, Korean, Chinese
    "2025年5月12日(月) 14:03 Shop <shop@x.example>:",
    "2025年5月12日 14:03、Shop <shop@x.example>のメール:",
    "2025/05/12 14:03、Shopのメール：",
    "Shopさんが2025年5月12日 14:03に書きました:",
    "2025년 5월 12일 (월) 오후 2:03, Shop <shop@x.example>님이 작성:",
    "Shop <shop@x.example> 于2025年5月12日周一 14:03写道：",
    "在 2025年5月12日，14:03，Shop <shop@x.example> 写道：",
    "在 2025-05-12 14:03:00，Shop 写道：",
    "Shop <shop@x.example> 於 2025年5月12日 週一 下午2:03寫道：",
    # Russian, and forms without a verb: Yandex, Gmail, mail.ru
    "12.05.2025 14:03, Shop пишет:",
    "12 мая 2025 г., в 14:03, Shop <shop@x.example> написал(а):",
    '12.05.2025, 14:03, "Shop" <shop@x.example>:',
    "пн, 12 мая 2025 г. в 14:03, Shop <shop@x.example>:",
    "Понедельник, 12 мая 2025, 14:03 +03:00 от Shop <shop@x.example>:",
]
ANNOUNCEMENTS = [
    "##- Please type your reply above this line -##",
    "-- Please reply above this line --",
    "##- Bitte geben Sie Ihre Antwort über dieser Zeile ein. -##",
    "---- Messaggio originale ----\nDa: Shop\nOgg: Re: 1",
    "-----Original Message-----",
    "----- Original Message -----\nFrom: Shop\nTo: alice",
    "-------- Original message --------\nFrom: Shop <s@x.example>\nDate: 12/05/2025 14:03 (GMT+01:00)",
    "---- Forwarded message ----",
    "---------- Forwarded message ---------\nFrom: Shop <shop@x.example>",
    "Begin forwarded message:",
    "-----Ursprüngliche Nachricht-----\nVon: Shop",
    "-------- Weitergeleitete Nachricht --------",
    "Anfang der weitergeleiteten Nachricht:",
    "-----Message d'origine-----",
    "-------- Message transféré --------",
    "Début du message réexpédié :",
    "-----Mensaje original-----",
    "---------- Mensaje reenviado ----------",
    "-----Mensagem original-----",
    "-----Messaggio originale-----",
    "Inizio messaggio inoltrato:",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Opprinnelig melding-----",
    "-----Alkuperäinen viesti-----",
    "-----Wiadomość oryginalna-----",
    "-----Původní zpráva-----",
    "-----Orijinal Mesaj-----",
    "-----Исходное сообщение-----",
    "----- 元のメッセージ -----",
    "-----원본 메시지-----",
    "------------------ 原始邮件 ------------------",
    "-------- 轉寄郵件 --------",
    "---------- Mensagem reencaminhada por nós ----------\nDe: Shop\nAssunto: x",
]
HEADERS = [
    "From: Shop <shop@x.example>\nSent: Monday, May 12, 2025 2:03 PM\nTo: alice@y.example\nSubject: x",
    "From: Shop <shop@x.example> on behalf of Help\nSent: Monday\nTo: a\nCc: b\nSubject: x",
    "________________________________\nFrom: Shop\nSent: Monday",
    "From: Shop <shop@x.example>\nDate: Monday, May 12, 2025 at 2:03 PM\nTo: Alice <a@y.example>\nSubject: x",
    "From: Shop\nTo: a@y.example;\n b@y.example; c@y.example\nSent: Monday, May 12, 2025 2:03 PM\nSubject: x",
    "Date: Thu, 26 Jun 2014 13:53:45 +0400\nSubject: x\nFrom: shop@x.example\nTo: a@y.example",
    "Von: Shop\nGesendet: Montag, 12. Mai 2025 14:03\nAn: Alice\nBetreff: x",
    "*Von:* Shop [mailto:shop@x.example]\n*Gesendet:* Montag, 12. Mai 2025\n*An:* Alice\n*Betreff:* x",
    'Gesendet: Montag, 12. Mai 2025 um 14:03 Uhr\nVon: "Shop" <shop@x.example>\nAn: a@y.example\nBetreff: x',
    "De : Shop\nEnvoyé : lundi 12 mai 2025 14:03\nÀ : Alice\nObjet : x",
    "De: Shop\nEnviado: lunes, 12 de mayo de 2025 14:03\nPara: Alice\nAsunto: x",
    "De: Shop\nEnviada em: segunda-feira, 12 de maio de 2025 14:03\nPara: Alice\nAssunto: x",
    "Da: Shop\nInviato: lunedì 12 maggio 2025 14:03\nA: Alice\nOggetto: x",
    "Van: Shop\nVerzonden: maandag 12 mei 2025 14:03\nAan: Alice\nOnderwerp: x",
    "Från: Shop\nSkickat: den 12 maj 2025 14:03\nTill: Alice\nÄmne: x",
    "Fra: Shop\nSendt: 12. maj 2025 14:03\nTil: Alice\nEmne: x",
    "Lähettäjä: Shop\nLähetetty: maanantai 12. toukokuuta 2025 14.03\nVastaanottaja: Alice\nAihe: x",
    "Od: Shop\nWysłano: poniedziałek, 12 maja 2025 14:03\nDo: Alice\nTemat: x",
    "Od: Shop\nOdesláno: pondělí 12. května 2025 14:03\nKomu: Alice\nPředmět: x",
    "Kimden: Shop\nGönderildi: 12 Mayıs 2025 Pazartesi 14:03\nKime: Alice\nKonu: x",
    "От: Shop\nОтправлено: 12 мая 2025 г. 14:03\nКому: Alice\nТема: x",
    "发件人: Shop\n发送时间: 2025年5月12日 14:03\n收件人: Alice\n主题: x",
    "发件人：Shop\n日期：2025年5月12日\n收件人：Alice\n主题：x",
    "寄件者: Shop\n寄件日期: 2025年5月12日 14:03\n收件者: Alice\n主旨: x",
    "差出人: Shop\n送信日時: 2025年5月12日 14:03\n宛先: Alice\n件名: x",
    "보낸 사람: Shop\n보낸 날짜: 2025년 5월 12일\n받는 사람: Alice\n제목: x",
    "From:\tShop/Corp\nTo:\tAlice\nDate:\t12.05.2025 14:03\nSubject:\tRe: x",
]
# What people write themselves, and forms.
NOT_QUOTED = [
    "On Monday you wrote that it was shipped.\nWhere is it?",
    "On Monday you wrote:\nIt ships tomorrow.\nWhere is it?",
    "On 12 May at 14:03 I wrote:\nno answer.",
    "I wrote to you on 12/05/2025 at 14:03:\nno answer.",
    "I asked help@shop.example and they wrote:\nwait\nI waited.",
    'The driver wrote:\n"not at home"\nI was at home.',
    "Am Montag schrieb ich Ihnen:\nWo ist mein Paket?",
    "Am Montag schrieben Sie mir, dass es kommt:\nnichts kam.",
    "Am 12.05. schrieb die Hotline:\nWir liefern nach.\nBisher kam nichts.",
    "Am 12.05.2025 schrieb mir DHL:\nPaket verloren.\nWas nun?",
    "Ich habe Ihnen am 12.05.2025 um 14:03 geschrieben:\nkeine Antwort.",
    "Le 12 mai vous avez écrit :\nle colis arrive.\nOù est-il ?",
    "El lunes ustedes escribieron:\nllega hoy\nNo llegó",
    "El 12 de mayo me escribió usted:\nllega hoy\nNo llegó",
    "In data 12 maggio ci ha scritto:\narriva\nNiente",
    "在5月12日我写道：\n没有收到",
    "From: 12 May\nTo: 15 May\nI was away.",
    "From: 12 May To: 15 May",
    "From: Berlin\nTo: Paris\nDate: 12 May\nIt never came.",
    "To: the manager\nSubject: complaint\nI want my money back",
    "Original message was lost. Please send it again.",
    "my list -> size 42\n- red > blue\na > b\nthanks",
    ">>> URGENT <<<\nwhere is my order",
    ">From my point of view it is broken",
    "2025-05-12 14:03: ordered\n2025-05-13 10:00: paid\nwhere is it",
    "| Order number | 368508827392800 |\n| Item | shirt |",
    "Sent from my iPhone\n\nPS: and the colour is wrong.",
    "--------------------\nOrder number: 368508827392800\n--------------------",
    "---------- Order details ----------\nOrder number: 368508827392800",
    "From: alice\nReason: order late\nOrder number: 368508827392800\nMessage: hi",
    "A new message.\n\nFrom: Alice\nDate: 26 Nov 2026\nSubject: Late\n\nOrder number: 368508827392800",
    "Message from alice\n\nReason: Order late\nOrder number: 368508827392800\nFrom: alice\nDate: Nov 26",
    "On November 26, 2026, alice contacted you about:\nOrder number: 368508827392800",
    "alice wrote:\n\nWhere is it?",
    "sam wrote:\n\nWhere is it?",
    "Dom Sun wrote:\n\nWhere is it?",
    "12stones wrote:\n\nWhere is it?",
    "on-12 wrote:\n\nWhere is it?",
    "El Barto escribió:\n\n¿Dónde está?",
    "Le Mar Nguyen a écrit :\n\nOù est-il ?",
    "sun.day schrieb:\n\nWo ist es?",
    "Alice99さんが書きました:\n\nどこですか",
    "alice wrote on November 26, 2026:\nWhere is it?",
    "On 26 Nov 2026 at 14:03 alice (case++abc@support.instagram.com) asked:\nWhere is it?",
    "On order 368508827392800 alice wrote:\nWhere is it?",
    "Case opened on 26 Nov 2026 at 14:03:\nThe item is late.",
    "Op maandag schreef de koerier:\nniet thuis.",
    "I saw it on ##- TV -##\nand want my money back",
    "Please reply above this line\nof fire.",
    "Von: alice\nDatum: 26.11.2026\nBetreff: Bestellung\nBestellnummer: 368508827392800",
]


def own(text: str) -> str:
    """What is the sender's own, after the check that nothing of the text was lost or moved."""
    parts = passages(text)
    assert "\n".join(passage.text for passage in parts) == text
    assert all(before.quoted != after.quoted for before, after in pairwise(parts))
    return "\n".join(passage.text for passage in parts if not passage.quoted).strip()


@pytest.mark.parametrize("separator", [*ATTRIBUTIONS, *ANNOUNCEMENTS, *HEADERS])
def test_what_follows_a_separator_is_quoted(separator: str) -> None:
    assert own(f"{OWN}\n\n{separator}\n\nHello,\n{LABEL}\nbye") == OWN
    assert own(f"{OWN}\n{separator}\n{LABEL}") == OWN


@pytest.mark.parametrize("separator", [*ATTRIBUTIONS, *ANNOUNCEMENTS, *HEADERS])
def test_answers_stand_between_lines_that_carry_the_quotation(separator: str) -> None:
    text = f"{separator}\n\n> Which colour?\n> {LABEL}\n\nBlue.\n\n> Which size?\nLarge."
    assert own(f"{OWN}\n{text}").split() == [*OWN.split(), "Blue.", "Large."]


@pytest.mark.parametrize("text", NOT_QUOTED)
def test_the_words_of_a_person_or_form_are_never_folded(text: str) -> None:
    assert own(text) == text
    assert own(f"Hello,\n\n{text}\n\nRegards") == f"Hello,\n\n{text}\n\nRegards"


@pytest.mark.parametrize(
    "quotation",
    [
        f"> {LABEL}",
        f">> {LABEL}\n> > a",
        f" > {LABEL}",
        f"On the phone your colleague wrote:\n> {LABEL}",
        f"In message <1@x.example>, Shop writes\n> {LABEL}",
        f"On Mon Shop wrote:\n| {LABEL}\n| bye",
        f"Le 12 mai Shop a écrit :\n\xbb {LABEL}",
        f"2025年5月12日 14:03、Shopのメール：\n\uff1e {LABEL}",
        f">From: Shop\n> {LABEL}",
    ],
)
def test_lines_carry_a_quotation(quotation: str) -> None:
    assert own(f"{OWN}\n{quotation}\nThanks") == f"{OWN}\nThanks"


def test_the_prose_above_a_folded_attribution_stays_own() -> None:
    prose = "On the other hand I like it"
    attribution = "On Mon, May 12, 2025 at 2:03 PM Shop\n<shop@x.example> wrote:"
    assert own(f"{prose}\n{attribution}\n\n{LABEL}") == prose


@pytest.mark.parametrize("prose", ["2 cups are broken", "I want my money back", "Reply to me @ work"])
def test_the_prose_above_a_name_and_its_address_stays_own(prose: str) -> None:
    assert own(f"{prose}\nShop <shop@x.example> wrote 12.5.2025 at\n14.03:\n{LABEL}") == prose
    assert own(f"{prose}\nShop <shop@x.example> wrote:\n{LABEL}") == prose


def test_blank_lines_inside_a_quotation_belong_to_it() -> None:
    quotation = "> a\n\n\n> b\n"
    assert [part.quoted for part in passages(f"{OWN}\n{quotation}")] == [False, True]
    assert passages("\n\n") == (Passage("\n\n"),)
    assert passages("") == ()


def test_what_lies_beyond_the_lines_that_are_read_is_never_own() -> None:
    text = "a\n" * MAX_LINES + LABEL
    assert LABEL not in own(text)
    assert LABEL in own("a\n" * (MAX_LINES - 1) + LABEL)


def test_a_mail_that_only_quotes_shows_it_all_and_owns_nothing() -> None:
    text = f"---------- Forwarded message ---------\nFrom: Shop <s@x.example>\n\n{LABEL}\n"
    message = Message(text=text, bodies=(Body("text", passages(text)),))
    assert message.bodies[0].own == ""
    assert (message.own, message.quoted) == (text.strip("\n"), "")


@pytest.mark.parametrize(
    ("plain", "hyper"),
    [
        ((Passage(OWN), Passage(f"> {LABEL}", quoted=True)), (Passage(f"{OWN}\n{LABEL}"),)),
        ((Passage(f"{OWN}\n{LABEL}"),), (Passage(OWN), Passage(LABEL, quoted=True))),
        (
            (Passage(OWN), Passage("> Order number:\n> 222222222222222", quoted=True)),
            (Passage(f"{OWN}\nOrder number:\n222222222222222"),),
        ),
        (
            (Passage(f"{OWN}\n{LABEL}"),),
            (Passage(OWN), Passage("Order number:\t222222222222222", quoted=True)),
        ),
    ],
)
def test_what_one_body_quotes_the_other_does_not_own(
    plain: tuple[Passage, ...], hyper: tuple[Passage, ...]
) -> None:
    for body in agreed(plain, hyper):
        assert "\n".join(part.text for part in body if not part.quoted) == OWN


def test_a_line_that_both_bodies_own_stays_own_though_one_quotes_it_too() -> None:
    plain = (Passage(f"{OWN}\nThanks"),)
    hyper = (Passage(f"{OWN}\nThanks"), Passage("Thanks", quoted=True))
    assert agreed(plain, hyper) == (plain, hyper)


LINES = st.sampled_from(
    [
        *ATTRIBUTIONS[:8],
        *ANNOUNCEMENTS[:4],
        *HEADERS[:3],
        *NOT_QUOTED[:4],
        "",
        " ",
        "> a",
        ">",
        "a:",
        "____________",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=20))
def test_passages_joined_are_the_text_again(lines: list[str]) -> None:
    own("\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "On Monday 12 May 2025 X wrote something " * 9 + ":\n",
        "1." * 190 + ":\n",
        "a@b." * 90 + ":\n",
        "wrote on " * 40 + ":\n",
        ("-" * 60 + "x" * 60 + "-" * 60 + "y\n") * 2,
        "On a you wrote:\n\n\n\n\n\n\n\n",
        "From: a\n\n\n\n\n\n\n\n\n\n\n\n",
        "________________\n\n\n\n",
        "-- original message\n> a\n",
        "x" * 400,
        "Shop <shop@x.example>\n",
        "##-wrote--\n-- reply above this line\n",
    ],
    ids=range(12),
)
def test_its_work_grows_with_the_text(text: str) -> None:
    assert growth(passages, lambda size: text * (size // len(text)), 14_000) < LINEAR
