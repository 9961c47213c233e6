"""The secrets of the application under test, which its callers sign with."""

INSTANTLY_OLD_SECRET = "instantly-old-secret-that-is-replaced"
JWT_SECRET = "tests-only-secret-of-more-than-32-bytes"
INSTANTLY_SECRET = "instantly-signing-secret-of-the-tests"
INSTANTLY_TOKEN = "instantly-static-bearer-token-of-the-tests"
CALCOM_SECRET = "calcom-signing-secret-of-the-tests"
