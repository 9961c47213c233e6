"""Quoted history: found in any language and mail client, and nothing of the reply is taken for it."""

import pytest

from crm_graph.intent import classify, visible_reply

PITCH = "Hi Lena,\n\nwould you be interested in a short demo? I can send the pricing.\nIf not, just reply unsubscribe.\n\nMax"
OWN = "Merci / Danke / Kiitos."
HEADERS = {
    "gmail en": "On Mon, Jan 5, 2026 at 10:12 AM Max Sender <max@sender.com> wrote:",
    "gmail de": "Am Mo., 5. Jan. 2026 um 10:12 Uhr schrieb Max Sender <max@sender.com>:",
    "gmail fr": "Le lun. 5 janv. 2026 à 10:12, Max Sender <max@sender.com> a écrit :",
    "gmail es": "El lun, 5 ene 2026 a las 10:12, Max Sender (<max@sender.com>) escribió:",
    "gmail pt": "Em seg., 5 de jan. de 2026 às 10:12, Max Sender <max@sender.com> escreveu:",
    "gmail it": "Il giorno lun 5 gen 2026 alle ore 10:12 Max Sender <max@sender.com> ha scritto:",
    "gmail nl": "Op ma 5 jan 2026 om 10:12 schreef Max Sender <max@sender.com>:",
    "gmail sv": "Den mån 5 jan. 2026 kl 10:12 skrev Max Sender <max@sender.com>:",
    "gmail fi": "ma 5. tammik. 2026 klo 10.12 Max Sender (max@sender.com) kirjoitti:",
    "gmail pl": "pon., 5 sty 2026 o 10:12 Max Sender <max@sender.com> napisał(a):",
    "gmail cs": "po 5. 1. 2026 v 10:12 odesílatel Max Sender <max@sender.com> napsal:",
    "gmail hu": "Max Sender <max@sender.com> ezt írta (időpont: 2026. jan. 5., H, 10:12):",
    "gmail ro": "În lun., 5 ian. 2026 la 10:12, Max Sender <max@sender.com> a scris:",
    "gmail ru": "пн, 5 янв. 2026 г. в 10:12, Max Sender <max@sender.com>:",
    "gmail uk": "пн, 5 січ. 2026 р. о 10:12 Max Sender <max@sender.com> пише:",
    "gmail el": "Στις Δευ 5 Ιαν 2026 στις 10:12 π.μ., ο χρήστης Max Sender <max@sender.com> έγραψε:",
    "gmail he": "‫בתאריך יום ב׳, 5 בינו׳ 2026 ב-10:12 מאת ‪Max Sender‬‏ <‪max@sender.com‬‏>:‬",
    "gmail ar": "في الاثنين، 5 يناير 2026 في 10:12 ص تمت كتابة ما يلي بواسطة Max Sender <max@sender.com>:",
    "gmail ja": "2026年1月5日(月) 10:12 Max Sender <max@sender.com>:",
    "gmail zh": "Max Sender <max@sender.com> 于2026年1月5日周一 10:12写道：",
    "gmail ko": "2026년 1월 5일 (월) 오전 10:12, Max Sender <max@sender.com>님이 작성:",
    "gmail tr": "Max Sender <max@sender.com>, 5 Oca 2026 Pzt, 10:12 tarihinde şunu yazdı:",
    "thunderbird de": "Max Sender schrieb am 05.01.26 um 10:12:",
    "thunderbird da": "Den 05-01-2026 kl. 10:12 skrev Max Sender:",
    "thunderbird nl": "Op 5-1-2026 om 10:12 schreef Max Sender:",
    "apple es": "El 5 ene 2026, a las 10:12, Max Sender <max@sender.com> escribió:",
    "zoho": "---- On Mon, 05 Jan 2026 10:12:00 +0100 Max Sender <max@sender.com> wrote ----",
    "wrapped": "Am 05.01.2026 um 10:12 schrieb\nMax Sender\n<max@sender.com>:",
    "wrapped long": "Le lundi 5 janvier 2026 à 10:12, Maximilien-Alexandre Sender-Delacroix\n(Directeur) <\nmax@sender.com> a\nécrit :",
    "outlook de": "Von: Max Sender <max@sender.com>\nGesendet: Montag, 5. Januar 2026 10:12\nAn: Lena Kunde\nBetreff: Frage",
    "outlook fr": "De : Max Sender\nEnvoyé : lundi 5 janvier 2026 10:12\nÀ : Lena Kunde\nObjet : Question",
    "outlook pl": "Od: Max Sender <max@sender.com>\nWysłano: poniedziałek, 5 stycznia 2026 10:12\nDo: Lena\nTemat: Pytanie",
    "outlook sv": "Från: Max Sender <max@sender.com>\nSkickat: den 5 januari 2026 10:12\nTill: Lena\nÄmne: Fråga",
    "outlook zh": "发件人: Max Sender <max@sender.com>\n发送时间: 2026年1月5日 10:12\n收件人: Lena\n主题: Question",
    "outlook in a language of no list": "Lati: Max Sender <max@sender.com>\nOjo: 5 Oṣu 2026 10:12\nSi: Lena\nAkori: Q",
    "divider": "-----Ursprüngliche Nachricht-----\nVon: Max Sender",
    "divider it": "-------- Messaggio originale --------",
    "rule": "________________________________\nFrom: Max Sender <max@sender.com>\nDate: Monday, 5 January 2026",
    "bold labels": "*From:* Max Sender\n*Sent:* Monday, January 5, 2026 10:12 AM\n*To:* Lena\n*Subject:* Question",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_the_history_below_a_header_is_cut(header: str) -> None:
    assert visible_reply(f"{OWN}\n\n{header}\n\n{PITCH}") == OWN


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_follows_at_once_is_cut_too(header: str) -> None:
    assert visible_reply(f"{OWN}\n{header}\n{PITCH}") == OWN


@pytest.mark.parametrize(
    "reply",
    [
        "Here are our answers.\n________________________________\n\nBudget: 20k\n________________________________\n\nYes, a demo.",
        "Sure. My window tomorrow:\nFrom: 10:00\nTo: 12:30\nPlease send an invite.",
        "These days work on 12.03.2026:\n- 10:00\n- 14:00\nSend me an invite please.",
        "Please book it.\nDate: 12 March 2026\nTime: 10:00\nPlace: Berlin\nSee you there.",
        "My details:\nName: Lena Kunde\nE-mail: lena@kunde.example\nPhone: +49 30 123456\nSend the offer there.",
        "Please write to our buyer:\nsam@acme.example\nHe decides.",
        "I read it on 5 Jan 2026 and like it: call me at 10:30.",
        "---- urgent ----\nPlease call me.",
        "As agreed on 05.01.2026 at 10:12:\nwe take the small plan.",
        "De: 9h\nà: 11h\nje suis libre.",
    ],
)
def test_nothing_of_a_reply_is_taken_for_history(reply: str) -> None:
    assert visible_reply(reply) == reply


def test_answers_between_quoted_lines_are_read_with_low_confidence() -> None:
    text = (
        "Hi Max,\n\nOn Mon, Jan 5, 2026 Max Sender <max@sender.com> wrote:\n> would a demo help?\n\nYes, Tuesday at 10.\n\n"
        "> shall I send the pricing,\n> or unsubscribe you?\n\nPricing please.\n"
    )
    assert visible_reply(text) == "Hi Max,\nYes, Tuesday at 10.\n\n\nPricing please."
    assert classify(text).confidence < 0.6


def test_a_quoted_line_that_was_wrapped_is_no_answer() -> None:
    text = "Thanks.\n\nOn Mon, Jan 5, 2026 Max <max@sender.com> wrote:\n> if this is not for you just reply\nunsubscribe\n> Max"
    assert visible_reply(text) == "Thanks."


@pytest.mark.parametrize(
    "quoted",
    [
        PITCH,
        PITCH.replace("\n", "\n  "),
        "Hi Lena, would you be interested in a short demo?\nI can send the\npricing. If not, just reply\nunsubscribe. Max",
        f"Kuna 5. jaanuar Max kirjutas sulle 10.12 nii:\n\n{PITCH}",
    ],
)
def test_what_we_sent_is_cut_where_it_recurs_without_a_mark(quoted: str) -> None:
    assert visible_reply(f"{OWN}\n\n{quoted}", (PITCH,)) == OWN


def test_an_answer_in_the_lead_s_own_words_stays_though_we_used_them() -> None:
    assert (
        visible_reply("Yes, interested in a demo!\nMax, call me.", (PITCH,))
        == "Yes, interested in a demo!\nMax, call me."
    )


def test_a_signature_is_no_wish_and_a_wish_no_signature() -> None:
    bold = "Please call me.\n\n*-- *\n*Lena Kunde*\nTo stop our newsletter: unsubscribe here"
    assert visible_reply(bold) == "Please call me."
    assert classify("Thanks,\nplease remove me from your list.").status == "unsubscribed"
