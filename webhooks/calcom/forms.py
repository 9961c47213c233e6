"""Routing forms: the answers are under the labels of the form's questions."""

from collections.abc import Iterable

from crm_graph.domain.contacts.lead import Lead
from crm_graph.models import ActivityType
from crm_graph.values import clean_line, name_key, parse_time
from webhooks import extract
from webhooks.calcom.booking import booking_of, is_internal
from webhooks.provider import ContactEvent, Context, Ignored, Payload, Translation

# Labels in the normal form of name_key, English and Turkish.
EMAIL_LABELS = ("email", "e mail", "mail", "e posta", "eposta")
NAME_LABELS = ("name", "full name", "your name", "ad soyad", "adiniz soyadiniz", "isim")
FIRST_NAME_LABELS = ("first name", "firstname", "ad", "adiniz")
LAST_NAME_LABELS = ("last name", "lastname", "surname", "soyad", "soyadiniz")
COMPANY_LABELS = ("company", "company name", "organisation", "organization", "sirket", "firma")
PHONE_LABELS = ("phone", "phone number", "telephone", "telefon", "telefon numarasi")
ANSWERS_MAX = 100


def form_submitted(payload: Payload, context: Context) -> Translation:
    """A form was submitted: a contact, when one of the answers is an e-mail address."""
    form = booking_of(payload)
    answers = _answers(extract.section(form.fields, "responses"))
    email = _email(answers)
    if email is None:
        return Ignored("no answer in the form is an e-mail address")
    if is_internal(email, context):
        return Ignored("the e-mail address belongs to the team (INTERNAL_DOMAINS)")
    name = extract.line(form.fields, "formName")
    lines = [f"Form submitted: {name}" if name else "Form submitted"]
    return (
        ContactEvent(
            lead=_lead(email, answers),
            type=ActivityType.FORM,
            content="\n".join(lines + [f"{label}: {answer}" for label, answer in answers.items()]),
            occurred_at=parse_time(payload.get("createdAt"), now=context.received_at),
            meta=extract.compact(event=form.trigger, form=name, answers=answers),
        ),
    )


def _answers(responses: Payload) -> dict[str, str]:
    """Label -> answer. An answer is a plain value or `{"label", "value"}`; a choice is a list."""
    found: dict[str, str] = {}
    for key, response in list(responses.items())[:ANSWERS_MAX]:
        inside = response if isinstance(response, dict) else {}
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


def _email(answers: dict[str, str]) -> str | None:
    """The answer to a question about the address, else the first answer that is an address."""
    asked = [answer for label, answer in answers.items() if name_key(label) in EMAIL_LABELS]
    asked += [answer for label, answer in answers.items() if "mail" in name_key(label)]
    addresses = (extract.address_or_none(clean_line(answer)) for answer in [*asked, *answers.values()])
    return next((address for address in addresses if address), None)


def _lead(email: str, answers: dict[str, str]) -> Lead:
    by_label = {name_key(label): answer for label, answer in answers.items()}

    def answer(labels: Iterable[str]) -> str | None:
        return next((clean_line(by_label[label]) for label in labels if label in by_label), None)

    both = " ".join(filter(None, (answer(FIRST_NAME_LABELS), answer(LAST_NAME_LABELS))))
    return Lead(
        email=email,
        full_name=answer(NAME_LABELS) or clean_line(both),
        company_name=answer(COMPANY_LABELS),
        phone=answer(PHONE_LABELS),
    )
