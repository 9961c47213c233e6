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
) -> bool:
    return signatures.verify_standard_webhooks(secrets, BODY, message_id=message_id, timestamp=timestamp, header=header)


def test_standard_webhooks_vector() -> None:
    assert signatures.standard_webhooks_signature(SECRET, MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE
    assert verify()


def test_standard_webhooks_accepts_one_valid_signature_among_several() -> None:
    assert verify(f"v1,bm90IGl0 v1a,whatever {SIGNATURE}")
    assert verify(secrets=(b"another", SECRET))


def test_ten_signatures_are_compared() -> None:
    """A rotation has two; a header of a thousand must not cost a thousand comparisons."""
    assert verify(" ".join(["v1,bm90IGl0"] * 9 + [SIGNATURE]))
    assert not verify(" ".join(["v1,bm90IGl0"] * 10 + [SIGNATURE]))


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_timestamp_is_recent_for_five_minutes(sign: int) -> None:
    assert signatures.is_recent(TIMESTAMP, NOW + sign * timedelta(seconds=300))
    assert not signatures.is_recent(TIMESTAMP, NOW + sign * timedelta(seconds=300, microseconds=1))


@pytest.mark.parametrize(
    "timestamp", [f"{TIMESTAMP}.0", f"-{TIMESTAMP}", f"+{TIMESTAMP}", f"{TIMESTAMP}\n", "", "١٦١٤٢٦٥٣٣٠", "9" * 400]
)
def test_a_timestamp_is_whole_seconds_in_digits(timestamp: str) -> None:
    assert not signatures.is_recent(timestamp, NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": SIGNATURE.removeprefix("v1,")},
        {"header": "v2," + SIGNATURE.removeprefix("v1,")},
        {"header": ""},
        {"header": "v1,é"},
        {"message_id": MESSAGE_ID + "x"},
        {"timestamp": "1614265331"},
        {"header": SIGNATURE.rstrip("=")},
        {"header": SIGNATURE + "="},
        {"header": SIGNATURE + "\n"},
        {"header": SIGNATURE.replace("1OE=", "1OF=")},  # the same bytes, with an unused bit set
        {"header": SIGNATURE.replace("+", "-").replace("/", "_")},
        {"header": SIGNATURE.replace("v1,", "v1, ")},
        {"header": SIGNATURE.replace("v1,", "V1,")},
        {"header": "\t".join((SIGNATURE, SIGNATURE))},
        {"secrets": (b"another",)},
        {"secrets": ()},
    ],
    ids=str,
)
def test_standard_webhooks_refuses(wrong: dict[str, object]) -> None:
    assert not verify(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_===", b"whsec_not base64"])
def test_a_secret_without_valid_base64_is_never_an_empty_key(secret: bytes) -> None:
    assert signatures.standard_webhooks_keys(secret) == [secret]


@pytest.mark.parametrize(
    ("secret", "keys"),
    [
        (b"whsec_c2VjcmV0IQ==", [b"secret!"]),
        (b"whsec_c2VjcmV0IQ", [b"secret!"]),
        (b"whsec_c2VjcmV0IQ=", [b"secret!"]),
        (b"whsec_c2VjcmV0I", [b"whsec_c2VjcmV0I"]),
        (b"whsec_-_-_", [b"whsec_-_-_"]),
        (b"c2VjcmV0IQ", [b"c2VjcmV0IQ", b"secret!"]),
        (b"no base64", [b"no base64"]),
        (b"", [b""]),
    ],
)
def test_a_secret_stands_for_the_keys_that_the_libraries_derive(secret: bytes, keys: list[bytes]) -> None:
    assert signatures.standard_webhooks_keys(secret) == keys


# RFC 4231, test case 2
RFC_4231 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_hex_vector_in_every_spelling() -> None:
    secret, body = b"Jefe", b"what do ya want for nothing?"

    assert signatures.hex_signature(secret, body) == RFC_4231
    for header in (RFC_4231, RFC_4231.upper(), f"sha256={RFC_4231}", f"SHA256={RFC_4231}"):
        assert signatures.verify_hex((b"old", secret), body, header)
    wrong = ["", "sha256=", RFC_4231[:-1], RFC_4231 + "0", "é" * 64, f"sha1={RFC_4231}", "no-secret-provided"]
    wrong += [f"{RFC_4231}{more}" for more in ("\n", " ", "=", "\x00", "\xa0", ",", f",{RFC_4231}")]
    wrong += [f" {RFC_4231}", f"sha256= {RFC_4231}", f"sha256=sha256={RFC_4231}", f"0x{RFC_4231}"]
    for header in wrong:
        assert not signatures.verify_hex((b"old", secret), body, header), header
    assert not signatures.verify_hex((), body, RFC_4231)


def test_token() -> None:
    assert signatures.verify_token((b"old", b"new"), b"new")
    assert not signatures.verify_token((b"old", b"new"), b"ne")
    assert not signatures.verify_token((), b"")


def test_a_new_secret_decodes_to_text_and_is_unique() -> None:
    made = {signatures.new_webhook_secret() for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        [key] = signatures.standard_webhooks_keys(secret.encode())
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
