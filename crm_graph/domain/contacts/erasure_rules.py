"""Erasure rules: what an erasure removes from each table, and what it keeps; docs/erasure.md says why.

A table that gets personal data later gets a function here, which `erase_everywhere` calls.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    Select,
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
from crm_graph.domain.contacts import spellings
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

DOMAIN = "@erased.invalid"  # RFC 2606: never belongs to anybody
TITLE = "Erased contact"
MANY = "*"  # among the mentions of an event with more addresses than are listed
REASON = "the body was erased with a person whom it names"
FIGURES = ("source", "campaign_id", "campaign_name", "step", "variant", "from_stage", "to_stage", "no_show", "arranges")
OUR_ADDRESSES = ("email_account", "organizer")

# The person: the ids of its contacts and of their deals, and its addresses in normal form.
IDS, DEAL_IDS = id_list("ids"), id_list("deal_ids")
ADDRESSES: BindParameter[Sequence[str]] = bindparam("_addresses", type_=ARRAY(Text), required=True)
# How others write them: without plus-tags, and in every spelling.
MENTIONED: BindParameter[Sequence[str]] = bindparam("_mentioned", type_=ARRAY(Text), required=True)
WORDS: BindParameter[Sequence[str]] = bindparam("_words", type_=ARRAY(Text), required=True)
PATTERN: BindParameter[str] = bindparam("_pattern", type_=Text, required=True)
NOW = param(Contact, "updated_at", "now")


def placeholder(contact_id: uuid.UUID) -> str:
    """The address that an erased contact gets."""
    return f"erased-{contact_id}{DOMAIN}"


def spelled(addresses: Sequence[str]) -> dict[str, object]:
    """The parameters by which mentions of the addresses are found."""
    return {
        "mentioned": spellings.with_untagged(addresses),
        "words": spellings.words(addresses),
        "pattern": spellings.pattern(addresses),
    }


def names_person(text: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text has one of the person's addresses, in any spelling that is known."""
    return func.crm_names_person(text, WORDS, PATTERN, type_=Boolean)


def erase_everywhere() -> tuple[Insert | Update | Delete, ...]:
    """The writes that erase a person from every table, except the entry that says so."""
    return (
        insert_suppressions(),
        erase_contacts(),
        delete_further_addresses(),
        erase_entries(),
        erase_verdicts(),
        erase_webhooks(),
        delete_idempotency_keys(),
        erase_events(),
        cancel_deliveries(),
        erase_attempts(),
        *erase_deals(),
    )


def insert_suppressions() -> Insert:
    """Store the addresses as keyed hashes: enough to recognise an address, not to read it."""
    address = func.unnest(ADDRESSES).column_valued("address")
    hmac = select(func.crm_address_hmac(address), NOW)
    new = insert(table(Suppression)).from_select(["address_hmac", "suppressed_at"], hmac)
    return new.on_conflict_do_nothing()


def erase_contacts() -> Update:
    people = table(Contact)
    values: dict[str, object] = dict.fromkeys(Contact.PERSONAL, null())
    values |= {"email": func.concat("erased-", people.c.id, DOMAIN), "custom": {}, "needs_review": False}
    values |= {"deleted_at": func.coalesce(people.c.deleted_at, NOW), "erased_at": NOW}
    values |= {"version": people.c.version + 1, "updated_at": NOW}
    return update(people).where(people.c.id == any_(IDS)).values(values)


def delete_further_addresses() -> Delete:
    return delete(table(ContactEmail)).where(table(ContactEmail).c.contact_id == any_(IDS))


def erase_entries() -> Update:
    """Remove what was written; that something happened, and when, stays."""
    c = table(Activity).c
    is_of_deals = and_(c.deal_id == any_(DEAL_IDS), c.contact_id.is_(None))  # with a contact, it is about that one
    # Without its text, nobody can do an open task.
    completed_at = case((c.type == ActivityType.TASK, func.coalesce(c.completed_at, NOW)))
    values = {"content": "", "meta_json": _figures(), "effect_key": null(), "completed_at": completed_at}
    return update(table(Activity)).where(or_(c.contact_id == any_(IDS), is_of_deals)).values(values)


def _figures() -> ColumnElement[object]:
    """Those of an entry's details that reports count by and that nobody wrote."""
    pair = func.jsonb_each(table(Activity).c.meta_json).table_valued("key", "value", name="pair").c
    ours = union(select(table(OwnerMailbox).c.email), select(table(Owner).c.email)).subquery("ours")
    is_one_of_ours = exists(select(1).where(ours.c.email == func.lower(pair.value.op("#>>")(_array(())))))
    is_figure = or_(pair.key == any_(_array(FIGURES)), and_(pair.key == any_(_array(OUR_ADDRESSES)), is_one_of_ours))
    is_scalar = func.jsonb_typeof(pair.value) == any_(_array(("string", "number", "boolean")))
    kept = select(func.jsonb_object_agg(pair.key, pair.value)).where(is_figure, is_scalar).scalar_subquery()
    return func.coalesce(kept, func.jsonb_build_object())


