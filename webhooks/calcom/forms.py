"""Routing forms: the answers are under the labels of the form's questions."""

from crm_graph.models import ActivityType
from crm_graph.values import parse_time
from webhooks import extract
from webhooks.calcom.answers import address_in, answers_of, lead_of
from webhooks.calcom.booking import booking_of, is_internal
from webhooks.provider import ContactEvent, Context, Ignored, Payload, Translation


def form_submitted(payload: Payload, context: Context) -> Translation:
    """A form was submitted: a contact, when one of the answers is an e-mail address."""
    form = booking_of(payload)
    answers = answers_of(extract.section(form.fields, "responses"))
    email = address_in(answers)
    if email is None:
        return Ignored("no answer in the form is an e-mail address")
    if is_internal(email, context):
        return Ignored("the e-mail address belongs to the team (INTERNAL_DOMAINS)")
    name = extract.line(form.fields, "formName")
    lines = [f"Form submitted: {name}" if name else "Form submitted"]
    return (
        ContactEvent(
            lead=lead_of(email, answers),
            type=ActivityType.FORM,
            content="\n".join(lines + [f"{label}: {answer}" for label, answer in answers.items()]),
            occurred_at=parse_time(payload.get("createdAt"), now=context.received_at),
            meta=extract.compact(event=form.trigger, form=name, answers=answers),
        ),
    )
