"""What a daemon says in prose under a Subject that says nothing, in many languages; and what is no notice."""

from __future__ import annotations

import pytest

from relaydesk.bounces import Dsn, read_bounce
from relaydesk.message import parse_message

LOST = """
Your message was not delivered to ann@b.example
The mail you sent to ann@b.example has bounced
I could not deliver your mail to ann@b
Your e-mail to ann@b.example could not reach its destination
We're sorry, but your email didn't get through
Delivery of the mail to ann@b was unsuccessful
ann@b.example: mailbox is over its quota
This user's mailbox is full
The recipient has blocked you
The user you tried to reach has a full inbox
User ann doesn't have an account here
The email account that you tried to reach does not exist
Message size exceeds fixed limit
Your message was discarded because it contains a virus
Your message has been quarantined and not delivered
The message has been deleted by the content filter
Ihre E-Mail konnte leider nicht übermittelt werden
Die E-Mail-Adresse ann@b existiert nicht
Der Empfänger ist unbekannt
Die Mailbox des Empfängers ist voll
Ihre Nachricht an ann@b wurde vom Empfängerserver abgelehnt
Votre message n'a pu être distribué
La boîte de réception du destinataire est pleine
L'utilisateur est inconnu
Votre message a été refusé par le serveur du destinataire
Su mensaje no ha sido entregado
El destinatario no existe
La cuenta de correo está llena
El usuario es desconocido
Sua mensagem não foi entregue ao destinatário
A caixa de entrada do destinatário está cheia
Usuário desconhecido
Il messaggio non è stato consegnato
La casella del destinatario è piena
Utente sconosciuto
Uw bericht is niet afgeleverd
De mailbox van de ontvanger is vol
Onbekende gebruiker
宛先に届けられませんでした
メールボックスがいっぱいです
ユーザーが不明です
メールは配送されませんでした
お送りいただいたメールは配信されませんでした
Письмо не доставлено
Почтовый ящик получателя переполнен
Пользователь не найден
Wiadomość nie została dostarczona
Skrzynka odbiorcy jest pełna
Zpráva nebyla doručena
Schránka je plná
Mesajınız teslim edilemedi
Posta kutusu dolu
Meddelandet kunde inte levereras
Postlådan är full
Meddelelsen kunne ikke leveres
Postkassen er full
Viestiä ei voitu toimittaa
您的邮件未能送达
收件人邮箱已满
用户不存在
您的郵件無法送達
收件人信箱已滿
메일을 전달하지 못했습니다
수신자의 메일함이 가득 찼습니다
사용자를 찾을 수 없습니다
Üzenetét nem sikerült kézbesíteni
Mesajul nu a putut fi livrat
Το μήνυμα δεν παραδόθηκε
לא ניתן היה למסור את ההודעה
تعذر تسليم رسالتك
Съобщението не може да бъде доставено
Poruka nije isporučena
Pesan Anda tidak dapat dikirim
Thư của bạn không được gửi
ไม่สามารถส่งข้อความ
Το μήνυμά σας δεν μπόρεσε να παραδοθεί
Správa nebola doručená
Delivery of the email was stopped!
Your message to ann@b.example was refused because it is too large
"""

LATE = """
The message is on a waiting list until you verify that you are no robot. It has not been delivered.
Ein Problem; weitere Zustellversuche folgen. Wenn sie endgültig scheitern, hören Sie davon.
Your message has been queued and will be delivered later
Delivery is still pending; we will keep you informed. Retrying until Friday.
Ihre Nachricht wurde noch nicht zugestellt, wir versuchen es weiter
Votre message n'a pas encore été remis; le serveur continuera d'essayer
Su mensaje aún no ha sido entregado. Se seguirá intentando
Sua mensagem ainda não foi entregue. Continuaremos tentando
Il messaggio non è ancora stato consegnato; i tentativi continueranno
Uw bericht is nog niet afgeleverd; we blijven proberen
メールの配信が遅延しています。再送を試みます
Письмо ещё не доставлено, сервер продолжит попытки
Your message has not been delivered after 4 hours. We will keep trying for 5 days.
Message not yet delivered. The system will continue attempting delivery.
Delivery has been postponed; no need to resend.
It could not be delivered for 4 hours. We will keep trying; you will be told of a permanent failure.
"""

