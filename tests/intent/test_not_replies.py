"""What arrives as a reply and is none of a person: bounces and reactions."""

import pytest

from crm_graph.intent import is_bounce, is_reaction


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (
            "Delivery Status Notification (Failure)",
            "Your message wasn't delivered because the address couldn't be found.",
        ),
        ("Undeliverable: Quick question", "sam@acme.example wasn't found. 550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        ("Unzustellbar: Frage", "Die E-Mail-Adresse wurde nicht gefunden. Statuscode: 550 5.1.1"),
        ("Non remis : Question", "Remote Server returned '550 5.1.1 User unknown'"),
        ("Returned mail: see transcript for details", "----- The following addresses had permanent fatal errors -----"),
        ("Mail delivery failed: returning message to sender", "SMTP error: 550 No such user here"),
        ("No se puede entregar: Pregunta", "El buzón no existe. 550 5.4.1 Recipient address rejected: Access denied"),
        (
            "Undelivered Mail Returned to Sender",
            "This is the mail system. <x@y.example>: host said: 550-5.2.1 disabled",
        ),
        ("Mancato recapito: Domanda", "Indirizzo non trovato"),
        ("failure notice", ""),
    ],
)
def test_a_report_of_a_mail_server_is_a_bounce(subject: str, text: str) -> None:
    assert is_bounce(text, subject=subject)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: Question", "Your last mail bounced: 550 5.1.1. Please use this address."),
        ("Re: Undeliverable goods", "We can talk about deliveries on Monday."),
        ("Delivery Status Notification (Delay)", "The server will keep trying for 2 days. 451 4.4.1"),
        ("Re: Version 5.1.2", "We run version 5.1.2 of it."),
        ("Re: Question", "Your message was not delivered to my boss yet; I will forward it."),
        ("", ""),
    ],
)
def test_a_person_s_words_and_a_delay_are_none(subject: str, text: str) -> None:
    assert not is_bounce(text, subject=subject)


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👍🏽 ",
        "❤️",
        "🎉🎉",
        "👍 Lena Kunde reacted to your message",
        "Lena reacted via Gmail",
        "Lena hat reagiert: 👍",
    ],
)
def test_an_emoji_is_a_reaction(text: str) -> None:
    assert is_reaction(text)


@pytest.mark.parametrize(
    "text", ["👍 let's talk", "ok", "", "?", "1", "Our team liked your message, send the pricing. " * 8]
)
def test_words_are_a_reply(text: str) -> None:
    assert not is_reaction(text)
