"""What the text of a notice says of a message that did not arrive: tables by server and language."""

from __future__ import annotations

from relaydesk.bounces.words import phrases

# They speak of a mail: with a failing Subject they suffice although the sender is no daemon by name.
FAILED = phrases("""
# a filter's
your message was blocked | your message has been blocked | your message was discarded
message was discarded | has bounced | mail bounced | message bounced | could not reach | couldn't reach
did not get through | didn't get through | was unsuccessful | not be successfully | not successfully
unsuccessful | not delivered | non-deliverable | undelivered
# Exim, IONOS, GMX, mail.ru, Zoho
message that you sent could not be delivered | message you sent could not be delivered
message could not be delivered | could not be delivered to one or more | the following address failed
the following addresses failed | following address(es) failed | that you sent was rejected
created automatically by mail delivery software | generated from mail
error(s) in forwarding or filtering | local delivery failed
# Postfix, sendmail, OpenSMTPD, DragonFly, Courier
your message could not be delivered | could not be delivered to | unable to deliver
wasn't able to deliver | fatal errors | was unable to deliver | were unable to deliver
not able to deliver | had delivery problems | had delivery errors
error has occurred while attempting to deliver | there was an error delivering your mail
transcript of session follows | undeliverable mail | undelivered mail | undelivered message
unsent message below | did not receive this message | not receive your message | not receive a copy
message is undeliverable | message was undeliverable | was undeliverable | undeliverable to
undeliverable message | message was not delivered | mail was not delivered | message was not sent
has not been delivered | was not delivered | were not delivered | not been delivered | wasn't delivered
weren't delivered | not be delivered | couldn't be delivered | can't be delivered | cannot be delivered
not deliverable | non-delivery | could not be sent | couldn't be sent | cannot be sent
could not be relayed | could not deliver | couldn't deliver | cannot deliver | can't deliver
failed to deliver | trouble delivering | problem delivering | problems delivering | delivery failed
delivery failure | delivery has failed | delivery to the following | delivery error | delivery problems
delivery attempt failed | delivery unsuccessful | failed recipient | failed addresses | failure reasons
delivery of the email was stopped | undeliverable | delivery problem | mail delivery fail
failure notice | failed because
failed for the following | could not send
# Exchange, Domino, GroupWise, Notes, MailMarshal, Lotus
did not reach the following recipient | did not reach | didn't reach | wasn't able to be delivered
following organization rejected | rejected your message | rejected by the recipient | been rejected by
your message was rejected | message was rejected | mail was rejected | message has been rejected
was automatically rejected | your message wasn't delivered | not listed in domino directory
not listed in public name | couldn't find the recipient | recipients were affected
the recipient name is not recognized | has exceeded the size limit | too large to send | can't be reached
couldn't be reached | could not be reached | your message can't be | no valid recipients
# gateways, filters, hosting, mobile networks, sending services
could not be delivered because | delivery failed for | was not able to be delivered
returned the following error | mail system error | undeliverable mail:
error occurred while trying to deliver | failed to send | message non-deliverable | has been frozen
could not find a gateway | you are not a member of | reject mail from | reject spammers
duplicated message-id | loop condition | encountered delivery problems | rejected by a remote mail server
your mail to | error message below | e-mail address is incorrect | email address is wrong
"notificationtype":"bounce" | "notificationtype": "bounce" | \\"notificationtype\\":\\"bounce\\"
"bouncetype" | "event":"bounce | the reason for the problem | reason for return | not member article
fml says | are not allowed to post | is not allowed to post | not a member of | not permitted to post
check for possible typos | address not found | message blocked | message not delivered | action: failed
action: failure | we couldn't deliver | sorry, we were unable | sorry, your message
unfortunately, we were not | returned mail follows
# German
fehler bei der nachrichtenzustellung | unzustellbare nachricht
nicht gefunden |konnte nicht zugestellt werden | nicht zugestellt werden | nicht zugestellt
nicht zustellbar | unzustellbar | zustellung ist fehlgeschlagen | zustellung fehlgeschlagen
fehler bei der zustellung | konnte nicht übermittelt | empfänger nicht erreicht | nicht erreicht
wurde abgelehnt | abgewiesen | nicht ausgeliefert | nicht übermittelt werden | postfach ist voll
empfänger unbekannt | existiert nicht
# French
n'a pas pu | n'a pas été distribué | échec de remise | échec de la distribution
introuvable |n'a pas pu être remis | n'a pas pu être délivré | n'a pas pu etre | n'a pu être
pas pu être distribué | non remis | pas pu être envoyé | impossible de remettre | échec de la remise
la remise a échoué | n'a pas été remis | est refusé | n'existe pas | boîte aux lettres pleine
a été rejeté | adresse introuvable | pas pu remettre
# Spanish
no ha sido entregado | no se entregó | no entregado | error de entrega | no se encontró
rechazado |no se pudo entregar | no pudo ser entregado | no se ha podido entregar | no se puede entregar
no ha podido ser entregado | no fue entregado | error al entregar | imposible entregar | no ha llegado
no existe | buzón está lleno | no pudo entregarse | ha sido rechazado | fue rechazado
no se encontró la dirección | no se entregara
# Portuguese
não pôde ser entregue | não foi possível entregar | não é possível entregar | não foi entregue
falha na entrega | não pode ser entregue | não conseguimos entregar | foi rejeitad | caixa postal cheia
não existe | caixa de correio cheia
# Italian
errore di recapito | non trovato | rifiutato |non è stato possibile recapitare | non può essere recapitato
impossibile recapitare | non recapitato | non è stato recapitato | non è stato consegnato
impossibile consegnare | consegna non riuscita | casella piena | non esiste | è stato rifiutato
non è stato possibile consegnare | mancata consegna | recapito non riuscito
# Dutch
kon niet worden afgeleverd | kon niet worden bezorgd | kan niet worden bezorgd | niet afgeleverd
niet bezorgd | niet worden afgeleverd | is geweigerd | bestaat niet | kan niet worden afgeleverd
onbestelbaar | mislukt
# Swedish, Danish, Norwegian, Finnish
kunde inte levereras | kan inte levereras | inte levererats | nådde inte | kunne ikke leveres
kan ikke leveres | ikke leveret | ikke levert | nåede ikke | nådde ikke | findes ikke | finnes ikke
finns inte | blev avvisad | ei voitu toimittaa | ei voida toimittaa | toimitus epäonnistui
ei saavuttanut | ei ole olemassa | leveransen misslyckades | leveringen mislykkedes | levering mislyktes
lähettäminen epäonnistui
# Polish, Czech, Slovak, Hungarian, Romanian, Turkish, Greek
nie można dostarczyć | nie mogła zostać dostarczona | nie została dostarczona | nie dostarczono
nie istnieje | odrzucon | nelze doručit | nebylo možné doručit | nebyla doručena | nemohla být doručena
neexistuje | nepodařilo se doručit | nepodarilo sa doručiť | sa nepodarilo doručiť | nebola doručen
nem kézbesíthető | nem sikerült kézbesíteni
nem létezik | nu a putut fi livrat | nu există | teslim edilemedi | teslim edilemiyor | iletilemedi
bulunamadı | reddedildi | nu a fost livrat | αποτυχία παράδοσης | δεν μπόρεσε να παραδοθεί
δεν ήταν δυνατή η παράδοση | δεν παραδόθηκε
# Russian, Ukrainian
не может быть доставлено | не было доставлено | не удалось доставить | не доставлено
невозможно доставить | не удается доставить | не существует | ящик переполнен | отклонено
ошибка доставки | не вдалося доставити | не может быть отправлено | не доставлена | не може бути доставлен
не найден | не може да бъде доставено | nije isporučen | nije dostavljen
# Indonesian, Vietnamese, Thai
tidak dapat dikirim | tidak terkirim | gagal terkirim | không được gửi | không thể gửi | không gửi được
ไม่สามารถส่ง
# Japanese
配信できません | 配信できませんでした | 配信できなかった | 配信に失敗 | 配信されませんでした
届きませんでした | 届けることができません | 送信できませんでした | 送信できません | 送信に失敗
送信されませんでした | 配送できません | 配送されませんでした | 配送に失敗 | お届けできません
送達できません | 見つかりません | 存在しません | エラーが発生 | 受信できません | 拒否され | 宛先が不明
配信不能 | メールアドレスが正しくない | 配送することができません | 送ることができません | 容量を超え
宛先不明 | ブロックされ | 配達できません
# Chinese, Korean
无法送达 | 未送达 | 无法投递 | 无法传递 | 投递失败 | 发送失败 | 被退回 | 退信 | 未能送达 | 未能投递 | 拒收
不存在 | 無法投遞 | 無法傳遞 | 無法送達 | 傳送失敗 | 發送失敗 | 退回 | 未傳遞 | 被拒绝 | 被拒絕 | 배달되지
배달할 수 없 | 전달할 수 없 | 전달되지 | 전송하지 못 | 보낼 수 없 | 전송에 실패 | 존재하지 않 | 거부
반송
# Hebrew, Arabic
לא ניתן היה למסור | לא נמסרה | לא ניתן למסור | تعذر تسليم | لم يتم تسليم | لا يمكن تسليم | غير موجود
""")

