"""The words by which mail clients introduce what they quote, in the languages that they come in.

From the clients' own translations, as they arrive in replies: Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, GMX,
Zoho, Proton, Notes. Languages: English, Turkish, German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Danish,
Norwegian, Finnish, Icelandic, Polish, Czech, Slovak, Hungarian, Romanian, Bulgarian, Russian, Ukrainian, Croatian,
Serbian, Slovene, Greek, Lithuanian, Latvian, Estonian, Catalan, Arabic, Hebrew, Persian, Hindi, Indonesian, Vietnamese,
Thai, Chinese, Japanese, Korean.
"""

import re

from crm_graph.intent.folding import fold

# "wrote", in a line that ends in a colon.
_WROTE = """
wrote, writes, yazdı, schrieb, geschrieben, schreibt, a écrit, escribió, ha escrito, escreveu, ha scritto,
scrive, schreef, geschreven, skrev, kirjoitti, skrifaði, napisał, napisała, pisze, napsal, napsala, napísal,
napísala, napisao, napisala, napisal, írta, a scris, написал, написала, пишет, писал, писала, написав, пише,
написа, је написао, έγραψε, rašė, parašė, rakstīja, kirjutas, va escriure, كتب, كتبت, כתב, כתבה, כתב/ה, نوشت,
ने लिखा, menulis, đã viết, เขียนว่า, 写道, 寫道, のメール, 님이 작성, 작성
"""
# The label of the sender in a block of lines.
_SENDER = """
from, kimden, gönderen, von, absender, de, da, van, afzender, från, avsändare, fra, afsender, od, mittente,
remitente, expéditeur, lähettäjä, nadawca, odesílatel, odosielateľ, feladó, de la, expeditor, от кого, от, від,
од, pošiljatelj, από, αποστολέας, nuo, no, saatja, remitent, من, المرسل, מאת, از, dari, từ, จาก, 发件人, 寄件者,
寄件人, 差出人, 送信者, 보낸 사람, 보낸사람
"""
# The other labels of such a block: date, recipient, copy, subject.
_OTHERS = """
sent, date, to, cc, bcc, subject, reply-to, gönderildi, gönderilme, gönderilme tarihi, gönderme tarihi,
gönderim tarihi, tarih, kime, alıcı, bilgi, konu, gesendet, datum, an, kopie, betreff, envoyé, à, objet, copie,
enviado, enviado el, fecha, data, para, asunto, assunto, enviada em, enviado em, inviato, oggetto, a, verzonden,
aan, onderwerp, skickat, till, ämne, sendt, til, dato, emne, lähetetty, päiväys, vastaanottaja, aihe, wysłano,
wysłane, do, temat, dw, odesláno, komu, předmět, odoslané, predmet, elküldve, címzett, tárgy, dátum, trimis,
către, subiect, изпратено, отправлено, дата, кому, копия, тема, надіслано, относно, до, послато, poslano, za,
slanje, prejemnik, zadeva, στάλθηκε, ημερομηνία, προς, θέμα, išsiųsta, kam, nosūtīts, saadetud, kellele, teema,
enviat el, per a, assumpte, تم الإرسال, التاريخ, إلى, الموضوع, נשלח, תאריך, אל, נושא, تاریخ, به, موضوع, dikirim,
tanggal, kepada, perihal, subjek, ngày, đến, chủ đề, วันที่, ถึง, เรื่อง, 发送时间, 发送日期, 日期, 收件人,
抄送, 主题, 寄件日期, 收件者, 主旨, 送信日時, 日時, 宛先, 件名, 보낸 날짜, 날짜, 받는 사람, 받는사람, 제목
"""
# The words between dashes, or alone on a line: "-----Original Message-----", "Begin forwarded message:".
_DIVIDERS = """
original message, original mail, reply message, forwarded message, begin forwarded message, özgün ileti,
orijinal ileti, orijinal mesaj, orijinal e-posta, iletilen ileti, iletilen mesaj, yönlendirilen ileti,
yönlendirilmiş ileti, ilk mesaj, ursprüngliche nachricht, ursprüngliche mail, originalnachricht,
weitergeleitete nachricht, anfang der weitergeleiteten nachricht, message d'origine, message original,
message initial, message transféré, début du message transféré, mensaje original, mensaje reenviado,
mensagem original, mensagem encaminhada, messaggio originale, messaggio inoltrato, oorspronkelijk bericht,
oorspronkelijke bericht, doorgestuurd bericht, ursprungligt meddelande, originalmeddelande,
vidarebefordrat meddelande, oprindelig meddelelse, oprindelig besked, videresendt besked, opprinnelig melding,
videresendt melding, alkuperäinen viesti, välitetty viesti, wiadomość oryginalna, oryginalna wiadomość,
przekazana wiadomość, původní zpráva, pôvodná správa, eredeti üzenet, továbbított üzenet, mesaj original,
mesaj redirecționat, оригинално съобщение, исходное сообщение, пересылаемое сообщение, оригинальное сообщение,
переслане повідомлення, оригинална порука, izvorna poruka, originalna poruka, izvirno sporočilo, αρχικό μήνυμα,
missatge original, الرسالة الأصلية, הודעה מקורית, 原始邮件, 原始郵件, 转发的邮件, 元のメッセージ, 원본 메시지,
원본 메일
"""


def alternatives(words: str) -> str:
    """Comma-separated words as alternatives of a regular expression over folded text, the longest first."""
    folded = {fold(" ".join(word.split())).replace("'", "") for word in words.split(",")}
    return "|".join(re.escape(word) for word in sorted(folded, key=lambda word: (-len(word), word)))


WROTE, SENDER, OTHERS, DIVIDERS = (alternatives(words) for words in (_WROTE, _SENDER, _OTHERS, _DIVIDERS))
