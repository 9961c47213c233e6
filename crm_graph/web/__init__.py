"""Building blocks of the HTTP endpoints: bounded bodies, strict JSON, the request log, signatures."""
