"""What mail servers write when a message did not arrive, may yet, or did: tables by server and language.

The phrases are the standing ones of each server. ``*_SUBJECTS`` are looked for in the Subject, the others in
the text above the returned message.
"""

from __future__ import annotations

from relaydesk.bounces.words import phrases

FAILED_SUBJECTS = phrases("""
# English
undeliverable | undelivered | undeliverable: | non-deliverable | not deliverable | could not be delivered
couldn't be delivered | cannot be delivered | can't be delivered | wasn't delivered | was not delivered
not delivered | not been delivered | unable to deliver | failed to deliver | can't deliver
cannot deliver | could not deliver | couldn't deliver | delivery failure | delivery failed
delivery has failed | delivery error | delivery failed: | failed delivery | failure delivery | failed mail
mail failed | mail failure | mail error | mail delivery fail | delivery notification: failed
delivery problem | delivery unsuccessful | delivery status notification (failure)
delivery status notification: error | delivery report (failure) | delivery status notification (failed)
status notification (failure) | notification (failure) | nondeliverable | non-delivery | nondelivery
non delivery | undelivered mail returned to sender | failure notice | failure notification
permanent delivery failure | permanent failure | permanent error | returned mail | returned message
returned to sender | returning message to sender | returned email | return to sender | mail returned
message returned | mail system error | processing error | error sending your mail | fail to send
failed to send | message rejected | message has been rejected | message was rejected | mail rejected
rejected mail | rejected message
automatically rejected | message blocked | mail blocked | address not found | user unknown | unknown user
no such user | not listed in domino directory | mailbox full | mailbox is full | bounced mail
bounced message | bounce notification | message bounced | mail bounce | [bounce] | ndn: | ndr:
dead letter | delivery status: failed | undeliv | couldn't deliver mail | not found in directory
e-mail could not | email could not | invalid recipient | error in delivery | rejected: | message frozen
frozen | not member article | are not member | reject mail | fml system error | loop alert
loop back warning | spam mail from | security alert | message you sent was blocked
message you sent blocked | blocked by | mail quota exceeded | quota exceeded
# German
unzustellbar | nicht zugestellt | nicht zustellbar | konnte nicht zugestellt | zustellung fehlgeschlagen
zustellfehler | unzustellbare | zustellungsfehler | zustellung nicht moeglich | zustellung nicht möglich
fehler bei der zustellung | nachricht unzustellbar | rückläufer | nicht übermittelt | (fehlgeschlagen)
mail nicht zustellbar | fehlgeschlagen:
# French
non délivrable | non remise | non remis | non délivré | echec de la remise | échec de remise
échec de distribution | non distribué | échec de livraison | impossible à remettre | non distribuable
echec de l'envoi | échec d'envoi | remise impossible | message refusé | n'a pas pu être remis
n'a pu être remis | utilisateur non recensé | utilisateur inconnu
# Spanish
no se puede entregar | no entregado | no se pudo entregar | no se ha podido entregar | error de entrega
correo devuelto | mensaje devuelto | imposible entregar | fallo en la entrega | error en la entrega
fallo de entrega | entrega fallida | mensaje no entregado | no entregable | devuelto al remitente
# Portuguese
não é possível entregar | não foi possível entregar | não entregue | falha na entrega | falha de entrega
não pôde ser entregue | mensagem devolvida | email devolvido | e-mail devolvido | erro na entrega
devolução | impossível entregar | não foi entregue | não entregável
# Italian
errore di recapito | impossibile recapitare | mancato recapito | non recapitabile | non recapitato
mancata consegna | messaggio non consegnato | consegna fallita | errore di consegna | non consegnato
recapito non riuscito | notifica di mancato | avviso di mancata
# Dutch
onbezorgbaar | niet te bezorgen | onbestelbaar | niet bezorgd | niet afgeleverd | kan niet worden bezorgd
bezorging mislukt | aflevering mislukt | kon niet worden afgeleverd | kon niet worden bezorgd
niet bezorgbaar | niet aangekomen
# Swedish, Danish, Norwegian, Finnish
ikke-leverbar | gick inte att leverera | kan inte levereras | ei toimitettavissa
toimitus ei onnistu |går inte att leverera
kunde inte levereras | ej levererat | ej levererbart | olevererbar | leveransfel | kan ikke leveres
kunne ikke leveres | ikke leveret | ikke levert | uleverbar | leveringsfeil | leveringsfejl
kan ikke sendes | ei voida toimittaa | ei voitu toimittaa | toimitus epäonnistui | perille toimittamaton
toimittamaton
# Polish, Czech, Slovak, Hungarian, Romanian, Turkish, Greek
teslim edilemez | imposibil de livrat | μη παραδοτέο |niedostarczalne | nie można dostarczyć
niedostarczon | nie dostarczono | zwrot poczty | nie została dostarczona | nedoručitelné | nedoručiteľné
nedoručeno | nebola doručen | nelze doručit | nedoručen | kézbesíthetetlen | kézbesítés sikertelen
nem kézbesíthető
nelivrabil | nu a putut fi livrat | nelivrat | teslim edilemedi | teslim edilemiyor | teslim edilemeyen
iletilemedi | αποτυχία παράδοσης | αδυναμία παράδοσης | δεν παραδόθηκε | δεν είναι δυνατή η παράδοση
# Russian, Ukrainian
недоставляемое | вернулось | недоставлен |не доставлено | недоставленное | не удается доставить
не может быть доставлено | невозможно доставить | не доставлена | ошибка доставки | недоставлено
сообщение не доставлено | возвращено отправителю | не вдалося доставити | не удалось доставить
не доставлен | неможливо доставити | недоставено
# Japanese, Chinese, Korean
傳遞失敗 | 传递失败 | 未能送达 | 寄送失敗 | 无法发送 | 系统退信 | 배달 불가 | 送信できません | 配信不能
配信できません | 配信できなかった | 配信に失敗 | 配信失敗 | 送信できなかった | 送信エラー | 配送できません
配送できなかった | 送達できません | 届けられません | 配達できません | 配信エラー | 不達 | 未配信 | 返送
エラーメール | 宛先不明 | メールを配信できません | 未配達 | 配送エラー | 退信 | 未送达 | 无法送达
无法传递 | 無法傳遞 | 無法投遞 | 无法投递 | 投递失败 | 传送失败 | 退回 | 發送失敗 | 发送失败 | 傳送失敗
未传递 | 未傳遞 | 被退回 | 無法送達 | 배달할 수 없음 | 배달되지 않음 | 전송 실패 | 전송실패 | 배달 실패
반송 | 발송 실패 | 발송실패 | 보내지 못
# Hebrew, Arabic
לא ניתן למסירה | לא נמסר | לא ניתן לשלוח | غير قابل للتسليم | تعذر التسليم | لم يتم تسليم | فشل التسليم
تعذر تسليم
""")

