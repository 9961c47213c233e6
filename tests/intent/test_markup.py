"""HTML replies: what the lead wrote and saw, not what was hidden or quoted; hostile markup takes no longer."""

import time

import pytest

from crm_graph.intent import read_markup

GMAIL = """<div dir="ltr"><div>Ja, gerne &amp; danke!</div><div><br></div></div><br><div class="gmail_quote gmail_quote_container">
<div dir="ltr" class="gmail_attr">Am Mo., 5. Jan. schrieb Max:<br></div><blockquote class="gmail_quote"><p>unsubscribe?</p></blockquote></div>"""
OUTLOOK = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {margin:0} --></style></head><body>
<!--[if gte mso 9]><xml>secret</xml><![endif]--><div class="WordSection1"><p class="MsoNormal">Geen interesse.<o:p></o:p></p>
<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>Van:</b> Max<br><b>Aan:</b> Lena</p></div></div>
<p class=MsoNormal>Reply unsubscribe.</p></div></body></html>"""
MOBILE = """<div>Let's talk.</div><div id="ms-outlook-mobile-signature">Get Outlook</div><div id="appendonsend"></div>
<hr><div id="divRplyFwdMsg"><b>From:</b> Max</div><div>pitch: unsubscribe</div>"""
THUNDERBIRD = """<div class="moz-cite-prefix">Le 05/01/2026 à 10:12, Max a écrit :</div><blockquote type="cite" cite="mid:x">pitch</blockquote>
<p>Non merci.</p>"""
YAHOO = (
    """<div>Sure thing</div><div id="yahoo_quoted_123" class="yahoo_quoted">On Monday Max wrote: unsubscribe</div>"""
)


@pytest.mark.parametrize(
    ("markup", "own"),
    [
        (GMAIL, "Ja, gerne & danke!"),
        (OUTLOOK, "Geen interesse."),
        (MOBILE, "Let's talk.\nGet Outlook"),
        (THUNDERBIRD, "Non merci."),
        (YAHOO, "Sure thing"),
        ('<p>Yes</p><div style="display: none">unsubscribe me</div><span style="FONT-SIZE:0px">stop</span>', "Yes"),
        ("<p>Yes</p><p hidden>stop</p><script>stop()</script><title>stop</title><!-- stop -->", "Yes"),
        ('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">my own words</blockquote>', "my own words"),
        ('<p>One</p><blockquote type="cite">quoted</blockquote><p>Two</p>', "One\n\nTwo"),
        ("<table><tr><td>A</td><td>B</td></tr><tr><td>C</td></tr></table>", "AB\nC"),
        ("one<br>two<p>three</p><ul><li>four<li>five</ul>", "one\ntwo\n\nthree\n\nfour\nfive"),
        ('<div style="border-top: solid 1pt">Lena Kunde</div><div>Kunde GmbH</div>', "Lena Kunde\nKunde GmbH"),
        ("&lt;3 &#128077; &nbsp; ok&#x2028;", "<3 👍 ok"),
        ("just text", "just text"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("<!-- nothing -->", ""),
        ("", ""),
    ],
)
def test_only_the_lead_s_own_words_are_read(markup: str, own: str) -> None:
    assert read_markup(markup).own == own


def test_the_whole_has_what_was_quoted_and_nothing_hidden() -> None:
    whole = read_markup(GMAIL + '<i style="display:none">x</i>').whole
    assert [line for line in whole.splitlines() if line] == [
        "Ja, gerne & danke!",
        "Am Mo., 5. Jan. schrieb Max:",
        "unsubscribe?",
    ]


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<blockquote>", "<b>", "<b><p>", "<a href=x>", "<ul><li>", "<table><tr><td>", "<a><b></a>", "<p>x</p>",
     "<br>x", "&", "&amp;", "<", "<!--", '<p style="border-top:solid">a</p>', '<p class="x x x x">', "<p a a a ", "\x00<i>"],
)  # fmt: skip
def test_a_megabyte_of_hostile_markup_takes_a_tenth_of_a_second(piece: str) -> None:
    markup = piece * (1_000_000 // len(piece))
    started = time.thread_time()
    read_markup(markup)
    assert time.thread_time() - started < 0.4  # a tenth on an idle machine
