"""Weak secrets: why they are refused, what an old one may be, and that no message shows one."""

import base64
import hashlib
import secrets

import pytest

from crm_graph.errors import SetupError
from crm_graph.settings import Settings
from crm_graph.settings.secret_strength import problems, warnings, weakness

STRONG = "f3a1c05e8bd94276a0c3e91f7d258b64"
KEY = hashlib.sha256(b"tests").digest()
CALCOM = "HMAC_SHARED_SECRET_CALCOM"


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("cal-s3", "is too short: it must have at least 32 bytes"),
        (STRONG[:31], "is too short: it must have at least 32 bytes"),
        (whsec(KEY[:23]), "is too short: it must have at least 24 bytes of base64 after whsec_"),
        ("whsec_" + "not base64!" * 5, "is not base64 after whsec_"),
        ("whsec_", "is too short: it must have at least 24 bytes of base64 after whsec_"),
        ("a" * 64, "repeats itself"),
        (STRONG[:16] * 2, "repeats itself"),
        (whsec(b"\0" * 24), "repeats itself"),
        ("aab" * 20 + "a", "repeats itself"),
        ("aabacadabbbcbddcabacdbabcadbcadbacdb", "has too few different characters"),
        ("abcdefghijklmnopqrstuvwxyzabcdefghi", "is a sequence of neighbouring characters"),
        ("changeme-changeme-and-more-of-it-later", "is a placeholder"),
        ("please_CHANGE_me_to_something_longer_x", "is a placeholder"),
        ("<32 random characters, see the guide>", "is a placeholder"),
        ("$(openssl rand -hex 32 | tr -d '\\n ')", "is a placeholder"),
    ],
)
def test_a_weak_secret_is_refused_and_not_shown(secret: str, why: str) -> None:
    assert weakness(secret) == why
    (line,) = problems(CALCOM, [secret])
    assert line.startswith(f"{CALCOM} {why}; make one with: openssl rand -hex 32; ")
    assert f"{CALCOM}=<new>" in line
    assert secret.removeprefix("whsec_") not in line or secret == "whsec_"


def test_random_secrets_of_the_least_length_are_strong() -> None:
    made = [secrets.token_hex(16) for _ in range(500)] + [whsec(secrets.token_bytes(24)) for _ in range(500)]
    assert [weakness(secret) for secret in made if weakness(secret)] == []


def test_the_line_rotates_the_secret() -> None:
    old = "cal-secret"
    (line,) = problems(CALCOM, [old])
    assert line.endswith(f"to rotate it: {CALCOM}=<new>,<old> until the sender uses the new one, then {CALCOM}=<new>")
    assert problems(CALCOM, [STRONG, old]) == []
    (warning,) = warnings(CALCOM, [STRONG, old])
    assert warning.startswith(f"{CALCOM} (number 2 of its list) is too short")
    assert warning.endswith(f"{CALCOM}=<new> as soon as the sender uses the new one")
    assert warnings(CALCOM, [STRONG, STRONG[::-1]]) == []


@pytest.mark.parametrize("old", ["tail", "changeme-changeme"])
def test_an_old_secret_that_anyone_can_guess_is_refused(old: str) -> None:
    (line,) = problems(CALCOM, [STRONG, old])
    assert line.startswith(f"{CALCOM} (number 2 of its list) is")
    assert line.endswith("at the same time")
    assert warnings(CALCOM, [STRONG, old]) == []


def test_a_new_secret_must_be_strong_whatever_the_old_one_is() -> None:
    (line,) = problems(CALCOM, ["new-but-short", STRONG])
    assert line.startswith(f"{CALCOM} (number 1 of its list) is too short")


@pytest.mark.parametrize("name", [CALCOM, "JWT_SECRET", "METRICS_TOKEN"])
def test_a_comma_that_separates_no_secrets_is_named(name: str) -> None:
    given = f"v1,{whsec(KEY)}"
    (line,) = problems(name, given.split(",") if name == CALCOM else [given])
    assert line.startswith(f"{name} has a comma that separates no secrets: v1,... ")
    assert given[3:] not in line


@pytest.mark.parametrize("name", ["JWT_SECRET", "METRICS_TOKEN"])
def test_a_setting_that_is_one_secret_takes_no_list(name: str) -> None:
    (line,) = problems(name, [f"{STRONG},{STRONG[::-1]}"])
    assert line.startswith(f"{name} has a comma, but it is one secret and no list")


def test_every_secret_that_callers_prove_is_checked() -> None:
    weak = {
        name: "weak" for name in Settings.secret_names() if name.startswith(("HMAC", "INSTANTLY", "JWT", "METRICS"))
    }
    settings = Settings.load(**{name.lower(): value for name, value in weak.items()})
    assert {line.split()[0] for line in settings.secret_problems()} == set(weak)
    assert len(weak) == 5
    with pytest.raises(SetupError, match=r"^JWT_SECRET is too short"):
        settings.jwt_key()