DELAYED_SUBJECTS = phrases("""
delayed | (delay) | delay notif | delivery delay | delay in deliver | warning: could not send
warning: message | warning - delayed | could not send message for past | still being retried
will be retried | notification (delay | retry | retrying | deferred | not yet delivered
not yet been delivered | temporar | could not yet be delivered | delivery warning | queued mail
mail warning | transient | verzögert | verzögerung | zustellverzögerung | noch nicht zugestellt | retardé
retard | différé | en attente de remise | retrasado | retraso | demorado | atraso | atrasad | ritardo
ritardata | vertraagd | vertraging | försenad | fördröj | forsinket | forsinkelse | viivästy | opóźnion
opóźnienie | zpožděn | oneskor | késés | késleltet | întârzi | gecik | καθυστέρηση | задержк | отложен
затримк | 遅延 | 遅れて | 保留 | 再送中 | 延迟 | 延遲 | 지연 | עיכוב | تأخير
""")

DELIVERED_SUBJECTS = phrases("""
successfully delivered | success notice | delivery status notification (success)
delivery report (success) | delivered: | relayed: | expanded: | notification (relay)
successful mail delivery | delivery receipt | return receipt | successful delivery | (success)
delivery notification: delivery has been successful | delivery confirmation | disposition notification
message disposition | message status - opened | lesebestätigung | 開封済み | 配信済み | 開封確認
""")

