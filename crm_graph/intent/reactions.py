"""Reactions: an emoji on our e-mail, which mail programs send as a reply of its own."""

import re

from crm_graph.intent.folding import fold

_READ = 300
_SENTENCE = re.compile(
    r"(?:\A|\n)[^\n]{0,60}(?:reacted (?:to|via)|liked your message|loved your message|"
    r"hat (?:auf ihre nachricht )?reagiert|a reagi a|ha reaccionado|reagiu|ha reagito|heeft gereageerd|tepki verdi)"
    r"[^\n]{0,120}"
)


def is_reaction(text: str) -> bool:
    """Whether a text is nothing but a reaction: one emoji or several, or the sentence of a mail program about it."""
    plain = text.strip()
    if not plain or len(plain) > _READ:
        return False
    if not any(c.isalnum() for c in plain) and all(c.isspace() or ord(c) > 0x2000 for c in plain):
        return True
    return _SENTENCE.search(fold(plain)) is not None
