"""GraphiQL in a real browser that can reach nothing but this server: a query, and a subscription."""

import json
from pathlib import Path

import pytest

from tests.support.browser import CONTROL, browsing, chromium
from tests.support.commands import Commands, serving

QUERY, HEADERS, RESULT = (
    ".graphiql-query-editor",
    ".graphiql-editor-tool .graphiql-editor:not(.hidden)",
    ".graphiql-response",
)


def test_a_query_and_a_subscription_offline(crm: Commands, data_dir: Path, tmp_path: Path) -> None:
    program = chromium()
    if program is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    profile = tmp_path / "profile"
    profile.mkdir()
    with (
        serving(crm, data_dir, tmp_path / "log", CRM_ENV="development") as served,
        browsing(program, profile) as browser,
    ):
        browser.open(f"{served.base}/graphql")
        browser.wait(
            f"!!document.querySelector('{HEADERS} .CodeMirror') && !!document.querySelector('{QUERY} .CodeMirror')"
        )
        browser.replace_text(f"{HEADERS} .CodeMirror", json.dumps({"Authorization": f"Bearer {served.token}"}))
        browser.replace_text(f"{QUERY} .CodeMirror", "{ me { email } }")
        browser.press("Enter", "Enter", 13, CONTROL)
        browser.wait(f"document.querySelector('{RESULT}').innerText.includes('ada@seller.com')")

        browser.value("document.querySelector('[aria-label=\"Re-fetch GraphQL schema\"]').click()")
        browser.value("document.querySelector('[aria-label=\"Show GraphiQL Explorer\"]').click()")
        browser.wait("document.querySelector('.graphiql-plugin').innerText.includes('webhooksLog')")

        browser.replace_text(f"{QUERY} .CodeMirror", "subscription { dealChanged { refetch } }")
        browser.press("Enter", "Enter", 13, CONTROL)
        browser.wait(f"document.querySelector('{RESULT}').innerText.includes('refetch')")

        host = served.base.removeprefix("http://")
        assert f"ws://{host}/graphql" in browser.requested
        outside = [url for url in browser.requested if url.partition("://")[2].partition("/")[0] != host]
        assert not [url for url in outside if not url.startswith("data:")]
        assert not [line for line in browser.console if "Content Security Policy" in line or "Uncaught" in line]
