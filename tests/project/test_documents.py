"""What people read: links lead somewhere, settings are all explained, and the first screen stays short."""

import re
from pathlib import Path

import pytest

from crm_graph.settings import Settings
from tests.support.documents import PAGES, name_of
from tests.support.paths import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PATH = re.compile(r"`([a-z_0-9<>]+(?:/[a-z_0-9.*<>]+)+)`")
FENCED = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_guide_explains_every_setting_with_its_default() -> None:
    guide = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([A-Z_0-9]+)` \|(.*?)\| ", guide, re.MULTILINE))

    assert sorted(documented) == sorted(name.upper() for name in Settings.model_fields)
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, str | int):
            assert f" `{str(field.default).lower()}` " == documented[name.upper()].lower(), name


def test_the_readmes_figures_are_those_of_the_last_benchmark() -> None:
    results = (PROJECT / "bench" / "results.md").read_text(encoding="utf-8")
    reasons = README.partition("## Why crm-graph")[2].partition("\n## ")[0]
    per_second = {
        (work, name): float(figure)
        for work, table in re.findall(r"^## (\w+): .*?\n\n(.*?)\n\n", results, re.DOTALL | re.MULTILINE)
        for name, figure in re.findall(r"^\| (.+?) \| ([\d.]+) \|", table, re.MULTILINE)
    }
    growth = re.search(r"^\| crm-graph \|.* ([\d.]+) \|$", results.partition("## Growth")[2], re.MULTILINE)
    memory = re.search(r"^\| memory after 100,000 requests .*? \| ([\d.]+) \|", results, re.MULTILINE)

    assert growth
    assert memory
    for figure in (
        f"{per_second['ingest', 'crm-graph']:.0f} signed replies/s",
        f"{per_second['ingest', 'n8n alone']:.0f}/s",
        f"{per_second['board', 'crm-graph']:.0f} requests/s, PostGraphile {per_second['board', 'PostGraphile']:.0f}/s",
        f"{per_second['move', 'crm-graph']:.0f}/s",
        f"function {per_second['move', 'PostGraphile']:.0f}/s",
        f"{float(memory[1]):.0f} MB",
        f"grows by {float(growth[1]) - 1:.0%}",
    ):
        assert figure in reasons, figure


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) < 200


def exists(named: str) -> bool:
    """Whether a path that a page names is there: from the project's folder, or from the package's; `.py` may be left
    out, and `<provider>` stands for any folder.
    """
    pattern = re.sub(r"<\w+>", "*", named)
    places = (PROJECT, PROJECT / "crm_graph")
    return any(any(place.glob(form)) for place in places for form in (pattern, f"{pattern}.py"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_in_the_code_exist(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    named = {path.rstrip("/.") for path in PATH.findall(text)}
    roots = ("crm_graph", "webhooks", "tests", "alembic", "bench", "docs", "n8n_workflows", "database", "domain",
             "graphql", "delivery", "identity", "server", "import_export", "egress", "web", "cli")  # fmt: skip

    assert not [path for path in named if path.split("/")[0] in roots and not exists(path)]
