"""The seven stages of a pipeline that is created without stages of its own."""

from typing import TypedDict

from crm_graph.models.enums import StageKind


class DefaultStage(TypedDict):
    """The columns of a stage; `probability` is from 0 to 1."""

    key: str
    name: str
    probability: float
    kind: StageKind


DEFAULT_STAGES: tuple[DefaultStage, ...] = (
    {"key": "new", "name": "New", "probability": 0.1, "kind": StageKind.OPEN},
    {"key": "contacted", "name": "Contacted", "probability": 0.2, "kind": StageKind.OPEN},
    {"key": "qualified", "name": "Qualified", "probability": 0.4, "kind": StageKind.OPEN},
    {"key": "meeting_scheduled", "name": "Meeting Scheduled", "probability": 0.6, "kind": StageKind.OPEN},
    {"key": "proposal_sent", "name": "Proposal Sent", "probability": 0.8, "kind": StageKind.OPEN},
    {"key": "won", "name": "Won", "probability": 1, "kind": StageKind.WON},
    {"key": "lost", "name": "Lost", "probability": 0, "kind": StageKind.LOST},
)
