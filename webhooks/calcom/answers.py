"""Answers to the questions of a booking page or a routing form, under the questions' labels."""

from collections.abc import Iterable, Mapping

from crm_graph.domain.contacts.lead import Lead
from crm_graph.values import clean_line, name_key
from webhooks import extract
from webhooks.provider import Payload

# Labels in the normal form of name_key, English and Turkish; of a booking page also the keys of its own questions.
EMAIL_LABELS = ("email", "e mail", "mail", "e posta", "eposta")
NAME_LABELS = ("name", "full name", "your name", "ad soyad", "adiniz soyadiniz", "isim")
FIRST_NAME_LABELS = ("first name", "firstname", "ad", "adiniz")
LAST_NAME_LABELS = ("last name", "lastname", "surname", "soyad", "soyadiniz")
COMPANY_LABELS = (
    "company", "company name", "organisation", "organization", "sirket", "firma", "unternehmen", "entreprise",
    "empresa", "azienda",
)  # fmt: skip
PHONE_LABELS = (
    "phone", "phone number", "telephone", "telefon", "telefon numarasi", "attendeephonenumber", "mobile",
    "telefono", "telefone",
)  # fmt: skip
TITLE_LABELS = ("title", "job title", "role", "position", "unvan")
ANSWERS_MAX = 100
# Questions that every booking page asks: what they say stands elsewhere.
USUAL = frozenset({"name", "email", "guests", "location", "title", "notes", "rescheduleReason", "smsReminderNumber"})


def answers_of(responses: Payload, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Label -> answer, but for the keys in `without` and hidden questions.

    An answer is a plain value or `{"label", "value"}`; a choice is a list.
    """
    found: dict[str, str] = {}
    for key, response in list(responses.items())[:ANSWERS_MAX]:
        inside = response if isinstance(response, dict) else {}
        if key in without or inside.get("isHidden") is True:
            continue
        label = clean_line(inside.get("label"), 200) or clean_line(key, 200)
        answer = _text(inside["value"] if "value" in inside else inside.get("response", response))
        if label and answer:
            # Two questions may have the same label; the key is the form's own name for the question.
            found[label if label not in found else f"{label} ({clean_line(key, 100)})"] = answer
    return found


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(item) for item in value[:50] if not isinstance(item, list)))) or None
    if isinstance(value, dict):
        return extract.line(value, "label", "value", "id")
    plain = extract.scalar(value)
    return str(plain) if plain is not None else None


def address_in(answers: dict[str, str]) -> str | None:
    """The answer to a question about the address, else the first answer that is an address."""
    asked = [answer for label, answer in answers.items() if name_key(label) in EMAIL_LABELS]
    asked += [answer for label, answer in answers.items() if "mail" in name_key(label)]
    addresses = (extract.address_or_none(clean_line(answer)) for answer in [*asked, *answers.values()])
    return next((address for address in addresses if address), None)


def lead_of(email: str, answers: Mapping[str, str]) -> Lead:
    """The person who gave these answers."""
    by_label = {name_key(label): answer for label, answer in answers.items()}

    def answer(labels: Iterable[str]) -> str | None:
        return next((clean_line(by_label[label]) for label in labels if label in by_label), None)

    both = " ".join(filter(None, (answer(FIRST_NAME_LABELS), answer(LAST_NAME_LABELS))))
    return Lead(
        email=email,
        full_name=answer(NAME_LABELS) or clean_line(both),
        company_name=answer(COMPANY_LABELS),
        phone=answer(PHONE_LABELS),
        title=answer(TITLE_LABELS),
    )