OTHER = """
Postmaster <postmaster@x.example>|Spam summary|3 were not delivered to your inbox: Undeliverable: hi
Filter <postmaster@x.example>|VIRUS in mail TO YOU from <eve@x.example>|Delivery of the email was stopped!
Scanner <postmaster@x.example>|Virus found|A message sent to you was infected and was not delivered.
MAILER-DAEMON@x.example|Quota warning|You use 98% of your quota; soon new mail will be rejected.
Mail System <MAILER-DAEMON@x.example>|Your mailbox is full|You cannot receive mail until you delete some.
Postmaster <postmaster@x.example>|Ihr Postfach ist fast voll|Neue Mail kann bald nicht zugestellt werden.
Mail Delivery System <admin@x.example>|5 undelivered messages|They did not reach your mailbox. Click here.
Cron Daemon <MAILER-DAEMON@x.example>|Cron <root@x> mailq|connect to b.example: timed out ann@b.example
Postmaster <postmaster@x.example>|Log summaries for Monday|550 rejected. host said: 550 5.1.1 User unknown
Postmaster <postmaster@x.example>|Re: a question|If your message could not be delivered, send us the reply.
Postmaster <postmaster@x.example>|Your key expires|It is no longer valid after Sunday.
Ann <ann@x.example>|Not delivered|The address does not exist. Write to ann@x.example
Ann <ann@x.example>|Undeliverable|<bob@b.example>: 550 5.1.1 user unknown. Why do I get this?
Shop <noreply@x.example>|Delivery failed|The order for ann@b.example could not be delivered: address unknown
Web form <form@x.example>|Mail returned|ann@b.example: my mail to you was returned: user unknown
Postmaster <postmaster@x.example>|Spam digest|3 messages were blocked: spam 2, virus 1.
Postmaster <postmaster@x.example>|Ihr Spam-Bericht|Diese Nachrichten wurden gesperrt
postmaster@x.example|Policy|Messages with a virus will be refused; mailbox size is limited.
System Administrator <admin@x.example>|Maintenance on Sunday|The mail server is not reachable between 2 and 3.
Mail System <ms@x.example>|Password expired|Your password has expired. Access denied.
Parcel Delivery Service <noreply@x.example>|Delivery failed|We could not deliver your parcel 550.
Ann <ann@x.example>|Undelivered!|My order was not delivered, and your mail could not be delivered either.
Ann <ann@x.example>|Mailbox full|I write from another account: my mailbox is full, user unknown. 550 5.1.1
"""


