"""The meaning of replies: measured on the labelled set intent_replies.jsonl, and rule by rule.

Each line of the set was labelled by the reply-status table before it was measured; "set" is the round it was written
in. The rules were mended on all of them, so the figures say that nothing broke; how a new reply fares is said by the
first measure of each round, kept in _FIRST_MEASURE.
"""

import json
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_graph.intent import REVIEW_THRESHOLD, Status, absence_until, classify, likeness, visible_reply

LABELLED = Path(__file__).with_name("intent_replies.jsonl")
REPLIES: list[dict[str, Any]] = [json.loads(line) for line in LABELLED.read_text("utf-8").splitlines()]
NOW = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)  # a Tuesday

# Accuracy, precision of interested, recall of unsubscribed, before the round's mistakes were mended; from h on with
# likeness.py. c, g and i were written to break the rules, n and o by people who had not seen them.
_FIRST_MEASURE = {
    "b": (0.861, 0.879, 0.960), "c": (0.786, 0.875, 0.778), "d": (0.874, 0.933, 0.905), "e": (0.855, 0.867, 0.900),
    "f": (0.846, 0.875, 0.944), "g": (0.784, 0.889, 0.824), "h": (0.944, 0.960, 1.000), "i": (0.589, 0.500, 0.733),
    "j": (0.951, 1.000, 1.000), "k": (0.833, 0.792, 1.000), "l": (0.969, 0.958, 1.000), "m": (0.914, 1.000, 0.889),
    "n": (0.919, 0.857, 0.920), "o": (0.935, 0.930, 0.967),
}  # fmt: skip

CUES = ["no", "not", "send", "price", "until 5 May", "izindeyim", "?", "\n", "> a", "but", "çıkar", "On 1 Max wrote:"]


def share(part: int, whole: int) -> float:
    return part / whole


def status_of(text: str, subject: str = "") -> str:
    return classify(text, subject=subject).status


def table(confusion: Counter[tuple[str, Status]]) -> str:
    statuses = get_args(Status)
    lines = ["labelled \\ said   " + "".join(f"{said[:10]:>11}" for said in statuses)]
    lines += [f"{label:18}" + "".join(f"{confusion[label, said]:11}" for said in statuses) for label in statuses]
    return "\n".join(lines)


def test_labelled_replies(capsys: pytest.CaptureFixture[str]) -> None:
    # given every labelled reply
    verdicts = [classify(reply["text"], subject=reply.get("subject", "")) for reply in REPLIES]
    # when they are classified
    pairs = [(reply["status"], verdict.status) for reply, verdict in zip(REPLIES, verdicts, strict=True)]
    confusion = Counter(pairs)
    accuracy = share(sum(label == said for label, said in pairs), len(pairs))
    precision = share(confusion["interested", "interested"], sum(said == "interested" for _, said in pairs))
    recall = share(confusion["unsubscribed", "unsubscribed"], sum(label == "unsubscribed" for label, _ in pairs))
    sure = [
        label
        for (label, said), verdict in zip(pairs, verdicts, strict=True)
        if said == "interested" and verdict.confidence >= REVIEW_THRESHOLD
    ]
    precision_when_sure = share(sure.count("interested"), len(sure))
    # then
    with capsys.disabled():
        print(
            f"\n{table(confusion)}\n{len(pairs)} replies: accuracy {accuracy:.3f}, recall of unsubscribed {recall:.3f},"
        )
        print(f"precision of interested {precision:.3f}, above the threshold {precision_when_sure:.3f}")
        print("each round before it was mended:", *(f"{name} {a:.2f}" for name, (a, _, _) in _FIRST_MEASURE.items()))
    assert accuracy >= 0.9
    assert precision >= 0.95
    assert recall >= 0.95
    assert precision_when_sure >= 0.98


def test_the_set_is_balanced_and_has_each_reply_once() -> None:
    assert len(REPLIES) == len({(reply["text"], reply.get("subject")) for reply in REPLIES})
    assert min(Counter(reply["status"] for reply in REPLIES).values()) > 100
    assert 0.4 < share([reply["lang"] for reply in REPLIES].count("tr"), len(REPLIES)) < 0.6


