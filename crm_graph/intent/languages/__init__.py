"""The languages in which replies are read: a module for each, with what people say in it.

A module has, over folded text (no accents, lower case, no apostrophes):

| name | form | what it is |
|---|---|---|
| FUNCTION_WORDS | words | common short words, by which the language of a reply is recognised |
| CLASSES | name: alternatives | classes of words for phrases |
| REMOVAL, WANTS, ... | phrases | a block for each kind of cues.py, in the notation of phrases.py |
| NEGATED_BEFORE, NEGATED_AFTER | pattern | what before or after a wish turns it into a refusal |
| CONCEDED_BEFORE | pattern | what before praise makes it a concession ("while it is interesting") |
| ASKED_AFTER | pattern | what after a refusal turns it into a question ("istemez mi?") |
| CAPABILITY | pattern | a question about the product, not about the one who asks ("does it remove duplicates?") |
| TURNS | alternatives | "but" and its like: what follows is what counts |
| GREETINGS | alternatives | what a reply begins with, before a name and a comma |
| AUTOMATIC_SUBJECTS, OPT_OUT_SUBJECTS | alternatives | of absence notices; of mail that only asks to be removed |
| SIGN_OFFS, AFTERTHOUGHTS | alternatives | the closing above a name; how a line after it begins that still counts |
| DEVICES, DISCLAIMERS | alternatives | how a line of a mail program, or of the legal department, begins |
| SEE_BELOW | alternatives | words that send the reader to answers between the quoted lines |
| MONTHS, WEEKDAYS | words each | their names and abbreviations, January and Monday first |
| TOMORROW, NEXT_WEEK | alternatives | "tomorrow"; what before a weekday means the one of next week |
| ENDS_BEFORE, ENDS_AFTER | alternatives | what before or after a date says that an absence ends there |

All but CLASSES and FUNCTION_WORDS may be missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from types import ModuleType

from crm_graph.intent.languages import dutch, english, french, german, italian, portuguese, spanish, turkish

_MODULES = (english, turkish, german, dutch, french, italian, spanish, portuguese)
_CLEAR = 3  # function words of one language; below that, a reply may be in any
_MINORITY = 3  # a language with less than a third of the leading one's function words is not spoken


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """What people say in one language, as far as the cues need it."""

    name: str
    function_words: frozenset[str]
    classes: Mapping[str, str]
    phrases: Mapping[str, str]  # by kind
    negated_before: Pattern[str] | None
    negated_after: Pattern[str] | None
    conceded_before: Pattern[str] | None
    asked_after: Pattern[str] | None
    capability: Pattern[str] | None


def _language(module: ModuleType) -> Language:
    blocks = {name: value for name, value in vars(module).items() if name.isupper()}
    return Language(
        module.__name__.rpartition(".")[2],
        frozenset(blocks["FUNCTION_WORDS"].split()),
        blocks["CLASSES"],
        {name: value for name, value in blocks.items() if isinstance(value, str)},
        *(blocks.get(name) for name in ("NEGATED_BEFORE", "NEGATED_AFTER", "CONCEDED_BEFORE")),
        *(blocks.get(name) for name in ("ASKED_AFTER", "CAPABILITY")),
    )


LANGUAGES = tuple(_language(module) for module in _MODULES)


def spoken(words: Iterable[str]) -> Sequence[Language]:
    """The languages that a text of these folded words may be in; all, unless its function words say otherwise."""
    seen = set(words)
    scores = [len(seen & language.function_words) for language in LANGUAGES]
    leading = max(scores)
    if leading < _CLEAR:
        return LANGUAGES
    return [one for one, score in zip(LANGUAGES, scores, strict=True) if score * _MINORITY >= leading]


def alternatives(name: str) -> str:
    """The alternatives of all languages under a name, for a regular expression."""
    found = (getattr(module, name, "") for module in _MODULES)
    return "|".join(one for one in found if one)


def numbered(name: str) -> dict[str, int]:
    """The names of months or weekdays in all languages, with their place from 0."""
    lists = (getattr(module, name, ()) for module in _MODULES)
    return {word: place for names in lists for place, words in enumerate(names) for word in words.split()}
