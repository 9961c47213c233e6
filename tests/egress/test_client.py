"""HttpClient against a real receiver on loopback, which responds or misbehaves."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from crm_graph.egress.client import HttpClient
from tests.support.http_receiver import (
    BODY,
    HERE,
    Reaction,
    Receiver,
    answer,
    close_early,
    drip,
    drip_head,
    flood,
    hang,
    raw,
    redirect,
    reset,
)

pytestmark = pytest.mark.slow


async def test_the_exact_bytes_arrive_with_the_headers(receiver: Receiver, http: HttpClient) -> None:
    result = await http.post(
        receiver.url("/hook?a=b"), {"content-type": "application/json", "x-crm-secret": "é"}, BODY, HERE
    )

    assert (result.status, result.response, result.error, result.retry_after) == (200, "ok", None, None)
    assert result.is_success
    assert not result.is_postponed
    assert 0 <= result.duration_ms < 1000
    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=b", BODY)
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-length": str(len(BODY)),
        "content-type": "application/json",
        "x-crm-secret": "é",
    }


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_2xx_is_a_success(receiver: Receiver, http: HttpClient, status: int) -> None:
    receiver.plan(answer(status, b""))
    result = await http.post(receiver.url(), {}, BODY, HERE)
    assert (result.status, result.response, result.is_success, result.is_gone) == (status, "", True, False)


@pytest.mark.parametrize("status", [304, 400, 404, 409, 410, 429, 500, 503])
async def test_anything_else_is_not(receiver: Receiver, http: HttpClient, status: int) -> None:
    receiver.plan(answer(status, b""))
    result = await http.post(receiver.url(), {}, BODY, HERE)
    assert (result.status, result.error, result.is_success) == (status, None, False)
    assert result.is_gone == (status == 410)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(receiver: Receiver, http: HttpClient, status: int) -> None:
    receiver.plan(redirect(receiver.url("/elsewhere"), status))
    result = await http.post(receiver.url(), {}, BODY, HERE)
    assert (result.status, result.is_success) == (status, False)
    assert [request.path for request in receiver.requests] == ["/hook"]


@pytest.mark.parametrize(
    ("reaction", "status", "error"),
    [
        (hang, None, "no response within 1 s"),
        (drip_head, None, "no response within 1 s"),
        (drip, 200, "the response did not end within 1 s"),
        (reset, None, "connection reset"),
        (close_early, 200, "the response was cut off"),
        (raw(b""), None, "connection closed without a response"),
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), None, "the response is not valid HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000), None, "the response is not valid HTTP"),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), None, "connection closed without a response"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_a_bad_receiver(
    receiver: Receiver, http: HttpClient, reaction: Reaction, status: int | None, error: str
) -> None:
    receiver.plan(reaction)
    result = await http.post(receiver.url(), {}, BODY, HERE)
    assert (result.status, result.error, result.is_success) == (status, error, False)
    assert result.duration_ms < 5000
    assert len(receiver.requests) == 1
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success


async def test_only_the_first_kilobyte_of_a_gigabyte_is_kept(receiver: Receiver, http: HttpClient) -> None:
    receiver.plan(flood)
    result = await http.post(receiver.url(), {}, BODY, HERE)
    assert (result.status, result.response, result.is_success) == (200, "y" * 1024, True)
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    assert receiver.connections == 2  # the first one was closed early


async def test_a_response_is_kept_as_text_that_can_be_stored_and_shown(receiver: Receiver, http: HttpClient) -> None:
    receiver.plan(answer(500, b"a\x00b\x1b[31m\xff\r\nnext\rover"), answer(200, "ş".encode() * 2000))
    assert (await http.post(receiver.url(), {}, BODY, HERE)).response == "ab[31m\ufffd\nnext over"
    assert (await http.post(receiver.url(), {}, BODY, HERE)).response == "ş" * 512
    assert receiver.connections == 1  # both responses ended


async def test_a_port_without_a_listener(http: HttpClient) -> None:
    async with Receiver() as closed:
        url = closed.url()
    result = await http.post(url, {}, BODY, HERE)
    assert (result.status, result.response, result.error) == (None, None, "connection refused")


async def test_a_name_that_does_not_exist(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert (await http.post("https://gone.example/", {}, BODY, HERE)).error == "the host name can't be resolved"


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ("5", timedelta(seconds=5)),
        ("0", timedelta(0)),
        ("99999999999999999999", timedelta(hours=24)),
        ("-5", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta(0)),
        ("Wed, 21 Oct 9999 07:28:00 GMT", timedelta(hours=24)),
    ],
)
async def test_retry_after(receiver: Receiver, http: HttpClient, header: str, delay: timedelta | None) -> None:
    receiver.plan(answer(429, retry_after=header))
    assert (await http.post(receiver.url(), {}, BODY, HERE)).retry_after == delay


async def test_retry_after_a_date(receiver: Receiver, http: HttpClient) -> None:
    receiver.plan(answer(503, retry_after=format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)))
    delay = (await http.post(receiver.url(), {}, BODY, HERE)).retry_after
    assert delay is not None
    assert timedelta(minutes=9, seconds=50) < delay <= timedelta(minutes=10)


async def test_a_connection_is_used_again_for_its_own_origin_only(receiver: Receiver, http: HttpClient) -> None:
    for _ in range(3):
        assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    assert receiver.connections == 1
    assert (await http.post(receiver.url(host="127.0.0.2"), {}, BODY, HERE)).error == "connection refused"
    assert (await http.post(receiver.url(host="localhost"), {}, BODY, HERE)).is_success
    assert receiver.connections == 2


async def test_data_that_arrives_unrequested_is_no_response_to_the_next_post(
    receiver: Receiver, http: HttpClient
) -> None:
    two = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

    async def answers_twice(writer: asyncio.StreamWriter) -> None:
        writer.write(two + two)

    receiver.plan(answers_twice, answer(500))
    assert (await http.post(receiver.url(), {}, BODY, HERE)).status == 200
    assert (await http.post(receiver.url(), {}, BODY, HERE)).status == 500


async def test_a_connection_that_was_closed_while_idle_causes_no_failure(http: HttpClient) -> None:
    async with Receiver(idle_seconds=0.02) as receiver:
        for _ in range(3):
            assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
            await asyncio.sleep(0.2)
        assert (len(receiver.requests), receiver.connections) == (3, 3)


async def test_a_reused_connection_that_ends_without_a_response_is_replaced_once(
    receiver: Receiver, http: HttpClient
) -> None:
    receiver.plan(answer(200), raw(b""), raw(b""))  # as if it was closed during the request
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    assert (await http.post(receiver.url(), {}, BODY, HERE)).error == "connection closed without a response"
    assert (len(receiver.requests), receiver.connections) == (3, 2)


async def test_a_reset_counts_as_a_response_on_a_reused_connection_too(receiver: Receiver, http: HttpClient) -> None:
    receiver.plan(answer(200), reset)
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    assert (await http.post(receiver.url(), {}, BODY, HERE)).error == "connection reset"
    assert len(receiver.requests) == 2


async def test_of_many_concurrent_posts_a_hanging_one_delays_no_other(receiver: Receiver) -> None:
    async with Receiver() as dead, HttpClient(deadline_seconds=2) as http:
        dead.usual = hang
        hanging = [asyncio.create_task(http.post(dead.url(), {}, BODY, HERE)) for _ in range(50)]
        began = time.monotonic()
        results = await asyncio.gather(*(http.post(receiver.url(), {}, BODY, HERE) for _ in range(200)))
        assert all(result.is_success for result in results)
        assert time.monotonic() - began < 2
        assert {result.error for result in await asyncio.gather(*hanging)} == {"no response within 2 s"}
    assert len(receiver.requests) == 200


async def test_a_cancelled_post_leaves_it_usable(receiver: Receiver, http: HttpClient) -> None:
    for seconds in (0, 0.001, 0.01, 0.05):
        receiver.plan(hang)
        task = asyncio.create_task(http.post(receiver.url(), {}, BODY, HERE))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    receiver.decide = lambda _: answer(200)
    results = await asyncio.gather(*(http.post(receiver.url(), {}, BODY, HERE) for _ in range(10)))
    assert all(result.is_success for result in results)


@pytest.mark.parametrize("headers", [{"x": "a\r\ny: z"}, {"x": "ş"}, {"ş": "x"}, {"a b": "x"}])
async def test_an_invalid_header_is_an_error_in_the_result(
    receiver: Receiver, http: HttpClient, headers: dict[str, str]
) -> None:
    assert (await http.post(receiver.url(), headers, BODY, HERE)).error == "a header is not valid HTTP"
    assert receiver.requests == []


async def test_an_invalid_url_is_an_error_in_the_result(http: HttpClient) -> None:
    assert (await http.post("ftp://x", {}, BODY, HERE)).error == "url must begin with https:// and a host"
