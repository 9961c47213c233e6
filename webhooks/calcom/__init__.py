"""Cal.com, bookings: its triggers and our normalised `booking.created`. docs/webhooks.md says how to set it up."""

from functools import partial

from crm_graph.settings import Settings
from webhooks import signatures
from webhooks.calcom.booking import identify
from webhooks.calcom.events import (
    booked,
    cancelled,
    meeting_ended,
    meeting_started,
    no_effect,
    pinged,
    rejected,
    requested,
    rescheduled,
    unknown,
)
from webhooks.calcom.forms import form_submitted
from webhooks.calcom.no_show import guests_missed, hosts_missed, no_show_updated
from webhooks.provider import Provider, Secrets

SCHEMES = (signatures.x_cal_signature_256, signatures.x_signature, signatures.standard_webhooks)

# The other triggers of Cal.com's source (WebhookTriggerEvents).
NO_EFFECT = (
    "BOOKING_PAID",
    "BOOKING_PAYMENT_INITIATED",
    "RECORDING_READY",
    "RECORDING_TRANSCRIPTION_GENERATED",
    "INSTANT_MEETING",
    "OOO_CREATED",
    "FORM_SUBMITTED_NO_EVENT",
    "ROUTING_FORM_FALLBACK_HIT",
    "DELEGATION_CREDENTIAL_ERROR",
    "WRONG_ASSIGNMENT_REPORT",
)


def _secrets(settings: Settings) -> Secrets:
    return Secrets(hmac=tuple(secret.get_secret_value().encode() for secret in settings.hmac_shared_secret_calcom))


CALCOM = Provider(
    name="calcom",
    endpoint="booking",
    secrets=_secrets,
    verify=partial(signatures.verify, schemes=SCHEMES),
    sign=partial(signatures.sign_hex, header="X-Cal-Signature-256"),
    identify=identify,
    translators={
        "booking.created": booked,
        "BOOKING_CREATED": booked,
        "BOOKING_REQUESTED": requested,
        "BOOKING_REJECTED": rejected,
        "BOOKING_RESCHEDULED": rescheduled,
        "BOOKING_CANCELLED": cancelled,
        "BOOKING_NO_SHOW_UPDATED": no_show_updated,
        "MEETING_STARTED": meeting_started,
        "MEETING_ENDED": meeting_ended,
        "FORM_SUBMITTED": form_submitted,
        "PING": pinged,
        "AFTER_GUESTS_CAL_VIDEO_NO_SHOW": guests_missed,
        "AFTER_HOSTS_CAL_VIDEO_NO_SHOW": hosts_missed,
        **dict.fromkeys(NO_EFFECT, no_effect),
    },
    default_translator=unknown,
)
