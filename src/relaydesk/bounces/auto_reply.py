"""Automatic replies: by the header fields that mail programs set, and by Subjects in many languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.bounces.words import folded, holds, phrases

if TYPE_CHECKING:
    from relaydesk.message import Message

_OPENING = re.compile(r"[\s\[\](){}<>*#\"'【】「」〔〕（）《》:!-]*+")
_ANSWERS = (
    "re:",
    "aw:",
    "fw:",
    "fwd:",
    "wg:",
    "sv:",
    "tr:",
    "rv:",
    "r:",
    "antw:",
    "vs:",
    "odp:",
    "i:",
    "enc:",
)

# The Subject begins so.
_BEGINS = phrases("""
# English
automatic reply | automated reply | automatic response | automated response | auto reply | auto-reply
autoreply | auto: | auto response | auto-response | autoresponse | autoresponder | auto-responder
auto answer | automatic answer | out of office | out of the office | out-of-office | out of my office
ooo: | ooo - | oof: | away from the office | away from my mail | away from office | away from my desk
on vacation | vacation: | vacation reply | vacation notice | vacation message | vacation auto | on holiday
on holidays | on leave | annual leave | on annual leave | maternity leave | on maternity | parental leave
on parental | i am away | i'm away | i am out of | i'm out of | i am currently out | i am on
i am currently away | currently out of | currently away | absence: | absence notice | away message
[auto-reply | [auto reply | this is an automatic | this is an automated | no longer with the company
# German
automatische antwort | automatische rückantwort | automatische rueckantwort | automatische nachricht
automatische e-mail | automat. antwort | autom. antwort | auto-antwort | autoantwort
automatisierte antwort | automatisch generierte antwort | abwesenheitsnotiz | abwesenheitsbenachrichtigung
abwesenheitsassistent | abwesenheitsmeldung | abwesenheitsagent | abwesenheitsnachricht
abwesenheitshinweis | abwesenheits | abwesenheit: | abwesend: | abwesenheit vom | abwesenheit bis
ausser haus | außer haus | nicht im büro | nicht im buero | ich bin nicht im | ich bin im urlaub
im urlaub | urlaub: | urlaubsbenachrichtigung | urlaubsabwesenheit | urlaubsmeldung | bin nicht da
nicht am platz | eingangsbestätigung:
# French
réponse automatique | réponse auto | reponse d'absence | réponse d'absence | absence du bureau
absent du bureau | absente du bureau | message d'absence | avis d'absence | notification d'absence
absence de | absence : | absence: | absent : | hors du bureau | en dehors du bureau | en congé | en congés
en vacances | je suis absent | je suis en congé | congés : | message automatique
accusé de réception automatique | courriel automatique
# Spanish
respuesta automática | auto-respuesta | autorespuesta | auto respuesta | respuesta de fuera
fuera de la oficina | fuera de oficina | ausente de la oficina | ausencia de la oficina | ausencia:
ausente: | estoy de vacaciones | de vacaciones | vacaciones: | mensaje automático
notificación de ausencia | estoy fuera de | contestación automática
# Portuguese
resposta automática | resposta automatizada | auto-resposta | autorresposta | ausência temporária
fora do escritório | fora de escritório | ausente do escritório | ausência do escritório | ausência:
ausente: | em férias | de férias | férias: | estou de férias | mensagem automática
notificação de ausência | ausência
# Italian
risposta automatica | risposta automatizzata | fuori sede | fuori ufficio | fuori dall'ufficio | assenza:
assente: | assenza dall'ufficio | assente dall'ufficio | notifica di assenza | avviso di assenza
in ferie | sono in ferie | ferie: | messaggio automatico | risponditore automatico | sono fuori
# Dutch
automatisch antwoord | automatische reactie | automatische beantwoording | autom. antwoord
automatische antwoord | niet aanwezig | afwezig | afwezigheid | niet op kantoor | buiten kantoor
buiten het kantoor | met vakantie | op vakantie | vakantie: | ik ben afwezig | automatisch bericht
# Swedish, Danish, Norwegian, Finnish, Icelandic
autosvar | automatiskt svar | frånvaro | frånvarande | inte på kontoret | ej på kontoret | på semester
semester: | automatisk svar | automatisk besvarelse | ikke til stede | fravær | ikke på kontoret
på ferie | ferie: | ikke tilstede | ute av kontoret | ikke på arbejde | fraværende | fraværsmelding
automatisk melding | automaattinen vastaus | automaattivastaus | automaattinen poissaoloviesti | poissa
poissaolo | lomalla | en ole paikalla | sjálfvirkt svar
# Polish, Czech, Slovak, Hungarian, Romanian
odpowiedź automatyczna | automatyczna odpowiedź | autoodpowiedź | auto odpowiedź | nieobecność | nieobecny
nieobecna | poza biurem | jestem poza | jestem na urlopie | na urlopie | urlop: | wiadomość automatyczna
automatická odpověď | mimo kancelář | nepřítomnost | nepřítomen | nepřítomna | jsem mimo | na dovolené
dovolená: | automatická odpoveď | mimo kancelárie | neprítomnosť | neprítomný | na dovolenke | dovolenka:
automatikus válasz | automatikus üzenet | házon kívül | irodán kívül | nem vagyok az irodában
nincs az irodában | távollét | szabadság: | szabadságon | răspuns automat | în afara biroului
absent de la birou | nu sunt la birou | plecat din birou | în concediu | concediu: | mesaj automat
# Russian, Ukrainian, Bulgarian, Serbian, Croatian, Slovenian, Baltic
автоматический ответ | автоответ | авто-ответ | авто: | автоматическое уведомление
автоматическое сообщение | нет на месте | вне офиса | нет в офисе | не в офисе | отсутствую | отсутствие
в отпуске | отпуск: | я в отпуске | автоматична відповідь | автовідповідь | немає на місці | поза офісом
не в офісі | відсутній | відсутність | у відпустці | автоматичен отговор | извън офиса
аутоматски одговор | automatski odgovor | odsutan | samodejni odgovor | odsoten | automaatvastus
kontorist väljas | automātiska atbilde | automātiskā atbilde | ārpus biroja | automatinis atsakymas
# Turkish, Greek
otomatik yanıt | otomatik cevap | otomatik yanit | ofis dışında | ofis dışı | işyerinde değil
iş yerinde değil | yıllık izin | izindeyim | αυτόματη απάντηση | αυτόματο μήνυμα | εκτός γραφείου
απουσία | απουσιάζω | σε άδεια
# Japanese, Korean, Chinese
自動応答 | 自動返信 | 自動回答 | 自動送信 | 不在 | 外出中 | 休暇 | 休業 | 自动答复 | 自动回复 | 自动应答
外出 | 不在办公室 | 休假 | 自動回覆 | 自動答覆 | 自動回復 | 不在辦公室 | 자동 회신 | 자동회신 | 자동 응답
자동응답 | 자동 답장 | 부재중 | 부재 중 | 휴가
# Hebrew, Arabic, Persian, Thai, Vietnamese, Indonesian
מענה אוטומטי | תשובה אוטומטית | מחוץ למשרד | לא במשרד | הודעה אוטומטית | رد تلقائي | الرد التلقائي
رد آلي | الرد الآلي | خارج المكتب | إجابة تلقائية | پاسخ خودکار | ตอบกลับอัตโนมัติ | การตอบกลับอัตโนมัติ
trả lời tự động | thư trả lời tự động | balasan otomatis | jawaban otomatis | di luar kantor
balasan automatik
""")

# Notes and some webmail put the name of the one who is away first.
_STATES = phrases("""
is out of the office | is out of office | is currently out | is away from | will be out of the office
is on vacation | is on leave | is on holiday | ist ausser haus | ist außer haus | ist nicht im büro
ist abwesend | ist im urlaub | est absent | est en congé | est en vacances | está fuera de la oficina
está ausente | está de vacaciones | está de férias | está fora do escritório | è fuori ufficio | è assente
è in ferie | is afwezig | is niet aanwezig | is niet op kantoor | är inte på kontoret
er ikke på kontoret | er ikke til stede | er på ferie | jest poza biurem | je mimo kancelář
(out of office) | (automatic reply) | (auto reply) | (auto-reply) | [automatic reply]
(réponse automatique) | (automatische antwort) | は不在 | 不在のお知らせ | 不在通知 | 自動返信】
自動応答】 | (自動返信)
""")

# A field and what its value begins with; "" for whatever it says. Set by vacation programs, autoresponders,
# Exchange's rules, Notes, FirstClass, Request Tracker and their kin, on what they send by themselves.
_MARKS = (
    ("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
    ("Auto-Submitted", "auto-notified; owner"),
    ("Precedence", "auto_reply"),
    ("Precedence", "auto-reply"),
    ("X-Precedence", "auto_reply"),
    ("X-Precedence", "auto-reply"),
    ("X-Autoreply", ""),
    ("X-Auto-Reply", ""),
    ("X-Auto-Reply-From", ""),
    ("X-Autoreply-From", ""),
    ("X-Mail-Autoreply", ""),
    ("X-Autorespond", ""),
    ("X-Autoresponder", ""),
    ("X-Auto-Response", ""),
    ("X-Autogenerated", "reply"),
    ("X-Vacation", ""),
    ("X-Vacation-Message", ""),
    ("X-AutoReply-Domain", ""),
    ("X-Away", ""),
    ("X-OOF", ""),
    ("X-POST-MessageClass", "9; autoresponder"),
    ("X-FC-MachineGenerated", "true"),
    ("X-MS-Exchange-Inbox-Rules-Loop", ""),
    ("X-MS-Exchange-Generated-Message-Source", "mailbox rules agent"),
    ("X-MS-Exchange-Organization-AutoResponse", ""),
    ("X-MS-Has-OOF", "yes"),
    ("X-Microsoft-OOF", ""),
    ("X-Notes-Item", "outofoffice"),
    ("Delivered-To", "autoresponder"),
    ("X-Delivered-To", "autoresponder"),
    ("X-RT-Loop-Prevention", ""),
    ("RT-Ticket", ""),
    ("X-OTRS-Loop", ""),
    ("X-Zendesk-Auto-Reply", ""),
    ("X-Freshdesk-Auto-Reply", ""),
    ("Message-Class", "ipm.note.rules.ooftemplate"),
    ("X-Message-Class", "ipm.note.rules.ooftemplate"),
)


def has_marks(message: Message) -> bool:
    """Whether a header field says that a program replied."""
    values: dict[str, list[str]] = {}
    for name, value in message.headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()).lower())
    if any(value.startswith(start) for name, start in _MARKS for value in values.get(name.lower(), ())):
        return True
    answers = "in-reply-to" in values or "references" in values
    generated = any(value.startswith("auto-generated") for value in values.get("auto-submitted", ()))
    return (
        generated and answers and "x-auto-response-suppress" in values
    )  # Exchange; Meta's own has no answer


def has_subject(message: Message) -> bool:
    """Whether the Subject is an automatic reply's own: it begins so. An answer to one begins with ``Re:``."""
    opened = _opened(message)
    return opened.startswith(_BEGINS) or (not opened.startswith(_ANSWERS) and holds(opened, _STATES))


def is_passed_on(message: Message) -> bool:
    """Whether the Subject is that of an answer or of a mail passed on: a person's, as a rule."""
    return _opened(message).startswith(_ANSWERS)


def _opened(message: Message) -> str:
    """The Subject from its first word."""
    subject = folded(message.subject[:500])
    start = _OPENING.match(subject)
    return subject[start.end() :] if start else subject
