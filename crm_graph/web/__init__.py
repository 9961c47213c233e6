"""Building blocks of the HTTP endpoints: bounded bodies, strict JSON, request log, signatures."""