# The Subject begins so: receipts of mail programs and of Exchange.
RECEIPT_SUBJECTS = phrases("""
read: | opened: | gelesen: | zugestellt: | übermittelt: | lu : | lu: | remis : | remis: | leído:
entregado: | lida: | lido: | entregue: | letto: | recapitato: | gelezen: | bezorgd: | läst: | læst:
lest: | luettu: | przeczytano: | přečteno: | прочтено: | доставлено: | 已读: | 已讀: | 읽음: | 送达:
送達: | okundu: | 開封済み:
""")

GAVE_UP = phrases("""
# qmail and its kin
this is a permanent error | i've given up | i have given up | i'm not going to try again
not going to try again | i won't try again | has been in the queue too long | been in the queue too long
giving up on
# Exim, Postfix, sendmail, Exchange, Google
permanent fatal errors | permanent error | permanent failure | permanently failed | failed permanently
permanent problem | permanently rejected | permanent fatal delivery errors | retry timeout exceeded
retry time not reached for any host | will not be retried | will not retry | no longer be retried
no further attempts | no more attempts | no further delivery attempts | will not continue trying
will not be attempted | will not try again | won't try again | delivery time expired | delivery expired
message expired | maximum delivery attempts | retries exceeded | unrecoverable
not delivered within the allowed | allowed queue period | has been removed from the queue
been removed from the mail queue | attempts have failed | message has been deleted
have failed, and it has been | too many hops | delivery timeout | queue lifetime expired | stopped trying
gave up | given up | has been returned | being returned | is returned | was returned | returned unopened
has not been collected after | was aborted | tried to deliver your message without success
# German, French, Spanish, Portuguese, Italian, Dutch
permanenter fehler | dauerhafter fehler | endgültig | keine weiteren zustellversuche
permanent fehlgeschlagen | erreur permanente | échec permanent | définitivement | aucune autre tentative
erreur définitive | error permanente | error definitivo | no se volverá a intentar
no se realizarán más intentos | ha fallado permanentemente | erro permanente | falha permanente
não serão feitas novas tentativas | errore permanente | non verranno effettuati | permanente fout
geen verdere pogingen | definitief
# Nordic, Polish, Czech, Russian, Turkish
permanent fel | permanent fejl | permanent feil | pysyvä virhe | błąd trwały | trwały błąd | trvalá chyba
постоянная ошибка | постоянной ошибк | окончательно | больше не будет предпринимать | kalıcı hata
# Japanese, Chinese, Korean
恒久的 | 永続的 | 永久エラー | 永久的なエラー | 再送は行 | 再送されません | 再試行されません | 配送を中止
送信を中止 | 永久性 | 永久错误 | 永久失敗 | 不再尝试 | 不會再 | 영구적
""")

