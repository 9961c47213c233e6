"""Recount the labelled replies: `python -m crm_graph.intent tests/intent/*.jsonl`."""

import sys
from pathlib import Path

from crm_graph.intent import likeness

if __name__ == "__main__":
    paths = sorted(map(Path, sys.argv[1:]))
    counted = likeness.count([pair for path in paths for pair in likeness.labelled(path)])
    (Path(__file__).parent / "likeness.json").write_text(likeness.as_text(counted), "utf-8")
