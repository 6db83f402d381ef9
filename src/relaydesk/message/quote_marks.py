"""The words by which mail programs announce what they quote, language by language.

Facts about other people's programs, as data: a language more is a row more. Compared without regard to
case. The marks of HTML stand in :mod:`.quote_elements`.
"""

from __future__ import annotations

# The first word of "On … wrote:".
OPENERS = (
    *("on", "at", "in message", "in article"),  # English
    *("am", "um"),  # German
    *("le", "en date du", "el", "el día", "con fecha", "em", "no dia", "às"),  # French, Spanish, Portuguese
    *("il", "il giorno", "in data", "alle"),  # Italian
    *("op", "den", "på", "d.", "kl."),  # Dutch, Swedish, Danish, Norwegian
    *("w dniu", "dnia", "wiadomość napisana", "dne", "dňa"),  # Polish, Czech, Slovak
    *(
        "pe",
        "în data",
        "στις",
        "vào",
        "pada",
        "dana",
        "ב-",
        "בתאריך",
        "في",
        "в",
    ),  # Romanian, Greek, Vietnamese, …
    *("在", "於", "于"),
)

# The verb of the same line.
VERBS = (
    *("wrote", "writes", "has written", "schrieb", "schreibt", "hat geschrieben"),
    *("a écrit", "écrit", "a ecrit", "escribió", "escribio", "ha escrito", "escreveu", "escreve"),
    *("ha scritto", "scrisse", "schreef", "het volgende geschreven"),
    *(
        "skrev",
        "skreiv",
        "kirjoitti",
        "geschrieben",
        "geschreven",
        "scritto",
        "pisze",
        "napisał",
        "napisała",
        "napisana",
        "napisał(a)",
    ),
    *("napsal", "napsala", "napsal(a)", "napísal", "napísala", "napísal(a)"),
    *("yazdı", "yazdi", "şunları yazdı", "írta", "a scris", "έγραψε", "đã viết", "menulis", "je napisao"),
    *("написал", "написала", "написал(а)", "пишет", "писал", "пише", "написав", "כתב", "כתבה"),
)
# Scripts that put no blank between words.
VERBS_UNSPACED = (
    "のメール",
    "書きました",
    "作成",
    "님이 작성",
    "작성",
    "님이 씀",
    "写道",
    "寫道",
    "เขียนว่า",
    "كتب",
)

# What stands before an address instead ("Zitat von …:").
CITING = ("quoting", "zitat von", "citando a", "citat från", "citerar", "cytowanie", "citazione di")

# Of whom a person writes; a mail program writes a name. Of themselves it never does.
OURSELVES = (
    *(
        "i",
        "i've",
        "we",
        "my",
        "me",
        "us",
        "our",
        "ich",
        "mir",
        "mich",
        "wir",
        "uns",
        "mein",
        "meine",
        "unser",
    ),
    *("je", "j'ai", "m'a", "nous", "notre", "yo", "nos", "mío", "eu", "meu", "ci", "ci ha"),
    *("mi ha", "ho", "ik", "mij", "wij", "jag", "mig", "jeg", "meg", "oss", "vi", "minä", "minulle"),
    *("mnie", "mně", "jsem", "bana", "я", "мне", "мы", "нам"),
)
OURSELVES_UNSPACED = ("我", "私", "저는", "제가")
PERSONS = (
    *("you", "your", "they", "their", "she", "her", "he", "his", "it", "who", "somebody", "someone"),
    *("du", "sie", "ihr", "ihre", "ihnen", "er", "vous", "votre", "tu", "elle", "il a", "ils ont", "usted"),
    *("ustedes", "su", "você", "vocês", "lei", "jij", "u", "uw", "hij", "zij", "ni", "i", "te", "ja", "pan"),
    *("pani", "já", "вы"),
    *("the", "a", "an", "die", "der", "das", "ein", "eine", "une", "una", "les", "het", "een"),
)
# The same behind the verb; before it the word stands in dates of other languages.
PERSONS_AFTER = ("de",)

