"""Bounces: delivery failures that arrive as if the lead had replied.

A mail server's report of a permanent failure (RFC 3463: status 5.x.x), in the languages that mail servers write. A
delay ("will keep trying") is none.
"""

import re

from crm_graph.intent.folding import fold

_READ = 4_000  # characters of the text
_SUBJECT = re.compile(
    r"\A(?:re: ?)?(?:delivery status notification ?\(?failure|undeliver(?:able|ed)\b|(?:mail )?delivery (?:has )?fail|"
    r"returned mail|failure notice|mail delivery (?:system|subsystem|failed)|message not delivered|non[- ]?remis|"
    r"echec de (?:la )?(?:remise|livraison)|unzustellbar|zustellung fehlgeschlagen|nicht zustellbar|"
    r"no se (?:puede|pudo) entregar|error de entrega|notificacion de estado de entrega \(error|"
    r"nao e possivel entregar|falha na entrega|nao foi possivel entregar|impossibile recapitare|mancato recapito|"
    r"mancata consegna|onbestelbaar|kan niet worden bezorgd|niet bezorgd|iletilemedi|teslim edilemedi|"
    r"niedostarczona|nie dostarczono|nedorucitelne|nedoruceno|oleverbart|kunne ikke leveres|ej levererat|недоставлен)"
)
_CODE = re.compile(r"(?<![\d.])5\d\d[ -]{0,3}#?5\.\d{1,2}\.\d{1,3}(?![\d.])|(?<![\d.])#?5\.[1-7]\.\d{1,3}(?![\d.])")
_WORDS = re.compile(
    r"mailer-daemon|(?:your|the following|this) (?:message|address|e-?mail)[^\n]{0,60}(?:wasn.?t delivered|"
    r"not be delivered|was not delivered|had permanent|(?:couldn.?t|could not) be (?:found|delivered))|user unknown|"
    r"no such user|recipient address rejected|address not found|mailbox (?:unavailable|does not exist|not found)|"
    r"permanent(?:e|er)? (?:fatal )?(?:error|failure|fehler)|empfanger(?:adresse)? (?:unbekannt|existiert nicht)|"
    r"adresse (?:introuvable|inconnue)|direccion no encontrada|indirizzo non trovato|adres niet gevonden|"
    r"endereco nao encontrado|adres bulunamadi"
)
_DELAYED = re.compile(
    r"\(delay\)|delayed|will (?:keep|continue to?) (?:trying|try)|verzogert|retarde|retrasad|atrasad|ritardat|vertraagd"
)


def is_bounce(text: str, *, subject: str = "") -> bool:
    """Whether a reply is a report that a message will not be delivered."""
    title, plain = fold(subject[:200]), fold(text[:_READ])
    if _DELAYED.search(title) or _DELAYED.search(plain):
        return False
    found = bool(_SUBJECT.search(title)), bool(_CODE.search(plain)), bool(_WORDS.search(plain))
    return sum(found) >= 2 or (found[0] and not plain.strip())
