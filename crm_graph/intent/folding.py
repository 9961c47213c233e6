"""Folding: converts text as people type it into one spelling that the vocabularies can match.

Turkish is written with and without its letters ("görüşebiliriz", "gorusebiliriz", "GÖRÜŞEBİLİRİZ"), and Python's
lower() turns İ into two characters. Folding therefore removes case, accents and the dotless ı.
"""

import re
import unicodedata

# A word with one typo is read as one of these, because people reply from phones. English only: in Turkish, one letter
# is often the negation ("ilgileniyoruz" / "ilgilenmiyoruz").
_OFTEN_MISTYPED = (
    "interested", "interesting", "unsubscribe", "unsubscribed", "pricing", "meeting", "schedule", "available",
    "information", "vacation", "currently", "details", "tomorrow", "calendar", "company", "remove", "please",
    "office", "emails", "mailing", "contact", "thanks", "budget", "question", "database", "holiday",
)  # fmt: skip
# Real words that differ from those by one letter, also of other languages.
_OTHER_WORDS = frozenset(
    {
        "mating", "melting", "meting", "removed", "removes", "remote", "pleased", "pleas", "offices",
        "officer", "mails", "mailings", "contacts", "thank", "budgets", "questions", "databases", "holidays",
        "uninterested", "unsubscribes", "meetings", "scheduled", "schedules", "unavailable", "vacations", "detail",
        "detailed", "calendars", "contract", "offence", "removal",
        "contacta", "contacte", "contacto", "contactos", "contactez", "contata", "contate", "contato", "contatos",
        "contati", "contatta", "contatti", "contatto", "contattate", "contrat", "contrato", "cuestion", "detalles",
        "dinformation", "informations", "informacion", "informazione", "informazioni", "koffie", "questione",
        "questioni",
        "remova", "remover", "removi", "renove", "renovado", "interesse", "interessant", "interessante",
        "presente", "mailen", "vacances", "vacaciones", "calendrier", "calendario", "compania", "companhia",
    }
)  # fmt: skip

_BEFORE = str.maketrans({"ı": "i", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"'})
_URL = re.compile(r"(?:https?://|www\.)\S{1,300}", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,190}")
_PHONE = re.compile(r"(?<!\w)\+?\(?\d[\d ()/-]{7,18}\d(?!\w)")
WORD_MAX = 40  # characters kept of a word
_PIECE = 256
_NOT_WORD = re.compile(r"[^\w#]+")
_COMMA = re.compile(r",(?=\s)")


def fold(text: str) -> str:
    """Convert to lower case, without accents, dotless ı and invisible characters."""
    plain = text.translate(_BEFORE).casefold()
    return "".join(c for c in _decomposed(plain) if unicodedata.category(c) not in ("Mn", "Cf"))


def _decomposed(text: str) -> str:
    """The text in NFKD, piece by piece: normalizing sorts a run of accents, in quadratic time."""
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return "".join(unicodedata.normalize("NFKD", piece) for piece in pieces)


def mark_addresses(text: str) -> str:
    """E-mail addresses, links and phone numbers as one word each, so that their dots end no sentence."""
    text = _ADDRESS.sub(" mailaddress ", _URL.sub(" weblink ", text))
    return _PHONE.sub(" phonenumber ", text)


def words_and_commas(text: str) -> str:
    """Folded words as `words` gives them, with the commas between them ("no, thanks")."""
    return ", ".join(filter(None, map(words, _COMMA.split(text))))


def words(text: str) -> str:
    """Folded words with single spaces between them; apostrophes close up ("don't" -> "dont", "Ocak'a" -> "ocaka")."""
    closed = fold(text).replace("'", "")
    return " ".join(_corrected(word[:WORD_MAX]) for word in _NOT_WORD.split(closed) if word)


def _shortened(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


_KNOWN = {short: word for word in _OFTEN_MISTYPED for short in _shortened(word)}
_KNOWN.update({word: word for word in (*_OFTEN_MISTYPED, *_OTHER_WORDS)})


def _corrected(word: str) -> str:
    if not 6 <= len(word) <= 13 or word in _OTHER_WORDS:
        return word
    meant = (_KNOWN[s] for s in (word, *sorted(_shortened(word))) if s in _KNOWN and s not in _OTHER_WORDS)
    return next(meant, word)
