"""Recount the labelled replies: `python -m crm_graph.intent tests/intent/intent_replies.jsonl`."""

import sys
from pathlib import Path

from crm_graph.intent import likeness

if __name__ == "__main__":
    counted = likeness.count(likeness.labelled(Path(sys.argv[1])))
    (Path(__file__).parent / "likeness.json").write_text(likeness.as_text(counted), "utf-8")