WEEKDAYS = (
    *("mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    *("mo", "di", "mi", "do", "fr", "sa", "so", "montag", "dienstag", "mittwoch", "donnerstag", "freitag"),
    *("samstag", "sonnabend", "sonntag", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "lundi", "mardi"),
    *("mercredi", "jeudi", "vendredi", "samedi", "dimanche", "mié", "jue", "vie", "sáb", "dom", "lunes"),
    *("martes", "miércoles", "jueves", "viernes", "sábado", "domingo", "seg", "ter", "qua", "qui", "sex"),
    *("segunda", "terça", "quarta", "quinta", "sexta", "gio", "sab", "lunedì", "martedì", "mercoledì"),
    *("giovedì", "venerdì", "sabato", "domenica", "ma", "wo", "vr", "za", "zo", "maandag", "dinsdag"),
    *("woensdag", "donderdag", "vrijdag", "zaterdag", "zondag", "mån", "tis", "ons", "tors", "fre", "lör"),
    *("sön", "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag", "man", "tir", "lør"),
    *("søn", "mandag", "tirsdag", "lørdag", "søndag", "ke", "to", "pe", "la", "su", "pon", "wt", "śr"),
    *("czw", "pt", "sob", "niedz", "po", "út", "st", "čt", "pá", "ne", "pzt", "sal", "çar", "per", "cum"),
    *("cmt", "paz", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "понедельник", "вторник", "среда", "четверг"),
    *("пятница", "суббота", "воскресенье"),
)  # fmt: skip

# Lines that stand, between dashes or alone, above what is quoted.
ANNOUNCEMENTS = (
    *("original", "original message", "original-message", "original appointment", "forwarded message"),
    *("forwarded mail", "forwarded by", "begin forwarded message", "reply message", "replied message"),
    *("ursprüngliche nachricht", "urspruengliche nachricht", "originalnachricht", "original-nachricht"),
    *("original nachricht", "ursprünglicher termin", "weitergeleitete nachricht"),
    *("anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail"),
    *("weitergeleitete e-mail", "nachricht weitergeleitet"),
    *("message d'origine", "message original", "message initial", "message transféré", "mail original"),
    *("message réexpédié", "début du message réexpédié", "début du message transféré", "courriel original"),
    *("mensaje original", "mensaje reenviado", "mensaje originario", "inicio del mensaje reenviado"),
    *("mensagem original", "mensagem encaminhada", "mensagem reencaminhada"),
    *("início da mensagem reencaminhada", "início da mensagem encaminhada"),
    *("messaggio originale", "messaggio inoltrato", "inizio messaggio inoltrato", "messaggio di origine"),
    *("oorspronkelijk bericht", "origineel bericht", "doorgestuurd bericht"),
    *("begin doorgestuurd bericht", "oorspronkelijke bericht"),
    *("ursprungligt meddelande", "originalmeddelande", "vidarebefordrat meddelande"),
    *("vidarebefordrat brev", "påbörja vidarebefordrat meddelande"),
    *("oprindelig meddelelse", "original meddelelse", "original besked", "oprindelig besked"),
    *("videresendt meddelelse", "videresendt besked", "start på videresendt besked"),
    *("opprinnelig melding", "original melding", "videresendt melding", "start på videresendt melding"),
    *("alkuperäinen viesti", "välitetty viesti", "edelleenlähetetty viesti"),
    *("oryginalna wiadomość", "wiadomość oryginalna", "wiadomość przekazana", "przekazana wiadomość"),
    *("wiadomość napisana", "początek przekazywanej wiadomości"),
    *("původní zpráva", "puvodni zprava", "přeposlaná zpráva", "začátek přeposlané zprávy"),
    *("pôvodná správa", "preposlaná správa", "eredeti üzenet", "továbbított üzenet", "mesaj original"),
    *("mesaj redirecționat", "orijinal mesaj", "özgün ileti", "orijinal ileti", "asıl ileti"),
    *("iletilen mesaj", "iletilen ileti", "yönlendirilmiş ileti", "αρχικό μήνυμα", "προωθημένο μήνυμα"),
    *("исходное сообщение", "пересылаемое сообщение", "пересланное сообщение", "перенаправленное сообщение"),
    *("начало переадресованного сообщения", "вихідне повідомлення", "пересилається повідомлення"),
    *("元のメッセージ", "元のメール", "オリジナルメッセージ", "転送されたメッセージ", "転送メッセージ"),
    *("원본 메시지", "원본 메일", "원본메시지", "원본메일", "전달된 메시지", "전달된 메일"),
    *("原始邮件", "原始郵件", "原邮件", "原郵件", "原始訊息", "原始信件", "转发邮件", "轉寄郵件"),
    *("转发的邮件", "转发邮件信息", "邮件原件", "轉寄的郵件", "开始转发邮件", "开始转发的邮件"),
    *("回复的原邮件", "回复的邮件"),
    *("please type your reply above this line", "please reply above this line", "reply above this line"),
    *("please write your reply above this line", "write your reply above this line"),
    *("bitte geben sie ihre antwort über dieser zeile ein", "bitte antworten sie oberhalb dieser zeile"),
    *("répondre au-dessus de cette ligne", "répondez au-dessus de cette ligne"),
    *("escriba su respuesta por encima de esta línea", "responda acima desta linha"),
    *("typ uw antwoord boven deze lijn", "digitare la risposta al di sopra di questa riga"),
)  # fmt: skip

# Names of the header lines that mail programs show above a quotation, by what they announce.
HEADER_NAMES: dict[str, tuple[str, ...]] = {
    "from": (
        *("from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "kimden", "gönderen"),
        *("feladó", "expéditeur", "remitente", "remetente", "mittente", "afzender", "avsändare", "afsender"),
        *("avsender", "absender", "nadawca", "odesílatel", "от", "от кого", "отправитель", "від"),
        *("από", "发件人", "發件人", "寄件者", "寄件人", "差出人", "送信者", "보낸 사람", "보낸이", "발신"),
    ),
    # Words that only mail has; a form may have a date too.
    "sent": (
        *("sent", "sent at", "date sent", "gesendet", "gesendet am", "envoyé", "envoyé le", "envoye"),
        *("date d'envoi", "enviado", "enviado el", "enviado em", "enviada", "enviada em", "enviado a las"),
        *("inviato", "inviato il", "data invio", "verzonden", "verzonden op", "skickat", "skickades"),
        *("sendt", "lähetetty", "wysłano", "wysłane", "odesláno", "odoslané", "gönderildi"),
        *("gönderme tarihi", "elküldve", "trimis", "отправлено", "надіслано", "στάλθηκε"),
        *("发送时间", "发送日期", "發送時間", "傳送時間", "寄件日期", "送信日時", "送信日"),
        *("보낸 날짜", "보낸 시간", "발신일", "발송일"),
    ),
    "date": (
        *("date", "datum", "fecha", "data", "dato", "päivämäärä", "päiväys", "dátum", "tarih", "дата"),
        *("ημερομηνία", "日期", "时间", "時間", "日付", "日時", "날짜"),
    ),
    "to": (
        *("to", "an", "à", "a", "para", "aan", "till", "til", "vastaanottaja", "do", "komu", "pro", "kime"),
        *("alıcı", "címzett", "către", "кому", "получатель", "προς", "empfänger", "destinataire", "pour"),
        *("destinatario", "destinatário", "per", "收件人", "收件者", "宛先", "受信者", "받는 사람", "받는이"),
        *("수신", "mottagare", "modtager", "mottaker", "ontvanger"),
    ),
    "subject": (
        *("subject", "betreff", "objet", "sujet", "asunto", "assunto", "oggetto", "ogg", "onderwerp", "ämne"),
        *("emne", "aihe", "temat", "předmět", "predmet", "konu", "tárgy", "subiect", "тема", "θέμα"),
        *("主题", "主題", "主旨", "标题", "件名", "題名", "제목"),
    ),
    "other": (
        *("cc", "bcc", "kopie", "kopia", "kopi", "cci", "cco", "ccn", "copie à", "copia", "reply-to"),
        *("antwort an", "répondre à", "responder a", "rispondi a", "antwoord aan", "importance"),
        *("wichtigkeit",),
        *("attachments", "anlagen", "pièces jointes", "organization", "sent by", "копия", "dw", "bilgi"),
        *("抄送", "副本", "参照", "참조", "返信先", "resent-from", "newsgroups", "priority"),
    ),
}  # fmt: skip
