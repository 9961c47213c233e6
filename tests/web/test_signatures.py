"""The HMAC schemes, with published vectors and with signatures that are nearly valid."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_graph.web import signatures

SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
MESSAGE_ID, TIMESTAMP = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(int(TIMESTAMP), UTC)


def verify(
    header: str = SIGNATURE,
    *,
    secrets: tuple[bytes, ...] = (SECRET,),
    message_id: str = MESSAGE_ID,
    timestamp: str = TIMESTAMP,
    now: datetime = NOW,
) -> bool:
    return signatures.verify_standard_webhooks(
        secrets, BODY, message_id=message_id, timestamp=timestamp, header=header, now=now
    )


def test_standard_webhooks_vector() -> None:
    assert signatures.standard_webhooks_signature(SECRET, MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE
    assert verify()


def test_standard_webhooks_accepts_one_valid_signature_among_several() -> None:
    assert verify(f"v1,bm90IGl0 v1a,whatever {SIGNATURE}")
    assert verify(secrets=(b"another", SECRET))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_standard_webhooks_refuses_a_stale_timestamp(seconds: int) -> None:
    assert not verify(now=NOW + timedelta(seconds=seconds))
    assert verify(now=NOW + timedelta(seconds=seconds - (seconds > 0) + (seconds < 0)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": SIGNATURE.removeprefix("v1,")},
        {"header": "v2," + SIGNATURE.removeprefix("v1,")},
        {"header": ""},
        {"header": "v1,é"},
        {"message_id": MESSAGE_ID + "x"},
        {"timestamp": "1614265331"},
        {"timestamp": "1614265330.0"},
        {"timestamp": "-1614265330"},
        {"timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"timestamp": "9" * 400},
        {"secrets": (b"another",)},
        {"secrets": ()},
    ],
    ids=str,
)
def test_standard_webhooks_refuses(wrong: dict[str, object]) -> None:
    assert not verify(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_===", b"whsec_not base64"])
def test_a_secret_without_valid_base64_is_never_an_empty_key(secret: bytes) -> None:
    assert signatures.standard_webhooks_key(secret) == secret


# RFC 4231, test case 2
RFC_4231 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_hex_vector_in_every_spelling() -> None:
    secret, body = b"Jefe", b"what do ya want for nothing?"

    assert signatures.hex_signature(secret, body) == RFC_4231
    for header in (RFC_4231, RFC_4231.upper(), f"sha256={RFC_4231}", f"SHA256={RFC_4231}", f" {RFC_4231} "):
        assert signatures.verify_hex((b"old", secret), body, header)
    for header in ("", "sha256=", RFC_4231[:-1], RFC_4231 + "0", "é" * 64, f"sha1={RFC_4231}", "no-secret-provided"):
        assert not signatures.verify_hex((b"old", secret), body, header)
    assert not signatures.verify_hex((), body, RFC_4231)


def test_token() -> None:
    assert signatures.verify_token((b"old", b"new"), b"new")
    assert not signatures.verify_token((b"old", b"new"), b"ne")
    assert not signatures.verify_token((), b"")


def test_a_new_secret_decodes_to_text_and_is_unique() -> None:
    made = {signatures.new_webhook_secret() for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        key = signatures.standard_webhooks_key(secret.encode())
        assert secret.startswith("whsec_")
        assert key != secret.encode()
        assert len(key) == 40
        assert key.decode("ascii").isalnum()


def test_a_delivery_is_signed_in_both_schemes_and_with_both_secrets() -> None:
    new, old = signatures.new_webhook_secret(), signatures.new_webhook_secret()

    headers = signatures.delivery_headers([new, old], MESSAGE_ID, BODY, NOW)

    standard = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert set(headers) == standard | {"x-signature", "x-signature-previous"}
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (MESSAGE_ID, TIMESTAMP)
    for secret in (new, old):
        assert verify(headers["webhook-signature"], secrets=(secret.encode(),))
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert signatures.verify_hex((new.encode(),), BODY, headers["x-signature"])
    assert not signatures.verify_hex((old.encode(),), BODY, headers["x-signature"])
    assert signatures.verify_hex((old.encode(),), BODY, headers["x-signature-previous"])


def test_a_delivery_has_the_published_signature() -> None:
    assert signatures.delivery_headers([SECRET.decode()], MESSAGE_ID, BODY, NOW)["webhook-signature"] == SIGNATURE
