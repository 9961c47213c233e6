"""The closed sets of crm_graph.models as GraphQL enums: UPPER_CASE names for the stored values."""

import strawberry

from crm_graph.models import (
    ActivityType,
    DealStatus,
    DeliveryStatus,
    EventType,
    LifecycleStage,
    LoggedType,
    OwnerSource,
    ReplyStatus,
    ReplyStatusSource,
    Role,
    StageKind,
    WebhookStatus,
)

__all__ = [
    "ActivityType",
    "DealStatus",
    "DeliveryStatus",
    "EventType",
    "LifecycleStage",
    "LoggedType",
    "OwnerSource",
    "ReplyStatus",
    "ReplyStatusSource",
    "Role",
    "StageKind",
    "WebhookStatus",
]

for _name in __all__:
    _kind = globals()[_name]
    # SQL makes the names of responses by upper().
    assert all(member.name == member.value.upper() for member in _kind), (
        f"{_name} has a member whose name is not its value in capitals"
    )
    strawberry.enum(_kind, description=" ".join(_kind.__doc__.split()))