def about(sender: str, subject: str, text: str) -> str:
    raw = (
        f"From: {sender}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    return read_bounce(parse_message(raw.encode())).about


@pytest.mark.parametrize("text", LOST.strip().splitlines())
def test_it_knows_that_a_message_did_not_arrive(text: str) -> None:
    assert about("MAILER-DAEMON@x.example", "notice", text) == "undelivered"


@pytest.mark.parametrize("text", LATE.strip().splitlines())
def test_it_knows_that_a_message_is_late(text: str) -> None:
    assert about("MAILER-DAEMON@x.example", "notice", text) == "delayed"


@pytest.mark.parametrize("row", OTHER.strip().splitlines())
def test_other_mail_with_such_words_is_no_notice(row: str) -> None:
    assert about(*row.split("|")) == "unclear"


STRANGERS = """
Mailer <mailer@x.example>|Delivery failure|ann@b.example: 550 5.7.1 denied
noreply@x.example|Undeliverable: hello|Your email to ann@b.example could not be delivered.
Mail Security <sms@x.example>|Message blocked by a filter|Your message to ann@b.example was not delivered.
Admin <admin@x.example>|Undeliverable mail|The recipient ann@b.example was not found on this server.
x@x.example|RE: hello: non remis (delivery failed)|Votre message n'a pas pu etre delivre a ann@b.example
"""


@pytest.mark.parametrize("row", STRANGERS.strip().splitlines())
def test_a_notice_of_an_unknown_server_names_the_address_that_failed(row: str) -> None:
    assert about(*row.split("|")) == "undelivered"


@pytest.mark.parametrize("subject", ["Your mailbox is full", "Quota warning", "5 undelivered messages"])
def test_the_subject_of_the_returned_mail_does_not_matter(subject: str) -> None:
    assert about("MAILER-DAEMON@x.example", subject, "It did not reach ann@b.example") == "unclear"
    assert about("MAILER-DAEMON@x.example", f"Undeliverable: {subject}", "ann@b.example") == "undelivered"


def test_what_is_quoted_does_not_speak_for_the_sender() -> None:
    notice = "> Your message could not be delivered to\r\n> bob@b.example\r\n> 550 5.1.1 user unknown"
    for sender in ("Ann <ann@x.example>", "Postmaster <postmaster@x.example>"):
        assert about(sender, "Re: Delivery failed", f"Please look into this.\r\n\r\n{notice}") == "unclear"
    assert about("MAILER-DAEMON@x.example", "Re: Delivery failed", notice) == "undelivered"


def test_words_of_permanence_weigh_more_than_a_temporary_code() -> None:
    text = "ann@x.example: 450 4.2.2 full. This is a permanent error; I've given up."
    assert about("MAILER-DAEMON@x.example", "failure notice", text) == "undelivered"
    assert about("MAILER-DAEMON@x.example", "notice", text) == "undelivered"
    assert about("MAILER-DAEMON@x.example", "notice", "ann@x.example: 450 4.2.2 full") == "delayed"


def test_a_subject_that_says_delayed_weighs_more_unless_it_gave_up() -> None:
    text = "Your message could not be delivered. 550 5.4.1"
    assert about("MAILER-DAEMON@x.example", "Warning: message delayed 4 hours", text) == "delayed"
    assert about("MAILER-DAEMON@x.example", "Delayed mail", f"{text} I've given up.") == "undelivered"


def read(text: str, extra: str = "", **how: str | bool) -> Dsn:
    raw = f"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n{extra}\r\n{text}"
    return read_bounce(parse_message(raw.encode()), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "recipient", "diagnostic"),
    [
        ("<ann@x.example>:\r\n550 5.1.1 no such user", "ann@x.example", "550 5.1.1 no such user"),
        ("Write to\r\n<postmaster@x.example>\r\n\r\n  ann@x.example\r\n    full", "ann@x.example", ""),
        ("To: ann@x.example\r\nRemote host said: 554 no", "ann@x.example", "554 no"),
        ("Failed Recipient: ann@x.example", "ann@x.example", ""),
        ("Your mail to ann@x.example failed", "", ""),  # not on a line of its own
        ("<a\x1b[31mnn@x.example>:\r\n550 \x1b[31mred", "a[31mnn@x.example", "550 [31mred"),
    ],
)
def test_it_names_the_address_and_the_reply(text: str, recipient: str, diagnostic: str) -> None:
    dsn = read(text)
    assert (dsn.final_recipient, dsn.diagnostic) == (recipient, diagnostic)


def test_an_address_that_is_known_is_better_than_one_that_is_read() -> None:
    text = "bob@x.example\r\ncould not be delivered"
    assert (
        read(text, "X-Failed-Recipients: ann@x.example, c@x.example\r\n").final_recipient == "ann@x.example"
    )
    assert read(text, notice=True, failed_recipient="ann@x.example").final_recipient == "ann@x.example"
