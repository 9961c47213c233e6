"""What `demo` leaves in the data folder: the mark that it is for development, and the secrets."""

import os
import secrets
from pathlib import Path

DEMO_SECRETS = (
    "JWT_SECRET",
    "HMAC_SHARED_SECRET_INSTANTLY",
    "HMAC_SHARED_SECRET_CALCOM",
    "INSTANTLY_WEBHOOK_TOKEN",
)
DEMO_MARK = "development-only.txt"
_MARK_TEXT = "crm-graph demo made this data folder. It is for development: serve refuses it in production.\n"


def _secrets_file(data_dir: Path) -> Path:
    return data_dir / "demo-secrets.env"


def is_made_by_demo(data_dir: Path) -> bool:
    """Whether `demo` made this data folder; an earlier version of it left only the secrets."""
    return any(map(os.path.exists, (data_dir / DEMO_MARK, _secrets_file(data_dir))))


def mark_as_made_by_demo(data_dir: Path) -> None:
    """Mark a data folder, which exists, as one for development."""
    (data_dir / DEMO_MARK).write_text(_MARK_TEXT)


def read_demo_secrets(data_dir: Path) -> dict[str, str]:
    """The secrets that `demo` created in this data folder; empty if there are none or they can't be read."""
    try:
        lines = _secrets_file(data_dir).read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def make_demo_secrets(data_dir: Path) -> dict[str, str]:
    """Create the demo's secrets, once per data folder and readable only by its owner, and return them."""
    path = _secrets_file(data_dir)
    created = {name: secrets.token_hex(32) for name in DEMO_SECRETS}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in created.items()))
    try:
        os.link(draft, path)  # fails, unlike rename, if another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return read_demo_secrets(data_dir)
