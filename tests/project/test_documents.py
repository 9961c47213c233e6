"""What people read: links lead somewhere, settings are all explained, and the first screen stays short."""

import re
from pathlib import Path

import pytest

from crm_graph.settings import Settings
from tests.support.documents import PAGES, name_of
from tests.support.paths import PROJECT

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
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


def test_the_readme_stays_short() -> None:
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) < 200