# Why a host would not take it: a daemon that says no more says enough.
REASONS = phrases("""
user unknown | unknown user | no such user | no such person | no such mailbox | no such recipient
no such address | no such domain | no such local user | unknown recipient | unknown address
unknown local | unknown mailbox | unknown host | unknown domain | recipient unknown
recipient address rejected | recipient rejected | recipient not found | recipient does not exist
address rejected | address does not exist | address is invalid | address unknown | address not found
bad address | invalid address | invalid recipient | invalid mailbox | invalid user
invalid final delivery | invalid domain | bad destination | user not found | not found on this
user not known | is unknown at | is not known on
user does not exist | user doesn't exist | user doesn't have | user is unknown | user disabled
does not exist | doesn't exist | is not a valid | not a valid | no account | not our customer
account disabled | account is disabled | account has been disabled | account inactive | account expired
account closed | no longer valid | no longer in use | no longer active | no longer available
no longer works | is not active | is inactive | mailbox unavailable | mailbox not found
mailbox does not exist | mailbox full | mailbox is full | mail box space | mailbox disabled
mailbox has exceeded | box full | over quota | over the quota | overquota | quota exceeded | quota exceed
exceeds allowed size | exceeded its quota | exceeding their quota | exceeded storage | exceeds the maximum
size limit | disk quota | too much mail | message size exceeds | mailfolder is full | host not found
host unknown | host or domain name not found | domain does not exist | domain not found | unrouteable
unroutable | no route to host | name service error | connection refused | connection timed out
can't connect | cannot connect | couldn't connect | unable to connect | couldn't find any host | no mx
dns error | relay access denied | relaying denied | relay not permitted | not permitted to relay
not permitted | message rejected | message refused | requested action not taken | transaction failed
too many hops | hop count exceeded | no final email delivery | final email delivery point
no matches to nameserver query
# The same in other languages: full, unknown, refused.
over its quota | full inbox | inbox is full | inbox full | have an account | exceeded quota | out of space
out of quota | ist unbekannt | unbekannter empfänger | unbekannter benutzer | empfängers ist voll
ist voll | ist deaktiviert | ungültige adresse | unbekannt | überfüllt | est pleine | est inconnu
est plein | utilisateur inconnu | destinataire inconnu | inconnu | a été refusé | quota dépassé
está llena | está lleno | desconocido | usuario desconocido | cuota excedida | dirección inválida
está cheia | está cheio | desconhecido | usuário desconhecido | cota excedida | endereço inválido
è piena | è pieno | sconosciuto | utente sconosciuto | quota superata | inesistente | is vol
onbekende gebruiker | onbekend | postvak is vol | ongeldig adres | är full | okänd | er full | er fuld
ukendt | ukjent | tuntematon | on täynnä | jest pełna | pełna | nieznany | przepełnion | je plná | neznám
megtelt | ismeretlen | este plină | necunoscut | dolu | bilinmeyen | γεμάτο | άγνωστος | переполнен
не найден | неизвестен | неизвестный | переповнена | не знайдено | いっぱい | 届けられませんでした
届けられなかった | 見つかりませんでした | 存在しない | 満杯 | 已满 | 已滿 | 满了 | 用户不存在 | 用戶不存在
不存在 | 地址无效 | 查无此人 | 가득 | 찾을 수 없 | 알 수 없는 | מלאה | לא קיים | לא נמצא | ممتلئ
غير معروف | غير موجود
""")

