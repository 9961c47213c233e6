"""Where `crm-graph` and `python -m crm_graph` start: Ctrl-C ends them quietly, even while they are still importing."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run a command; see `crm_graph.cli.main`."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not if whoever started us ignores it
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing has to be undone yet
    from crm_graph.cli import app  # a second's work: the reason why it stands here

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app.main()


if __name__ == "__main__":
    main()