def test_likeness_is_counted_from_the_labelled_set() -> None:
    sets = sorted(LABELLED.parent.glob("*.jsonl"))
    counted = likeness.count([pair for path in sets for pair in likeness.labelled(path)])
    assert likeness.shipped() == counted, "python -m crm_graph.intent tests/intent/*.jsonl"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Interested.", "interested"),
        ("Not interested.", "not_interested"),
        ("not really all that interested", "not_interested"),
        ("We don't need more info.", "not_interested"),
        ("It isn't a fit for us.", "not_interested"),
        ("no thanks", "not_interested"),
        ("why not", "interested"),
        ("Not a bad idea, send details", "interested"),
        ("I wouldn't mind a chat", "interested"),
        ("ilgileniyoruz", "interested"),
        ("ilgilenmiyoruz", "not_interested"),
        ("Görüşmek isteriz.", "interested"),
        ("Görüşmek istemiyoruz.", "not_interested"),
        ("uygun değil", "not_interested"),
        ("istemiyorum, gerek yok", "not_interested"),
        ("neden olmasın", "interested"),
        ("fena fikir değil, görüşelim", "interested"),
    ],
)
def test_negation(text: str, status: str) -> None:
    assert status_of(text) == status


@pytest.mark.parametrize(
    "text", ["İLGİLENMİYORUM", "ILGILENMIYORUM", "ilgilenmiyorum", "İlgilenmiyorum", "ılgılenmıyorum"]
)
def test_dotted_and_dotless_i_are_the_same(text: str) -> None:
    assert status_of(text) == "not_interested"


@pytest.mark.parametrize("text", ["Görüşebiliriz", "gorusebiliriz", "GÖRÜŞEBİLİRİZ", "GORUSEBILIRIZ"])
def test_turkish_without_turkish_letters(text: str) -> None:
    assert status_of(text) == "interested"


@pytest.mark.parametrize(
    "history",
    [
        "On Mon, Jan 5, 2026 at 10:02 AM Max Sender <max@sender.com> wrote:\n> Interested?",
        "On Mon, Jan 5, 2026 at 10:02 AM Max Sender\n<max@sender.com> wrote:\nInterested?",
        "-----Original Message-----\nFrom: Max\nSent: Monday\nTo: Rob\n\nInterested?",
        "*From:* Max Sender <max@sender.com>\n*Sent:* Monday\n*To:* Rob\n*Subject:* Demo?\n\nInterested?",
        "Max Sender <max@sender.com>, 5 Oca 2026 Pzt, 14:02 tarihinde şunu yazdı:\n> İlgilenir misiniz?",
        "5 Oca 2026 Pzt 14:02 tarihinde Max Sender <max@sender.com> şunları yazdı:\n\nİlgilenir misiniz?",
        "---- Özgün İleti ----\nKimden: Max\nİlgilenir misiniz?",
        "Kimden: Max Sender\nGönderilme: 5 Ocak 2026 Pazartesi\nKime: Rob\nKonu: Demo\n\nİlgilenir misiniz?",
        "Max Sender <max@sender.com> şunları yazdı (5 Oca 2026 14:02):\n> İlgilenir misiniz?",
        "________________________________\nFrom: Max\nInterested?",
        "Sent from my iPhone\n\nOn 5 Jan 2026, Max wrote:\n> Interested?",
        "iPhone'umdan gönderildi\n\nKimden: Max\nKime: Rob\nİlgilenir misiniz?",
        "--\nRob Hill\nInterested in a job? jobs@acme.example",
        "Best regards,\nRob Hill\nHead of Pricing\n\nThis e-mail is confidential. Wrong addressee? Delete it.",
    ],
)
def test_only_the_reply_is_read(history: str) -> None:
    # given a refusal over the seller's own question, a signature or a footer
    text = f"No, thank you.\n\n{history}"
    # then only the refusal is left
    assert visible_reply(text).startswith("No, thank you.")
    assert "nterested" not in visible_reply(text)
    assert "lgilenir" not in visible_reply(text)
    assert status_of(text) == "not_interested"


def test_a_snippet_on_one_line() -> None:
    flat = "Yes please! On Mon, Jan 5, 2026 at 10:02 AM Max <max@sender.com> wrote: > Or shall I stop emailing you?"
    assert visible_reply(flat) == "Yes please!"


@pytest.mark.parametrize("opening", ["Thanks,", "Thanks, but", "- ", "Hi,\nThank you, but"])
def test_a_courtesy_is_not_a_signature(opening: str) -> None:
    assert status_of(f"Hi Max\n{opening} please remove me from your list.") == "unsubscribed"


def test_a_reply_below_the_history_is_read_with_low_confidence() -> None:
    verdict = classify("On Mon, Jan 5, 2026 Max <m@x.example> wrote:\n> Interested?\nYes, send me the price list.")
    assert verdict.status == "interested"
    assert verdict.confidence < REVIEW_THRESHOLD


def test_history_alone_is_not_a_reply() -> None:
    assert visible_reply("> Are you interested?\n> Max") == ""