# What carriers and people write of, and no server does.
NO_NOTICE = phrases("""
parcel | your package | the package | shipment | your item | item not received | mailpiece | my order
my mail | my email | my e-mail
my message | i wrote | the order | your order is
order for | tracking number | tracking says | invoice | payment
paket | sendung | päckchen | colis | paquete | encomenda | pacco | spedizione | pakket | zending | paczk
przesyłk | посылк | 荷物 | 宅配 | 包裹 | 快递 | 택배
""")

# Words that a postmaster's other mail has too, such as a digest of what was held back.
HINTS = phrases("""
message was blocked | message has been blocked | could not be found | server rejected | was refused
is not accepting | are not accepting | does not accept | not accepted | message contained a virus
been blocked by | blocked because | considered spam | content filter | identified as spam
was identified as | prohibited content | prohibited attachment | against policy | policy reasons
could not be processed | mail loop | security alert | encountered an error | not exist | not listed
too big | too large | insufficient | not enough space | name server | nameserver | access denied
not allowed | denied by policy | rejected | refused | refuse | spam | virus | blacklist | blocked
blocklist | service unavailable | timed out | expired | lacks | suspended | abgelehnt | gesperrt
speicherplatz | rechazado | rejeitado | rifiutato | geweigerd | fullt | odrzucona | odmítnut | отклонен
заблокирован | 不明 | 拒否 | 超過 | 被拒 | 拒绝 | 拒絕 | 못했습니다 | 초과 | 차단
""")
