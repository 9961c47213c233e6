"""What an erasure takes from each table, and what it leaves; docs/erasure.md says why.

A table that gets personal data later gets its statement here, and a place in ERASED.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB, Insert, insert
from sqlalchemy.sql.dml import Delete, Update

from crm_graph.database.statements import id_list, param
from crm_graph.domain.deals import cascade
from crm_graph.models import (
    Activity,
    ActivityType,
    Contact,
    ContactEmail,
    Deal,
    DeliveryStatus,
    Event,
    EventType,
    IdempotencyKey,
    Owner,
    OwnerMailbox,
    ReplyVerdict,
    Suppression,
    WebhookAttempt,
    WebhookDelivery,
    WebhookLog,
    WebhookStatus,
    table,
)

DOMAIN = "@erased.invalid"  # RFC 2606: nobody's for ever
TITLE = "Erased contact"
REASON = "the body was erased with a person whom it names"
FIGURES = ("source", "campaign_id", "campaign_name", "step", "variant", "from_stage", "to_stage", "no_show", "arranges")
OUR_ADDRESSES = ("email_account", "organizer")

# The person: its contacts, their deals, and its addresses in normal form.
IDS, DEAL_IDS = id_list("ids"), id_list("deal_ids")
ADDRESSES: ColumnElement[Any] = bindparam("_addresses", type_=ARRAY(Text), required=True)
NOW = param(Contact, "updated_at", "now")


def placeholder(contact_id: Any) -> str:
    """The address that an erased contact has instead."""
    return f"erased-{contact_id}{DOMAIN}"


def suppressions() -> Insert:
    """The addresses as nobody can read them, by which they are known again."""
    address = func.unnest(ADDRESSES).column_valued("address")
    hmac = select(func.crm_address_hmac(address), NOW)
    new = insert(table(Suppression)).from_select(["address_hmac", "suppressed_at"], hmac)
    return new.on_conflict_do_nothing()


def contacts() -> Update:
    people = table(Contact)
    gone = dict.fromkeys(Contact.PERSONAL, null()) | {
        "email": func.concat("erased-", people.c.id, DOMAIN),
        "custom": {},
    }
    state = {"deleted_at": func.coalesce(people.c.deleted_at, NOW), "erased_at": NOW, "needs_review": False}
    edited = {"version": people.c.version + 1, "updated_at": NOW}
    return update(people).where(people.c.id == any_(IDS)).values(gone | state | edited)


def further_addresses() -> Delete:
    return delete(table(ContactEmail)).where(table(ContactEmail).c.contact_id == any_(IDS))


def entries() -> Update:
    """What was written goes; that something happened, and when, stays."""
    c = table(Activity).c
    of_deals = and_(c.deal_id == any_(DEAL_IDS), c.contact_id.is_(None))  # with a contact, it is that one's
    done = case((c.type == ActivityType.TASK, func.coalesce(c.completed_at, NOW)))  # what is to do nobody knows now
    gone = {"content": "", "meta_json": _figures(c.meta_json), "effect_key": null(), "completed_at": done}
    return update(table(Activity)).where(or_(c.contact_id == any_(IDS), of_deals)).values(gone)


def _figures(meta: Any) -> ColumnElement[Any]:
    """Of an entry's details those that reports count by, and that nobody wrote."""
    pair = func.jsonb_each(meta).table_valued("key", "value", name="pair").c
    ours = union(select(table(OwnerMailbox).c.email), select(table(Owner).c.email)).subquery("ours")
    is_one_of_ours = exists(select(1).where(ours.c.email == func.lower(pair.value.op("#>>")(_listed(())))))
    is_figure = or_(pair.key == any_(_listed(FIGURES)), and_(pair.key == any_(_listed(OUR_ADDRESSES)), is_one_of_ours))
    is_plain = func.jsonb_typeof(pair.value) == any_(_listed(("string", "number", "boolean")))
    kept = select(func.jsonb_object_agg(pair.key, pair.value)).where(is_figure, is_plain).scalar_subquery()
    return func.coalesce(kept, func.jsonb_build_object())


