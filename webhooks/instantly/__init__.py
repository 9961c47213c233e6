"""Instantly, cold e-mail: its events and our normalised `reply`. docs/webhooks.md says how to set it up."""

from functools import partial

from crm_graph.settings import Settings
from webhooks import signatures
from webhooks.instantly.events import (
    auto_replied,
    bounced,
    label_or_unknown,
    lead_closed,
    lead_no_show,
    marked_interested,
    marked_neutral,
    marked_not_interested,
    marked_out_of_office,
    marked_wrong_person,
    meeting_booked,
    meeting_completed,
    no_effect,
    replied,
    sending_account_failed,
    sent,
    unsubscribed,
)
from webhooks.instantly.fields import identify, lead_of_reply
from webhooks.instantly.normalised import normalised_reply
from webhooks.provider import Provider, Secrets

SCHEMES = (signatures.x_signature, signatures.bearer_token, signatures.standard_webhooks)


def _secrets(settings: Settings) -> Secrets:
    return Secrets(
        hmac=tuple(secret.get_secret_value().encode() for secret in settings.hmac_shared_secret_instantly),
        tokens=tuple(token.get_secret_value().encode() for token in settings.instantly_webhook_token),
    )


def _sign(body: bytes, secrets: Secrets) -> dict[str, str]:
    """The static token, the only credential that Instantly can send; without one, the signature of a relay."""
    if secrets.tokens:
        return {"Authorization": f"Bearer {secrets.tokens[0].decode()}"}
    return signatures.sign_hex(body, secrets, header="X-Signature")


INSTANTLY = Provider(
    name="instantly",
    endpoint="reply",
    secrets=_secrets,
    verify=partial(signatures.verify, schemes=SCHEMES),
    sign=_sign,
    identify=identify,
    translators={
        "reply": normalised_reply,
        "reply_received": replied,
        "auto_reply_received": auto_replied,
        "lead_out_of_office": marked_out_of_office,
        "lead_interested": marked_interested,
        "lead_not_interested": marked_not_interested,
        "lead_neutral": marked_neutral,
        "lead_wrong_person": marked_wrong_person,
        "lead_meeting_booked": meeting_booked,
        "lead_meeting_completed": meeting_completed,
        "lead_no_show": lead_no_show,
        "lead_closed": lead_closed,
        "email_sent": sent,
        "email_bounced": bounced,
        "lead_unsubscribed": unsubscribed,
        "email_opened": no_effect,
        "link_clicked": no_effect,
        "email_link_clicked": no_effect,
        "campaign_completed": no_effect,
        "account_error": sending_account_failed,
    },
    default_translator=label_or_unknown,
    lead_of_reply=lead_of_reply,
)
