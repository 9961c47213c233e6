"""What is mutated, and the tests that must notice: the fastest set that covers each module, quickest file first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A module, by its path in the project, and the test files or folders of its room."""

    module: str
    tests: tuple[str, ...]


ACCESS = (
    "tests/identity/test_access_rows.py",
    "tests/identity/test_access_writes.py",
    "tests/identity/test_access_reads.py",
)
EGRESS = ("tests/egress",)
MOVES = (
    "tests/domain/deals/test_moves_by_events.py",
    "tests/domain/deals/test_lifecycle.py",
    "tests/domain/deals/test_records.py",
    "tests/domain/test_concurrency.py",
)
INBOX = (
    "tests/webhooks/test_inbox.py",
    "tests/webhooks/test_router.py",
    "tests/webhooks/test_inbox_conflicts.py",
    "tests/webhooks/test_inbox_unavailable.py",
    "tests/webhooks/test_follow_ups.py",
    "tests/webhooks/test_inbox_results.py",
    "tests/webhooks/test_inbox_slow.py",
    "tests/webhooks/test_suppression.py",
    "tests/webhooks/test_replies.py",
)

TARGETS = (
    Target("crm_graph/identity/access.py", ACCESS),
    Target(
        "crm_graph/identity/authenticator.py",
        ("tests/identity/test_principal.py", "tests/identity/test_issued_tokens.py"),
    ),
    Target("crm_graph/identity/issued_tokens.py", ("tests/identity/test_issued_tokens.py",)),
    Target("crm_graph/identity/principal.py", ("tests/identity/test_principal.py", *ACCESS)),
    Target(
        "crm_graph/identity/tokens.py",
        (
            "tests/identity/test_token_limits.py",
            "tests/identity/test_tokens.py",
            "tests/identity/test_principal.py",
        ),
    ),
    Target("crm_graph/web/signatures.py", ("tests/web/test_signatures.py", "tests/webhooks/test_signatures.py")),
    Target("webhooks/signatures.py", ("tests/webhooks/test_signatures.py", "tests/webhooks/test_router.py")),
    Target("crm_graph/egress/client.py", EGRESS),
    Target("crm_graph/egress/connections.py", ("tests/egress/test_connections.py", *EGRESS)),
    Target("crm_graph/egress/lookups.py", ("tests/egress/test_lookups.py", *EGRESS)),
    Target("crm_graph/egress/headers.py", ("tests/egress/test_headers.py", *EGRESS)),
    Target("crm_graph/egress/networks.py", ("tests/egress/test_networks.py", *EGRESS)),
    Target("crm_graph/egress/urls.py", ("tests/egress/test_urls.py", *EGRESS)),
    Target("crm_graph/graphql/execution/idempotency.py", ("tests/graphql/execution/test_idempotency.py",)),
    Target(
        "crm_graph/domain/deals/ranks.py",
        ("tests/domain/deals/test_ranks.py", "tests/domain/deals/test_bulk_moves.py", *MOVES),
    ),
    Target("crm_graph/domain/deals/moves.py", (*MOVES, "tests/domain/deals/test_ranks.py")),
    Target("crm_graph/domain/deals/bulk_moves.py", ("tests/domain/deals/test_bulk_moves.py", *MOVES)),
    Target("webhooks/inbox.py", INBOX),
    Target("webhooks/event_log.py", INBOX),
)
