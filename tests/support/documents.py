"""The pages that people read, and the shell commands in them."""

import re
import textwrap
from pathlib import Path

from tests.support.paths import PROJECT

PAGES = [
    PROJECT / "README.md",
    *sorted((PROJECT / "docs").glob("*.md")),
    *sorted(PROJECT.glob("webhooks/*/README.md")),
    PROJECT / "n8n_workflows" / "README.md",
]
_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    """The path inside the project."""
    return str(page.relative_to(PROJECT))


def fenced(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    blocks = _FENCED.finditer(page.read_text(encoding="utf-8"))
    return [textwrap.dedent(found[3]) for found in blocks if found[2] == language]


def sh_blocks(page: Path) -> list[str]:
    """The fenced blocks of shell commands, in order."""
    return fenced(page, "sh")
