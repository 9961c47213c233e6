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
_SH = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    """The path inside the project."""
    return str(page.relative_to(PROJECT))


def sh_blocks(page: Path) -> list[str]:
    """The fenced blocks of shell commands, in order."""
    return [textwrap.dedent(found[2]) for found in _SH.finditer(page.read_text(encoding="utf-8"))]