@pytest.mark.parametrize(
    ("text", "subject", "status"),
    [
        (
            "I'm on leave until Monday. If you are interested in our offer write to sales@x.example.",
            "",
            "out_of_office",
        ),
        ("Out of office. To stop these notices reply STOP.", "", "out_of_office"),
        ("How much? No. See you.", "Automatic reply: Your thoughts?", "out_of_office"),
        ("", "Otomatik yanıt: Kısa bir soru", "out_of_office"),
        ("Yıllık izindeyim, fiyat için satış ekibine yazın.", "", "out_of_office"),
        ("Jane is no longer with the company.", "Automatic reply: hi", "wrong_person"),
        ("Your ticket #4821 has been received.", "Automatic reply: hi", "neutral"),
        ("I'm on holiday. Remove me from your list.", "", "unsubscribed"),
        ("", "unsubscribe", "unsubscribed"),
        ("Does it send out-of-office replies?", "", "question"),
    ],
)
def test_absence_notices(text: str, subject: str, status: str) -> None:
    assert status_of(text, subject) == status


@pytest.mark.parametrize(
    "text",
    [
        "Sounds good! I'm on holiday until the 14th, the 15th at 10?",
        "I'm not the right person, but our CTO Jane is - cc'ing her.",
        "Not a priority, but send me the pricing.",
        "👍",
        "Purple elephants.",
    ],
)
def test_ambiguous_replies_are_reviewed(text: str) -> None:
    assert classify(text).confidence < REVIEW_THRESHOLD


@pytest.mark.parametrize(
    "text", ["Yes please, thanks!", "Olur, haftaya görüşelim.", "How much is it?", "STOP", "Hayır"]
)
def test_clear_replies_are_not_reviewed(text: str) -> None:
    assert classify(text).confidence >= REVIEW_THRESHOLD


@pytest.mark.parametrize(
    "piece",
    [
        "On ",
        "> ",
        " ",
        "\n",
        "a",
        "On Mon ",
        "From: a\n",
        "not ",
        "1 ",
        "a@",
        "12.",
        "x <a@b> ",
        "\ufdfa",
        "(",
        "İ",
        "send me ",
    ],
)
def test_hostile_text_takes_no_longer(piece: str) -> None:
    classify("warm up")  # compiles the vocabularies
    hostile = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    classify(hostile, subject=hostile)
    absence_until(hostile, NOW)
    assert time.perf_counter() - started < 3  # under a second on an idle machine


@settings(deadline=None, max_examples=100)
@given(st.text() | st.lists(st.sampled_from(CUES)).map(" ".join), st.text(max_size=40))
def test_any_text_is_classified(text: str, subject: str) -> None:
    verdict = classify(text, subject=subject)
    assert verdict.status in get_args(Status)
    assert 0 <= verdict.confidence <= 1
    assert len(verdict.summary) <= 200
    assert len(verdict.summary.splitlines()) <= 1
    visible_reply(text)
    absence_until(text, NOW)


def test_the_summary_is_the_decisive_sentence() -> None:
    text = "Hi Max,\nHope you are well. We are not interested\nright now. Kind regards\nRob"
    assert "not interested" in classify(text).summary


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("I am out until 12 January.", date(2026, 1, 12)),
        ("back on Monday", date(2026, 1, 12)),
        ("until Jan 12th, 2026", date(2026, 1, 12)),
        ("I'm on leave from 3 to 14 March.", date(2026, 3, 14)),
        ("closed from December 23 to January 2", date(2027, 1, 2)),
        ("back on the 14th", date(2026, 1, 14)),
        ("Back 22/02.", date(2026, 2, 22)),
        ("until 2026-02-01", date(2026, 2, 1)),
        ("I'll be back in the office tomorrow.", date(2026, 1, 7)),
        ("will be back on Thursday, 15 January.", date(2026, 1, 15)),
        ("12.01.2026 tarihine kadar izinliyim", date(2026, 1, 12)),
        ("15 Ocak'a kadar yokum", date(2026, 1, 15)),
        ("pazartesi döneceğim", date(2026, 1, 12)),
        ("haftaya cuma ofisteyim", date(2026, 1, 16)),
        ("ayın 20'sinde dönüyorum", date(2026, 1, 20)),
        ("1-10 Ağustos tarihleri arasında izindeyim, acil: 0212 000 00 00", date(2026, 8, 10)),
        ("3 Şubat'tan itibaren dönüş yapacağım", date(2026, 2, 3)),
        ("12 Mart'tan itibaren izinli olacağım", None),
        ("on leave until June", None),
        ("off until further notice, we met on 12 January", None),
        ("I was away until 12.01.2024", None),
        ("until 31.02.2026", None),
        ("I'm out Thursday and Friday", None),
        ("", None),
    ],
)
def test_the_end_of_an_absence(text: str, until: date | None) -> None:
    assert absence_until(text, NOW) == until
