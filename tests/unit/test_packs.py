"""The language packs: Meta's form in every language, and what is wrong with a pack, where."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from relaydesk.classify import packs_file
from relaydesk.classify.packs_file import load_pack
from relaydesk.classify.yaml_reader import RulesError
from tests.support.mails import RULES, sorted_mail

FACEBOOK = "Facebook Support <case++zq7t2mmx9k4c1d@support.facebook.com>"
META = "Instagram <no-reply@shopping.instagram.com>"
ORDER = "368508827392800"

# Language, Subject, reason line, order line, the seller's own number.
FORMS = [
    (
        "en",
        "Message from {}",
        "Reason for contact: Return request",
        "Facebook order number: {}",
        "Merchant order number: {}",
    ),
    (
        "de",
        "Nachricht von {}",
        "Kontaktgrund: Rücksendeanfrage",
        "Facebook-Bestellnummer: {}",
        "Händler-Bestellnummer: {}",
    ),
    (
        "fr",
        "Message de {}",
        "Motif du contact : Demande de retour",
        "Numéro de commande Facebook : {}",
        "Numéro de commande du vendeur : {}",
    ),
    (
        "es",
        "Mensaje de {}",
        "Motivo del contacto: Solicitud de devolución",
        "Número de pedido de Facebook: {}",
        "Número de pedido del vendedor: {}",
    ),
    (
        "pt",
        "Mensagem de {}",
        "Motivo do contato: Solicitação de devolução",
        "Número do pedido do Facebook: {}",
        "Número do pedido do vendedor: {}",
    ),
    (
        "it",
        "Messaggio da {}",
        "Motivo del contatto: Richiesta di reso",
        "Numero ordine Facebook: {}",
        "Numero ordine venditore: {}",
    ),
    (
        "nl",
        "Bericht van {}",
        "Reden voor contact: Retourverzoek",
        "Facebook-bestelnummer: {}",
        "Bestelnummer van de verkoper: {}",
    ),
    (
        "sv",
        "Meddelande från {}",
        "Anledning till kontakt: Returbegäran",
        "Facebook-ordernummer: {}",
        "Säljarens ordernummer: {}",
    ),
    (
        "da",
        "Besked fra {}",
        "Årsag til henvendelse: Anmodning om returnering",
        "Facebook-ordrenummer: {}",
        "Sælgers ordrenummer: {}",
    ),
    (
        "nb",
        "Melding fra {}",
        "Årsak til henvendelse: Returforespørsel",
        "Facebook-ordrenummer: {}",
        "Selgers ordrenummer: {}",
    ),
    (
        "fi",
        "Viesti käyttäjältä {}",
        "Yhteydenoton syy: Palautuspyyntö",
        "Facebook-tilausnumero: {}",
        "Myyjän tilausnumero: {}",
    ),
    (
        "pl",
        "Wiadomość od {}",
        "Powód kontaktu: Prośba o zwrot",
        "Numer zamówienia: {}",
        "Numer zamówienia sprzedawcy: {}",
    ),
    (
        "cs",
        "Zpráva od {}",
        "Důvod kontaktu: Žádost o vrácení",
        "Číslo objednávky: {}",
        "Číslo objednávky prodejce: {}",
    ),
    (
        "tr",
        "{} adlı kişiden mesaj",
        "İletişim nedeni: İade talebi",
        "Sipariş numarası: {}",
        "Satıcı sipariş numarası: {}",
    ),
    (
        "ja",
        "{}さんからのメッセージ",
        "お問い合わせの理由：返品リクエスト",
        "注文番号：{}",
        "ショップの注文番号：{}",
    ),
    ("ko", "{}님의 메시지", "문의 사유: 반품 요청", "주문 번호: {}", "판매자 주문 번호: {}"),
    ("zh-Hans", "来自{}的消息", "联系原因：退货请求", "订单编号：{}", "商家订单编号：{}"),
    ("zh-Hant", "來自{}的訊息", "聯絡原因：退貨要求", "訂單編號：{}", "商家訂單編號：{}"),
]


@pytest.mark.parametrize(("language", "subject", "reason", "order", "reference"), FORMS)
def test_it_reads_metas_form(language, subject, reason, order, reference):
    text = f"{reason}\r\n{order.format(ORDER)}\r\n{reference.format('SHOP-1001')}\r\n"
    found = sorted_mail(FACEBOOK, subject.format("Anna Muster"), text)
    assert (found.match.kind, found.match.rule) == ("case", "facebook-case")
    assert found.username == "Anna Muster"
    assert found.contact_reason == "return_request"
    assert found.values("order", sure="labelled") == (ORDER,)
    assert found.values("merchant_ref", sure="labelled") == ("SHOP-1001",)


@pytest.mark.parametrize("form", FORMS, ids=[form[0] for form in FORMS])
def test_it_reads_a_form_whose_values_stand_below_their_labels(form):
    lines = (line.replace("：", ":").partition(":") for line in (form[2], form[3].format(ORDER)))
    text = "".join(f"{label.strip()}\r\n{value.strip()}\r\n\r\n" for label, _, value in lines)
    found = sorted_mail(FACEBOOK, "x", text)
    assert found.contact_reason == "return_request"
    assert found.values("order", sure="labelled") == (ORDER,)


ORDER_LABELS = {
    "de": ["Bestellnummer", "Bestell-Nr.", "Facebook Bestellnummer", "BESTELLNUMMER", "Instagram-Bestellung"],
    "fr": ["N° de commande", "Nº de commande", "Numéro de la commande", "Référence de commande", "Commande"],
    "es": ["Número de pedido", "N.° de pedido", "ID del pedido", "Pedido", "Número de orden"],
    "pt": ["Número do pedido", "Número da encomenda", "ID do pedido", "N.º da encomenda", "Pedido"],
    "it": ["Numero ordine", "Numero d'ordine", "Numero d\u2019ordine", "N. ordine", "ID ordine"],
    "nl": ["Bestelnummer", "Ordernummer", "Instagram-ordernummer"],
    "sv": ["Ordernummer", "Beställningsnummer", "Order-ID"],
    "da": ["Ordrenummer", "Ordre-ID", "Bestilling"],
    "nb": ["Ordrenummer", "Bestillingsnummer", "Ordre"],
    "fi": ["Tilausnumero", "Tilauksen numero", "Tilaus"],
    "pl": ["Numer zamówienia", "Nr zamówienia", "Zamówienie", "ID zamówienia"],
    "cs": ["Číslo objednávky", "Objednávka č.", "ČÍSLO OBJEDNÁVKY"],
    "tr": ["Sipariş numarası", "SİPARİŞ NUMARASI", "Sipariş no"],
    "ja": ["ご注文番号", "注文ID", "Facebookの注文番号", "Facebook 注文番号", "オーダー番号"],
    "ko": ["주문번호", "주문 ID", "Facebook 주문 번호"],
    "zh-Hans": ["订单号", "订单号码", "Instagram订单编号", "Facebook 订单编号"],
    "zh-Hant": ["訂單號碼", "訂單編號", "Facebook訂單編號"],
}


@pytest.mark.parametrize("label", [label for labels in ORDER_LABELS.values() for label in labels])
@pytest.mark.parametrize("form", ["{}: {}", "{}\u00a0: {}", "{}\uff1a{}", "{} #{}", "{}\t{}"])
def test_it_knows_the_words_for_an_order(label, form):
    found = sorted_mail(FACEBOOK, "x", form.format(label, ORDER))
    assert found.values("order", sure="labelled") == (ORDER,)


@pytest.mark.parametrize(
    "line",
    [
        "Artikelnummer: {}",
        "Sendungsnummer: {}",
        "Telefon: {}",
        "Numéro de suivi : {}",
        "Article : {}",
        "Número de artículo: {}",
        "Teléfono: {}",
        "Código de rastreamento: {}",
        "Numero articolo: {}",
        "Trackingnummer: {}",
        "Artikelnummer: {}",
        "Varenummer: {}",
        "Sporingsnummer: {}",
        "Tuotenumero: {}",
        "Numer produktu: {}",
        "Číslo zásilky: {}",
        "Takip numarası: {}",
        "追跡番号：{}",
        "商品番号：{}",
        "운송장 번호: {}",
        "快递单号：{}",
        "商品编号：{}",
        "追蹤編號：{}",
        "die Sendungsnummer ist {}",
        "mon numéro de suivi est {}",
        "我的快递单号是{}",
        "追跡番号は{}です",
    ],
)
def test_it_leaves_look_alikes_out(line):
    assert sorted_mail(FACEBOOK, "x", line.format(ORDER)).candidates == ()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("meine Bestellnummer ist {}, wo bleibt sie?", "Bestellnummer"),
        ("mon numéro de commande est {}", "numéro de commande"),
        ("注文番号は{}です", "注文番号"),
        ("我的订单号是{}", "订单号"),
        ("주문 번호는 {}입니다", "주문 번호"),
        ("moje číslo objednávky je {}", "číslo objednávky"),
    ],
)
def test_it_takes_a_number_in_prose_as_mentioned(text, label):
    (found,) = sorted_mail(FACEBOOK, "x", text.format(ORDER)).candidates
    assert (found.value, found.sure, found.label) == (ORDER, "mentioned", label)


REASONS = {
    "return_request": [
        "Return",
        "Returns",
        "Return an item",
        "Return or exchange",
        "Return request",
        "I want to return this",
        "Exchange",
        "Send back",
        "Returns & refunds",
        "Rücksendung",
        "Retoure",
        "Artikel umtauschen",
        "Rückgabe",
        "Retour",
        "Retourner un article",
        "Retour ou échange",
        "Devolución",
        "Devolver un artículo",
        "Devolução",
        "Devolver um item",
        "Reso",
        "Restituire un articolo",
        "Retour",
        "Retourneren",
        "Returnér en vare",
        "Palauta tuote",
        "Ürün iadesi",
        "Retur",
        "Returnera",
        "Returnering",
        "Returnere",
        "Palautus",
        "Tuotteen palautus",
        "Zwrot",
        "Zwrot towaru",
        "Vrácení zboží",
        "İade",
        "İade etmek istiyorum",
        "返品",
        "返品または交換",
        "반품",
        "교환",
        "退货",
        "退换货",
        "退貨",
        "換貨",
    ],
    "cancellation_request": [
        "Cancel order",
        "Cancellation",
        "Cancellation request",
        "I want to cancel my order",
        "Stornierung",
        "Bestellung stornieren",
        "Annulation",
        "Annuler la commande",
        "Cancelación",
        "Cancelar el pedido",
        "Cancelamento",
        "Annullamento",
        "Annulering",
        "Avbeställning",
        "Annullering",
        "Kansellering",
        "Peruutus",
        "Anulowanie zamówienia",
        "Zrušení objednávky",
        "Sipariş iptali",
        "キャンセル",
        "주문 취소",
        "取消订单",
        "取消訂單",
    ],
    "late_or_missing": [
        "Late or missing",
        "Order late or missing",
        "Item not received",
        "Where is my order",
        "Where\u2019s my order?",
        "Package hasn't arrived",
        "Verspätet oder nicht angekommen",
        "Nicht erhalten",
        "En retard ou manquante",
        "Non reçu",
        "No recibido",
        "Não recebido",
        "Não chegou",
        "Non ricevuto",
        "Niet ontvangen",
        "Försenad",
        "Forsinket",
        "Ikke mottatt",
        "Myöhässä",
        "Nie otrzymano",
        "Zpožděná",
        "Siparişim nerede",
        "商品が届かない",
        "미수령",
        "未收到",
        "没有收到",
        "沒收到",
    ],
    "damaged_or_not_as_described": [
        "Damaged",
        "Item damaged or not as described",
        "Wrong item",
        "Not as described",
        "Defective item",
        "Beschädigt oder nicht wie beschrieben",
        "Falscher Artikel",
        "Endommagé",
        "Non conforme à la description",
        "Dañado",
        "No coincide con la descripción",
        "Danificado",
        "Item errado",
        "Danneggiato",
        "Beschadigd",
        "Skadad",
        "Beskadiget",
        "Skadet",
        "Viallinen",
        "Uszkodzone",
        "Poškozené",
        "Hasarlı",
        "破損",
        "説明と異なる",
        "파손",
        "설명과 다름",
        "损坏",
        "与描述不符",
        "損壞",
        "寄錯商品",
    ],
    "other_question": [
        "Other",
        "Another question",
        "Something else",
        "Andere Frage",
        "Sonstiges",
        "Autre question",
        "Otra pregunta",
        "Outra dúvida",
        "Altra domanda",
        "Andere vraag",
        "Annan fråga",
        "Andet",
        "Annet spørsmål",
        "Muu kysymys",
        "Inne pytanie",
        "Jiný dotaz",
        "Başka bir soru",
        "その他",
        "기타 문의",
        "其他问题",
        "其他問題",
    ],
}


@pytest.mark.parametrize(
    ("code", "wording"), [(code, wording) for code, wordings in REASONS.items() for wording in wordings]
)
def test_it_reads_the_reason_for_contact(code, wording):
    for text in (
        f"Reason for contact: {wording}\r\nOrder number: {ORDER}",
        f"Reason for contact\r\n{wording}",
    ):
        found = sorted_mail(FACEBOOK, "x", text)
        assert found.contact_reason == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ich möchte den Artikel gerne zurückgeben.", "return_request"),
        ("Je voudrais retourner cet article", "return_request"),
        ("返品したいです", "return_request"),
        ("I want to\r\nreturn this lamp", "return_request"),
        ("Wo ist meine Bestellung?", "late_or_missing"),
        ("Quiero cancelar mi pedido", "cancellation_request"),
        ("We will return your call", ""),
        ("Der Retourenaufkleber ist schön", ""),
        ("Many happy returns!", ""),
    ],
)
def test_it_reads_a_reason_from_running_text_only_where_somebody_wants_it(text, code):
    assert sorted_mail(FACEBOOK, "x", text).contact_reason == code


@pytest.mark.parametrize(
    "subject",
    [
        "A claim has been opened for order #{}",
        "A buyer filed a claim for order {}",
        "Claim opened for order #{}",
        "Ein Anspruch wurde für Bestellung {} eröffnet",
        "Es wurde ein Antrag für Bestellung #{} gestellt",
        "Une réclamation a été ouverte pour la commande n° {}",
        "Se ha abierto una reclamación para el pedido {}",
        "Uma reivindicação foi aberta para o pedido {}",
        "Un reclamo è stato aperto per l'ordine {}",
        "Er is een claim geopend voor bestelling {}",
        "Ett anspråk har öppnats för order {}",
        "Et krav er oprettet for ordre {}",
        "Et krav er åpnet for ordre {}",
        "Vaatimus on avattu tilauksesta {}",
        "Zgłoszono roszczenie dotyczące zamówienia {}",
        "Byl otevřen nárok k objednávce {}",
        "{} numaralı sipariş için hak talebi açıldı",
        "注文 #{} についてクレームが申請されました",
        "주문 {}에 대한 클레임이 접수되었습니다",
        "订单 {} 已提交索赔",
        "訂單 {} 已提出索賠",
    ],
)
def test_it_reads_a_claim_and_its_order(subject):
    found = sorted_mail(META, subject.format(ORDER), "x")
    assert (found.match.kind, found.match.rule) == ("claim", "claim-opened")
    assert found.values("order", sure="labelled") == (ORDER,)


@pytest.mark.parametrize(
    "subject",
    [
        "Chargeback for order {}",
        "Rückbuchung für Bestellung {}",
        "Rétrofacturation de la commande {}",
        "Contracargo del pedido {}",
        "注文 {} のチャージバック",
        "订单 {} 发生拒付",
        "주문 {} 차지백",
        "Ters ibraz: sipariş {}",
    ],
)
def test_it_reads_a_chargeback_and_its_order(subject):
    found = sorted_mail(META, subject.format(ORDER), "x")
    assert found.match.kind == "chargeback"
    assert found.values("order", sure="labelled") == (ORDER,)


def test_it_says_that_a_phrase_is_a_guess():
    guessed = sorted_mail(META, "Deine Bestellung wurde versandt")
    assert "'wurde versandt' (de), not yet seen in a real mail" in guessed.match.why
    confirmed = sorted_mail(META, "New Marketplace order for a lamp")
    assert confirmed.match.kind == "notice"
    assert "not yet seen" not in confirmed.match.why


def test_it_takes_two_numbers_in_a_claims_subject_for_none_of_its_own():
    found = sorted_mail(META, f"Ein Anspruch wurde für {ORDER} und 64000841784004 eröffnet")
    assert found.match.kind == "claim"
    assert found.values("order", sure="labelled") == ()


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Re: Nachricht von Jürgen Bürger", "Jürgen Bürger"),
        ("AW: Re: Message de Zoé", "Zoé"),
        ("Ａｌｉｃｅさんからのメッセージ", "Ａｌｉｃｅ"),
        ("Message from \u200bali\u00adce\u200e", "alice"),
        ("Message\u00a0from\u202fAnna\u00a0Muster", "Anna Muster"),
        ("Message from 👨\u200d👩\u200d👧 home", "👨\u200d👩\u200d👧 home"),
        ("Ｍｅｓｓａｇｅ　ｆｒｏｍ　ｂｏｂ", "bob"),
        ("DENIZ adlı kişiden mesaj", "DENIZ"),
        ("MESAJ GÖNDEREN: İnci", "İnci"),
        ("Zpráva od uživatele Anna Muster", "Anna Muster"),
        ("王小明 的消息", "王小明"),
        ("alice 傳送的訊息", "alice"),
        ("Question about my lamp", ""),
    ],
)
def test_it_reads_the_buyers_name_as_it_is_written(subject, name):
    assert sorted_mail(FACEBOOK, subject, f"Order number: {ORDER}").username == name


def test_every_language_has_a_list_of_every_meaning():
    lists: dict[str, set[tuple[str, str]]] = {}
    for phrase in RULES.phrases:
        lists.setdefault(phrase.language, set()).add((phrase.place, phrase.means))
    assert set(lists) == {form[0] for form in FORMS}
    everywhere = lists["de"]
    assert {language: everywhere - have for language, have in lists.items() if everywhere - have} == {
        "en": {("text", "shop")}  # English has patterns for it
    }


def test_only_english_phrases_have_been_seen():
    assert {phrase.language for phrase in RULES.phrases if phrase.seen} == {"en"}


def test_every_pack_is_yaml_of_the_same_content():
    for path in sorted(Path(packs_file.__file__).with_name("packs").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        reader = packs_file._PackReader(path.name)
        reader.read(text)
        tree: dict[str, object] = {key: value for key, (value, _) in reader.values.items()}
        for (section, name), block in reader.blocks.items():
            lines = "".join(f"{line}\n" for line, _ in block)
            if name:
                tree.setdefault(section, {})[name] = lines
            else:
                tree[section] = lines
        whole = YAML(typ="safe").load(text)
        assert tree == {**whole, "seen": str(whole["seen"]).lower()}
        assert path.stem == whole["language"]


PACK = """\
language: xx
seen: false
username: |
  Ping {username}
