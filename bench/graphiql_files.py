"""Fetches GraphiQL's files from npm, and writes them where the package keeps them: make graphiql.

`packages.json` pins each package by version and npm's integrity, and says which of its files are kept under which name.
To upgrade, change the versions, empty the integrities, and run it: it then writes the ones that it found.
"""

import base64
import hashlib
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from bench.node import npm_pack

FOLDER = Path(__file__).parents[1] / "crm_graph" / "graphql" / "transport" / "graphiql"
MANIFEST = FOLDER / "packages.json"


class WrongIntegrity(Exception):
    """A package is not the one that was pinned."""


def fetch() -> None:
    """Fetch every package, check it, write its files, and write down what they hash to."""
    manifest: list[dict[str, Any]] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    for package in manifest:
        with tempfile.TemporaryDirectory(prefix="graphiql-") as scratch:
            archive = npm_pack(f"{package['name']}@{package['version']}", Path(scratch))
            found = integrity(archive.read_bytes())
            if package.setdefault("integrity", "") not in ("", found):
                raise WrongIntegrity(f"{package['name']} {package['version']} is not what was pinned: {found}")
            package["integrity"] = found
            with tarfile.open(archive) as packed:
                for file in package["files"]:
                    member = packed.extractfile(f"package/{file['from']}")
                    assert member, file
                    content = member.read()
                    (FOLDER / "files" / file["to"]).write_bytes(content)
                    file["integrity"] = integrity(content)
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def integrity(content: bytes) -> str:
    """The hash in the form of Subresource Integrity, which npm uses too."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


if __name__ == "__main__":
    fetch()
