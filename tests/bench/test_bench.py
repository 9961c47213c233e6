"""The parts of the benchmarks that could measure something wrong: requests, recorded SQL, effects."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from bench.effects import check_added
from bench.figures import ContestantFailed, of_latencies
from bench.mutations import POSTINGS, there_and_back
from bench.postings import FRESH, Feed, Posting, read_postings, request_file
from bench.recording import Recording, Statement, escape_colons, script
from bench.targets import WriteTarget
from crm_graph.web.signatures import verify_hex

TARGET = WriteTarget(
    owner=str(uuid.uuid4()),
    owner_email="ada@seller.example",
    token="a.b.c",
    deal=str(uuid.uuid4()),
    stage=str(uuid.uuid4()),
    other_stage=str(uuid.uuid4()),
    contact=str(uuid.uuid4()),
    email="jane@acme.example",
    first_name="Jane",
    last_name="Roe",
)


def received(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """A request as a server reads it."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def test_a_feed_repeats_its_postings_with_a_new_unique_text_each_time() -> None:
    # given
    feed = Feed([Posting(f'{{"a": "{FRESH}", "b": "{FRESH}"}}', token="a.b.c"), Posting("{}")], port=80)
    # when
    first, second, third = (received(feed.next_request()) for _ in range(3))
    # then
    assert second[2] == b"{}"
    fresh = [json.loads(body)["a"] for _, _, body in (first, third)]
    assert fresh[0] != fresh[1]
    for line, headers, body in (first, second, third):
        assert line == "POST /graphql HTTP/1.1"
        assert int(headers["Content-Length"]) == len(body)
    assert json.loads(first[2])["b"] == fresh[0]
    assert first[1]["Authorization"] == "Bearer a.b.c"
    assert "Authorization" not in second[1]


def test_a_signed_posting_is_signed_over_the_body_that_is_sent() -> None:
    # given
    feed = Feed([Posting(FRESH, path="/crm", secret="a secret")], port=80)
    # when
    _, headers, body = received(feed.next_request())
    # then
    assert FRESH.encode() not in body
    assert int(headers["Content-Length"]) == len(body)
    assert verify_hex([b"a secret"], body, headers["X-Signature"])


def test_postings_survive_the_file_that_the_load_generator_reads() -> None:
    postings = [make(TARGET) for makes in POSTINGS.values() for make in makes.values()]
    with request_file(postings) as file:
        assert read_postings(file) == postings


def test_every_deal_moves_there_and_then_back() -> None:
    # when
    moves = there_and_back(POSTINGS["ours"]["move"], [TARGET])
    # then
    goals = [json.loads(posting.body)["variables"]["input"]["stageId"] for posting in moves]
    assert goals == [TARGET.other_stage, TARGET.stage]


def test_a_script_keeps_constants_and_draws_what_differs() -> None:
    # given a statement that was sent twice, with a new row's id, a key and a time of its own each time
    at, stage, text = datetime(2026, 1, 5, tzinfo=UTC), uuid.uuid4(), "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6)"
    parameters = [
        [uuid.uuid4(), uuid.UUID(TARGET.deal), stage, key, at - timedelta(days=7), "at 12:30"] for key in "ab"
    ]
    one, two = (Statement(text, values, is_raw=True) for values in parameters)
    # when
    written = script(Recording("a", at, [one], [two]), TARGET, targets=9)
    # then
    assert "random(1, 9)" in written
    expected = (
        "INSERT INTO t VALUES ((:new_0)::uuid, (:deal)::uuid, "
        f"'{stage.hex}'::uuid, concat('', (:fresh)::text), (now() + interval '-604800 seconds'), E'at 12\\x3a30');"
    )
    assert expected in written
    assert "gen_random_uuid() AS new_0" in written


def test_a_script_computes_the_rank_that_crm_graph_computes_in_python() -> None:
    # given
    lock = Statement("SELECT crm_lock_column($1) AS top", ["x"], is_raw=True)
    moved = [Statement("UPDATE deals SET rank=$1::VARCHAR", [rank], is_raw=True) for rank in ("a1", "a0")]
    # when
    written = script(Recording("f", datetime.now(UTC), [lock, moved[0]], [lock, moved[1]]), TARGET, targets=9)
    # then
    assert "AS top \\gset locked_\n" in written
    assert "SET rank=bench_key_before(:locked_top)::VARCHAR;" in written


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("SELECT 'a'::text", "SELECT 'a'::text"),
        ("SELECT '12:30'", r"SELECT E'12\x3a30'"),
        (r"SELECT E'a\\b:c'", r"SELECT E'a\\b\x3ac'"),
        (r"SELECT 'a\b:c'", r"SELECT E'a\\b\x3ac'"),
    ],
)
def test_pgbench_reads_no_variable_in_a_string(statement: str, kept: str) -> None:
    assert escape_colons(statement) == kept


def test_requests_that_stored_too_little_fail() -> None:
    # given
    figure = of_latencies([1.0, 1.0], seconds=1, size=0, sent=2)
    # when
    check_added({"moves": 2}, {"moves": 1}, figure)
    # then
    with pytest.raises(ContestantFailed, match="2 requests stored 1 moves instead of 2"):
        check_added({"moves": 1}, {"moves": 1}, figure)