def erase_verdicts() -> Update:
    verdicts = table(ReplyVerdict)
    return update(verdicts).where(verdicts.c.contact_id == any_(IDS)).values(summary=null())


def erase_webhooks() -> Update:
    """Empty the person's provider events; those that waited for a retry are ignored now."""
    c = table(WebhookLog).c
    has_many = and_(c.mentions.op("&&")(_array((MANY,))), names_person(func.convert_from(c.body, "UTF8")))
    is_persons = or_(c.contact_id == any_(IDS), c.mentions.op("&&")(MENTIONED), has_many)
    status = case((c.status == WebhookStatus.PROCESSED, c.status), else_=literal(WebhookStatus.IGNORED, c.status.type))
    result = {"status": status, "processed_at": func.coalesce(c.processed_at, NOW), "error": REASON}
    return update(table(WebhookLog)).where(is_persons).values(emptied_webhook() | result)


def emptied_webhook() -> dict[str, object]:
    """The columns of a stored provider event without its data; takes the parameters of `spelled`.

    Its key, by which a repetition is recognised, stays unless it contains one of the addresses.
    """
    c = table(WebhookLog).c
    is_label = c.event_type.op("!~")("^[A-Za-z0-9_.()-]+$")  # Instantly's labels are text that somebody wrote
    key = case((~names_person(c.idempotency_key), c.idempotency_key))
    event_type = case((is_label, "(label)"), else_=c.event_type)
    return {"body": b"", "mentions": null(), "event_type": event_type, "idempotency_key": key}


def delete_idempotency_keys() -> Delete:
    keys = table(IdempotencyKey)
    stored = func.concat(keys.c.key, " ", cast(keys.c.result, Text))
    return delete(keys).where(or_(names_person(stored), _contains_one(cast(IDS, ARRAY(Text)), stored)))


def erase_deals() -> tuple[Update, Insert]:
    """Replace titles and remove notes. Amounts, stages, history and reasons for losing stay: they identify nobody."""
    locked = cascade.lock_deals(table(Deal).c.id == any_(DEAL_IDS))
    values = dict.fromkeys(Deal.PERSONAL, null()) | {"title": TITLE}
    return cascade.update_deals(locked, **values), cascade.insert_deal_entries(locked, "Personal data erased")


def erase_events() -> Update:
    """Remove the data of events about the person; that they were sent, and when, stays.

    The events of the erasure itself are not among them: they are written when the transaction ends.
    """
    c = table(Event).c
    head = cast(c.payload, JSONB).op("-")(literal("data", Text))
    empty = func.jsonb_build_object("data", func.jsonb_build_object(), "erased", True)
    return update(table(Event)).where(c.id.in_(_persons_events())).values(payload=cast(head.op("||")(empty), JSON))


def cancel_deliveries() -> Update:
    """Cancel the deliveries of those events that were not sent yet."""
    c = table(WebhookDelivery).c
    is_pending = and_(c.event_id.in_(_persons_events()), c.status == DeliveryStatus.PENDING)
    cancelled = {"status": DeliveryStatus.CANCELLED, "leased_until": null(), "settled_at": NOW}
    return update(table(WebhookDelivery)).where(is_pending).values(cancelled)


def erase_attempts() -> Update:
    """Remove what endpoints answered, because an answer may repeat what was sent."""
    attempts, c, sent = table(WebhookAttempt), table(WebhookAttempt).c, table(WebhookDelivery).c
    deliveries = select(sent.id).where(sent.event_id.in_(_persons_events()))
    return update(attempts).where(c.delivery_id.in_(deliveries), c.answer.is_not(None)).values(answer=null())


def _persons_events() -> Select[tuple[uuid.UUID]]:
    c = table(Event).c
    is_persons = or_(c.contact_id == any_(IDS), c.deal_id == any_(DEAL_IDS))
    return select(c.id).where(is_persons, c.type != EventType.CONTACT_ERASED)


def _contains_one(parts: ColumnElement[Sequence[str]], text: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text contains one of the parts, which are in lower case."""
    part = func.unnest(parts).column_valued("part")
    return exists(select(1).where(func.strpos(func.lower(text), part) > 0))


def _array(texts: Sequence[str]) -> ColumnElement[Sequence[str]]:
    return literal(list(texts), ARRAY(Text))
