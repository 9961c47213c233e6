"""The queries for each contestant, as a frontend sends them: a document with a fragment, and variables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.samples import Sample

FIRST = 50
READS = {
    "board": "7 stages, the first 50 deals of each in board order, with contact and company",
    "counts": "the board with the number of deals in each stage, and their totals",
    "detail": "a deal with contact, company, owner and its latest 50 activities",
    "page": "the newest 50 open deals of one stage, with contact",
    "search": "one or two words over deals, contacts and companies, the best 20",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A query, and its variables for one sample."""

    query: str
    variables: Callable[[Sample], dict[str, Any]]


CARD = """
fragment Card on Deal {
  id title amount currency closeDate status updatedAt
  contact { id fullName email title replyStatus }
  company { id name domain }
}"""
BOARD = (
    """query Board($first: Int!) {
  pipeline { id name stages { id key name deals(first: $first) { nodes { ...Card } } } }
}"""
    + CARD
)
COUNTS = (
    """query Board($first: Int!) {
  pipeline { id name stages {
    id key name dealCount amountTotals { amount currency } deals(first: $first) { nodes { ...Card } }
  } }
}"""
    + CARD
)
DETAIL = """query Deal($id: UUID!, $first: Int!) {
  deal(id: $id) {
    id title amount currency closeDate status source notes createdAt updatedAt
    stage { id key name }
    owner { id name }
    contact { id fullName email title replyStatus phone }
    company { id name domain industry }
    activities(first: $first) { nodes { id type content occurredAt createdBy { id name } } }
  }
}"""
PAGE = """query Page($stage: UUID!, $status: DealStatus!, $first: Int!) {
  deals(filter: {stageId: $stage, status: $status}, orderBy: CREATED_AT_DESC, first: $first) {
    nodes {
      id title amount currency closeDate status createdAt
      contact { id fullName email title replyStatus }
    }
  }
}"""
SEARCH = """query Search($text: String!, $first: Int!) {
  search(text: $text, first: $first) {
    score
    deal { id title }
    contact { id fullName email }
    company { id name }
  }
}"""

# The queries of bench.reports, with every field of a report.
REPORTS = {
    "pipelineReport": """query Report($from: DateTime, $to: DateTime) {
  pipelineReport(from: $from, to: $to) {
    open { count totals { currency amount weightedAmount } forecast { month currency deals amount weightedAmount } }
    stages { stage { name } entered left medianDays p90Days conversions { toStage { name } moves rate } }
    closed {
      won lost winRate wonTotals { currency amount } lostTotals { currency amount } lostReasons { reason deals }
    }
    repliesByStatus { status contacts }
    attribution { campaignId campaignName step variant mailbox replies interested meetings won }
  }
}""",
    "ownerReport": """query Owners($from: DateTime, $to: DateTime) {
  ownerReport(from: $from, to: $to) {
    owner { name } openCount openTotals { currency amount weightedAmount }
    won lost winRate wonTotals { currency amount } activities replies meetings
  }
}""",
}
OURS = {
    "board": Document(BOARD, lambda sample: {"first": FIRST}),
    "counts": Document(COUNTS, lambda sample: {"first": FIRST}),
    "detail": Document(DETAIL, lambda sample: {"id": sample.deal_id, "first": FIRST}),
    "page": Document(PAGE, lambda sample: {"stage": sample.stage_id, "status": "OPEN", "first": FIRST}),
    "search": Document(SEARCH, lambda sample: {"text": sample.text, "first": 20}),
}
USUAL = OURS  # its schema has the same names

PG_CARD = """
fragment Card on Deal {
  rowId title amount currency closeDate status updatedAt
  contactByContactId { rowId fullName email title replyStatus }
  companyByCompanyId { rowId name domain }
}"""


def _pg_board(condition: str, count: str = "") -> Document:
    query = f"""query Board($owner: UUID!, $first: Int!) {{
  allPipelines(condition: {{isDefault: true}}, first: 1) {{ nodes {{
    rowId name
    pipelineStagesByPipelineId(orderBy: ORDER_INDEX_ASC) {{ nodes {{
      rowId key name
      dealsByPipelineIdAndStageIdAndStatus(
        condition: {{{condition}}}, orderBy: [RANK_ASC, ROW_ID_ASC], first: $first
      ) {{
        {count} nodes {{ ...Card }}
      }}
    }} }}
  }} }}
}}"""
    return Document(query + PG_CARD, lambda sample: {"owner": sample.owner_id, "first": FIRST})


PG_DETAIL = """query Deal($id: UUID!, $owner: UUID!, $first: Int!) {
  allDeals(condition: {rowId: $id, visibleTo: $owner}, first: 1) { nodes {
    rowId title amount currency closeDate status source notes createdAt updatedAt
    pipelineStageByPipelineIdAndStageIdAndStatus { rowId key name }
    ownerByOwnerId { rowId name }
    contactByContactId { rowId fullName email title replyStatus phone }
    companyByCompanyId { rowId name domain industry }
    activitiesByDealId(orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC], first: $first) { nodes {
      rowId type content occurredAt ownerByCreatedBy { rowId name }
    } }
  } }
}"""
PG_PAGE = """query Page($stage: UUID!, $status: String!, $owner: UUID!, $first: Int!) {
  allDeals(
    condition: {stageId: $stage, status: $status, visibleTo: $owner}
    orderBy: [CREATED_AT_DESC, ROW_ID_DESC], first: $first
  ) { nodes {
    rowId title amount currency closeDate status createdAt
    contactByContactId { rowId fullName email title replyStatus }
  } }
}"""

POSTGRAPHILE = {
    "board": _pg_board("visibleTo: $owner"),
    "counts": _pg_board("visibleTo: $owner", "totalCount"),
    "detail": Document(PG_DETAIL, lambda sample: {"id": sample.deal_id, "owner": sample.owner_id, "first": FIRST}),
    "page": Document(
        PG_PAGE,
        lambda sample: {"stage": sample.stage_id, "status": "open", "owner": sample.owner_id, "first": FIRST},
    ),
}
# An easier query: without the unassigned pool, an index returns its rows in order.
POSTGRAPHILE_OWN = {"board": _pg_board("ownerId: $owner, deletedAt: null")}
