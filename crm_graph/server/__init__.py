"""The ASGI application, its processes, the worker, /metrics and the exports."""
