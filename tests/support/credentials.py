"""The secrets of the application under test, which its callers sign with."""

JWT_SECRET = "tests-only-secret-of-more-than-32-bytes"
INSTANTLY_SECRET = "instantly-signing-secret"
INSTANTLY_TOKEN = "instantly-static-bearer-token"
CALCOM_SECRET = "calcom-signing-secret"
