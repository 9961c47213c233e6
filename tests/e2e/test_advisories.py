"""Known vulnerabilities of the locked packages, by pip-audit. Without advisory data it says so and judges nothing."""

import json
import subprocess
import sys
from typing import NotRequired, TypedDict

import pytest

from tests.support.paths import PROJECT

AUDIT_SECONDS = 180
# Advisories that do not concern us, by id, with the reason.
ACCEPTED: dict[str, str] = {}


class Advisory(TypedDict):
    """A known vulnerability."""

    id: str
    fix_versions: list[str]


class Audited(TypedDict):
    """What pip-audit knows of a package: nothing without `vulns`."""

    name: str
    vulns: NotRequired[list[Advisory]]


def test_no_locked_package_has_a_known_vulnerability() -> None:
    packages = audit("requirements.lock")
    known = [package for package in packages if "vulns" in package]
    if not known:
        pytest.skip(f"no advisory data is reachable: none of {len(packages)} locked packages was audited")
    assert not [
        f"{package['name']}: {advisory['id']}, fixed in {advisory['fix_versions']}"
        for package in known
        for advisory in package["vulns"]
        if advisory["id"] not in ACCEPTED
    ]
    if unknown := sorted(package["name"] for package in packages if "vulns" not in package):
        pytest.skip(f"{len(known)} packages have no known vulnerability; no advisory data for: {', '.join(unknown)}")


def audit(lock: str) -> list[Audited]:
    """What pip-audit knows of each package of a lock file; empty when it reaches no service."""
    options = ("--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off", "--timeout=5")
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", str(PROJECT / lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=AUDIT_SECONDS)
    except subprocess.TimeoutExpired:
        return []
    if "No module named" in done.stderr:
        raise pytest.fail.Exception("pip-audit isn't installed: pip install -r requirements-peers.lock", pytrace=False)
    try:
        found: list[Audited] = json.loads(done.stdout)["dependencies"]
    except ValueError:  # without a service it prints none
        return []
    return found