def verdicts() -> Update:
    verdicts = table(ReplyVerdict)
    return update(verdicts).where(verdicts.c.contact_id == any_(IDS)).values(summary=null())


def webhooks() -> Update:
    """What waited for a retry is ignored now."""
    c = table(WebhookLog).c
    is_theirs = or_(c.contact_id == any_(IDS), c.mentions.op("&&")(ADDRESSES))
    status = case((c.status == WebhookStatus.PROCESSED, c.status), else_=literal(WebhookStatus.IGNORED, c.status.type))
    concluded = {"status": status, "processed_at": func.coalesce(c.processed_at, NOW), "error": REASON}
    return update(table(WebhookLog)).where(is_theirs).values(emptied(ADDRESSES) | concluded)


def emptied(addresses: ColumnElement[Any]) -> dict[str, Any]:
    """A stored event without what it tells; its keys stay, by which a repetition is known, unless they name one."""
    c = table(WebhookLog).c
    is_label = c.event_type.op("!~")("^[A-Za-z0-9_.()-]+$")  # Instantly's labels are text that somebody wrote
    key = case((~_is_in(addresses, c.idempotency_key), c.idempotency_key))
    event_type = case((is_label, "(label)"), else_=c.event_type)
    return {"body": b"", "mentions": null(), "event_type": event_type, "idempotency_key": key}


def idempotency_keys() -> Delete:
    keys = table(IdempotencyKey)
    kept = func.concat(keys.c.key, " ", cast(keys.c.result, Text))
    names_them = _is_in(func.array_cat(ADDRESSES, cast(IDS, ARRAY(Text))), kept)
    return delete(keys).where(names_them)


def deals() -> tuple[Update, Insert]:
    """Amounts, stages, history and reasons for losing stay: nobody can tell from them who it was."""
    held = cascade.lock_deals(table(Deal).c.id == any_(DEAL_IDS))
    replaced = dict.fromkeys(Deal.PERSONAL, null()) | {"title": TITLE}
    return cascade.update_deals(held, **replaced), cascade.insert_deal_entries(held, "Personal data erased")


def events() -> Update:
    """What was told of them; that something was told, and when, stays. Run before the erasure itself is told."""
    c = table(Event).c
    head = cast(c.payload, JSONB).op("-")(literal("data", Text))
    empty = func.jsonb_build_object("data", func.jsonb_build_object(), "erased", True)
    return update(table(Event)).where(c.id.in_(_their_events())).values(payload=cast(head.op("||")(empty), JSON))


def deliveries() -> Update:
    """What was not sent yet is not sent any more."""
    c = table(WebhookDelivery).c
    is_theirs = and_(c.event_id.in_(_their_events()), c.status == DeliveryStatus.PENDING)
    cancelled = {"status": DeliveryStatus.CANCELLED, "leased_until": null(), "settled_at": NOW}
    return update(table(WebhookDelivery)).where(is_theirs).values(cancelled)


def attempts() -> Update:
    """An endpoint may have answered with what it got."""
    sent, c = table(WebhookDelivery).c, table(WebhookAttempt).c
    of_theirs = select(sent.id).where(sent.event_id.in_(_their_events()))
    return (
        update(table(WebhookAttempt)).where(c.delivery_id.in_(of_theirs), c.answer.is_not(None)).values(answer=null())
    )


def _their_events() -> Any:
    c = table(Event).c
    is_theirs = or_(c.contact_id == any_(IDS), c.deal_id == any_(DEAL_IDS))
    return select(c.id).where(is_theirs, c.type != EventType.CONTACT_ERASED)


def _is_in(parts: Any, text: Any) -> ColumnElement[bool]:
    """Whether one of the parts, in lower case, is in a text."""
    part = func.unnest(parts).column_valued("part")
    return exists(select(1).where(func.strpos(func.lower(text), part) > 0))


def _listed(texts: Sequence[str]) -> ColumnElement[Any]:
    return literal(list(texts), ARRAY(Text))


ERASED: tuple[Callable[[], Insert | Update | Delete], ...] = (
    suppressions,
    contacts,
    further_addresses,
    entries,
    verdicts,
    webhooks,
    idempotency_keys,
    events,
    deliveries,
    attempts,
)
