"""What the commands of the guides print, and which of them no test can run."""

import re

SETUP, BACKUP = "docs/server-setup.md", "docs/backup.md"


NOT_RUN = {
    "make demo\n": "the demo that serves these tests was started by it, on another port",
    "make install\n": "the tests run in what it installs",
    "pip wheel": "test_packaging.py builds and installs the wheel",
    "python -m crm_graph.intent": "it rewrites a file of the project",
    "n8n ": "needs an n8n",
    "$N8N/": "needs an n8n",
}


# What a page's commands must print, in this order.
PRINTED: dict[str, list[str | re.Pattern[str]]] = {
    "README.md": [
        '"name" : "Default Sales"',
        '"status": "ok"',
        '"status": "duplicate"',
        '"createDeal"',
        'signed {"id":',
        '"type":"deal_created"',
    ],
    "docs/csv.md": ["E-Mail", "line,reason", "id,email,fullName"],
    "docs/deliveries.md": ["/replay", re.compile("\t(delivered|pending|failed)\t"), "deliveries were not paused"],
    "docs/erasure.md": ['"erasedContactId":"'],
    "docs/events.md": ["whsec_", "/crm", '"secret":"whsec_', '"webhookDeliveries"', "DealCreated"],
    "docs/graphql.md": [
        '"role" : "ADMIN"',
        '"amountTotals"',
        '"totalCount"',
        '"search"',
        '"contactByEmail"',
        '"upsertContact":{"created":',
        '"createDeal"',
        '"moveDealStage"',
        '"logActivity"',
        '"createTask"',
        '"activities"',
        '"pipelineReport"',
        "[NOT_FOUND] dealId",
        '"replayed":false',
        '"replayed":true',
        re.compile('"index":1,.*"code":"VALIDATION"'),
        '"createPipeline"',
        '"mailboxes":["eve@sender.com"]',
        "eve@seller.com",
        "eve@seller.com\tEve Closer\tsales\tfalse\tfalse",
    ],
    "docs/live.md": ['"refetch":true', '"title":"Seen at once"'],
    "docs/operating.md": ['crm_graph_ingest_total{source="instantly",status="ok"}'],
    "docs/settings.md": [],
    "docs/webhooks.md": [
        '"http": 200',
        '"http": 200',
        "sam@sender.com",
        '"status":"ok"',
        '"status":"ok"',
        "webhooksLog",
    ],
    "webhooks/calcom/README.md": ['"status":"duplicate"'],
    "webhooks/instantly/README.md": ['"status":"duplicate"'],
    SETUP: [
        "schema none ->",
        "grace@acme.example",
        re.compile(r"^ey\S+$", re.MULTILINE),
        '{"status":"ok"}',
        '"schema":',
        "nothing to do",
    ],
    BACKUP: [
        re.compile(r"^\d\d$", re.MULTILINE),
        "repaired the rights on",
        "deliveries are resumed; they were paused",
    ],
}


# Commands that fail on purpose, and how many answers are errors.
FAILING = {"docs/csv.md": ["import contacts leads.csv --dry-run", "import contacts leads.csv --errors errors.csv"]}


ERRORS = {"docs/graphql.md": 1}
