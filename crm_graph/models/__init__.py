"""All tables, with the constraints that the database enforces and the indexes that queries need."""

from crm_graph.models.columns import AnySelect, Expression, Named, Relation, table
from crm_graph.models.enums import (
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
from crm_graph.models.inbox import WebhookLog
from crm_graph.models.outbox import Deployment, Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from crm_graph.models.people import (
    AccessToken,
    Company,
    Contact,
    ContactEmail,
    Owner,
    OwnerMailbox,
    Suppression,
    SuppressionKey,
)
from crm_graph.models.requests import IdempotencyKey
from crm_graph.models.sales import Activity, Deal, DealStageHistory, Pipeline, PipelineStage, ReplyVerdict

__all__ = [
    "AccessToken",
    "Activity",
    "ActivityType",
    "AnySelect",
    "Company",
    "Contact",
    "ContactEmail",
    "Deal",
    "DealStageHistory",
    "DealStatus",
    "DeliveryStatus",
    "Deployment",
    "Event",
    "EventType",
    "Expression",
    "IdempotencyKey",
    "LifecycleStage",
    "LoggedType",
    "Named",
    "Owner",
    "OwnerMailbox",
    "OwnerSource",
    "Pipeline",
    "PipelineStage",
    "Relation",
    "ReplyStatus",
    "ReplyStatusSource",
    "ReplyVerdict",
    "Role",
    "StageKind",
    "Suppression",
    "SuppressionKey",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookLog",
    "WebhookStatus",
    "table",
]