DELAYED = phrases("""
until you verify | until you confirm your | waiting list | guest list | please confirm by
will be delivered later | will be delivered as soon as | still pending | is pending | queued for retry
retrying until | postponed | until you confirm | awaiting your confirmation | do not need to resend
don't need to resend | need not resend | no need to resend | do not resend | not necessary to resend
warning message only | will continue to try | will continue trying | will keep trying | will be retried
attempts will continue | attempts will be continued | continue to attempt | continue attempting
will be attempted again | attempts to deliver the message will continue | has been delayed | is delayed
delivery is delayed | been delayed | message will be retried | will retry | still trying
still being retried | we will try again | will be repeated | not yet been delivered | not yet delivered
no action is required | had transient non-fatal errors | is currently delayed | delayed mail
delivery has been deferred | will be deferred | temporary problem delivering | remains in the queue
still in the queue | no action is necessary | continue to be made | delivery delayed
delivery of your message has been delayed | will attempt to deliver | wird weiter versucht
weitere zustellversuche | noch nicht zugestellt | zustellung verzögert | wird erneut versucht
verzögert sich | sie brauchen nichts | braucht nicht erneut | wird weiterhin versuchen | nochmals versucht
nicht erneut senden | n'a pas encore été | pas encore pu être | nouvelles tentatives | retardée | retardé
inutile de renvoyer | sera réessay | todavía no se ha entregado | aún no se ha entregado
seguirá intentando | se seguirá | retrasado | no es necesario que | volverá a intentar
ainda não foi entregue | continuará tentando | continuaremos tentando | não é necessário reenviar
atrasada | tentará novamente | non è ancora stato | continuerà a tentare
tentativi di recapito continueranno | in ritardo | non è necessario inviare | nog niet afgeleverd
nog niet bezorgd | zal blijven proberen | wordt opnieuw geprobeerd | vertraagd | hoeft niet opnieuw
kommer att försöka | ännu inte levererats | fortsætter med at | endnu ikke leveret | vil fortsette
ennå ikke levert | yrittää edelleen | ei ole vielä | nie została jeszcze | będą kontynuowane
kolejne próby | další pokusy | bude opakovan | zatím nebyl | еще не доставлено | ещё не доставлено
будет повторена | попытки доставки | продолжит попытки | попытки будут | denemeye devam | henüz teslim
再送を試み | 再送信を試み | 再試行し | 再配送 | 配送を継続 | 遅延して | 遅れています | 将继续尝试 | 將繼續
继续尝试 | 稍后重试 | 계속 시도 | 다시 시도합니다 | 再送します | 再度送信を試み
""")

# A postmaster's other mail, to the reader about their own mailbox and what was sent to them.
OWN_MAIL = phrases("""
your mailbox | your inbox | your quota | your account storage | mail account storage | of your quota
mail to you from | message to you from | sent to you was | sent to you were | addressed to you have
addressed to you are | addressed to you were | delivered to you. | messages in quarantine | spam quarantine
quarantine summary | quarantine digest | message quarantined. | ihr postfach | ihres postfachs
votre boîte aux lettres | votre messagerie est | su buzón | sua caixa postal | sua caixa de correio
la tua casella | la sua casella | uw mailbox | uw postvak | din postlåda | din brevlåda | din postkasse
twoja skrzynka | ваш почтовый ящик | あなたのメールボックス | 您的邮箱
""")
OWN_MAIL_SUBJECTS = phrases("""
undelivered messages | your mailbox | your inbox | quota warning | to you from | messages in quarantine
almost full | ihr postfach | fast voll | votre boîte | presque pleine | su buzón | casella quasi
mailbox over | quarantine digest | quarantine summary | spam report | spam summary | spam digest
blocked messages | cron < | anacron
folder internal data | log summar | logwatch | statistics | queue report
""")

# A notice's words for the mail that it is about.
NAMES_MAIL = phrases("""
your message to | your mail to | your email to | your e-mail to | message you sent | mail you sent
email you sent | e-mail you sent | the recipient
""")

DELIVERED = phrases("""
successfully delivered | was successfully relayed | delivered successfully | has been delivered
successfully relayed | delivery to the following recipients was successful | has been successfully
your message was delivered to | was delivered to the following | successful delivery | has been read
was displayed | was read on | message was displayed | "notificationtype":"delivery"
"notificationtype": "delivery" | \\"notificationtype\\":\\"delivery\\" | wurde erfolgreich zugestellt
wurde gelesen | erfolgreich übermittelt | a été remis | a été lu | se entregó correctamente
ha sido leído | foi entregue | foi lida | è stato recapitato | è stato letto | is bezorgd | is gelezen
doręczono | прочитано | было доставлено | 開封され | 正常に配信 | 已送达 | 已送達
""")

COMPLAINTS = phrases("""
this is an email abuse report | abuse report for an email message | email feedback report
this is a spam report | spam complaint from | "notificationtype":"complaint"
"notificationtype": "complaint" | \\"notificationtype\\":\\"complaint\\" | complaint about message from
feedback loop
""")
COMPLAINT_SUBJECTS = phrases("""
complaint about message from | abuse report | spam report | email feedback report | feedback report
fbl report
""")
