"""The entry point of `crm-graph` and `python -m crm_graph`. Ctrl-C ends it silently, even during the imports."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run a command; see `crm_graph.cli.main`."""
    handles_ctrl_c = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not if the parent ignores it
    if handles_ctrl_c:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing to clean up yet
    from crm_graph.cli import app  # takes a second, so it is imported only now

    if handles_ctrl_c:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app.main()


if __name__ == "__main__":
    main()