labels:
  order: |
    Ordo
subjects:
  claim: |
    ordo disputata
"""


def test_it_takes_a_pack():
    pack = load_pack(PACK, "xx.yaml")
    assert {kind: words for kind, words in pack.labels.items() if words} == {"order": ("Ordo",)}
    assert [(p.means, p.text, p.language, p.seen) for p in pack.phrases] == [
        ("claim", "ordo disputata", "xx", False)
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("language: xx", "language: 7", 1, "language must be a code"),
        ("seen: false", "seen: perhaps", 2, "seen must be true or false"),
        ("seen: false", "seen: false\nseen_in_real_mail: |\n  nihil", 4, "'nihil' is no phrase of this pack"),
        ("Ping {username}", "Ping", 4, "needs {username} once"),
        ("  order: |\n    Ordo", "  order: [Ordo]", 6, "must be a block of lines"),
        ("  order: |\n    Ordo", "  ordre: |\n    Ordo", 6, "unknown key 'ordre'"),
        ("    Ordo", "    Ordo\n    #", 8, "has no word"),
        ("subjects:", "subject:", 8, "unknown key 'subject'"),
        ("subjects:", "subjects: claim", 8, "must be a block of lines"),
        ("    ordo disputata", "  ordo disputata", 10, "ordo disputata must be a block"),
        ("language: xx", "language: xx\nlanguage: yy", 2, "duplicate key"),
    ],
)
def test_it_says_what_is_wrong_with_a_pack_and_where(old, new, line, said):
    assert old in PACK
    with pytest.raises(RulesError) as caught:
        load_pack(PACK.replace(old, new, 1), "xx.yaml")
    problems = caught.value.problems
    assert any(said in problem and problem.startswith(f"xx.yaml:{line}:") for problem in problems), problems
