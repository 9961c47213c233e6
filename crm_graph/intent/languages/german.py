"""German phrases by what they say, in the notation of phrases.py, over folded words (ä is a, ß is ss).

Verbs stand at the end or are split ("nehmen Sie mich bitte aus dem Verteiler"), so phrases have gaps where English has
none. cues.py says in which order the kinds are tried and what each weighs.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    "der die das den dem des und ist sind wir uns unser unsere ich mich mir sie ihnen ihr ihre ihren ein eine einen "
    "einem "
    "einer nicht kein keine keinen mit von zu zum zur auf fur bei bitte aber oder auch noch nur schon haben hat habe "
    "wird werden wurde sehr gerne danke dann wenn dass als wie was am im es er"
)
CLASSES = {
    "not": "nicht|kein|keine|keinen|keinem|keiner|keinerlei|nie|niemals|nimmer|ohne|weder|kaum|null|net|ned|nix|nichts",
    "me": "mich|mir|uns|meine|meiner|meinen|unsere|unserer|unseren|meinen kollegen|unsere firma|diese adresse|dieses "
    "postfach",
    "thing": (
        "preis*|preisliste|kosten*|konditionen|angebot*|unterlagen|infos?|informationen|info ?material|details|demo*|"
        "prasentation*|broschure*|katalog*|beispiel*|muster|video*|link|termin*|terminvorschlag*|vorschlag*|testzugang|"
        "zugang|referenzen|case stud*|ubersicht|datenblatt|deck|one ?pager|gebuhren|tarif*|lizenz*|kalender*|"
        "einladung|slots?|"
        "leistungsbeschreibung|prospekt*|pdf|kostenvoranschlag|offerte*|unterlage"
    ),
    "send": (
        "send*|schick*|zusend*|zuschick*|ubermittel*|zukommen|mail*|weiterleit*|nachreich*|bereitstell*|geben|gib|"
        "teil*|nenn*|"
        "verrat*|erzahl*|zeig*|mach*|erstell*|zukommen"
    ),
    "meet": (
        "sprech*|telefonier*|austausch*|unterhalt*|treff*|kennenlern*|anschau*|ansehen|anhor*|besprech*|vereinbar*|"
        "zusammensetz*|"
        "reden|quatschen|schnack*|gesprach*|call|telefonat|termin|treffen|meeting|zoom|teams"
    ),
    "day": (
        "montag*|dienstag*|mittwoch*|donnerstag*|freitag*|samstag|sonntag|morgen|heute|ubermorgen|nachste woche|"
        "nachster woche|"
        r"kommende woche|diese woche|vormittag*|nachmittag*|mittag|kw ?\d+|\d\d? uhr|\d\d? \d\d uhr"
    ),
    "list": "verteiler*|liste*|mailing ?liste|newsletter|datenbank|adressliste|datenbestand|system|kartei|adressbuch|"
    "crm|bestand",
    "mail": "mails?|e ?mails?|nachrichten?|werbung|werbe ?mails?|newsletter|spam|anfragen|angebote|post|"
    "kontaktaufnahme*|anschreiben",
    "dept": (
        "kolleg*|abteilung|einkauf*|marketing|vertrieb*|geschaftsfuhr*|chef*|leiter*|zustandige*|ansprechpartner*|"
        "herr*|frau|"
        "zentrale|it|hr|personal*|buchhaltung|team|mailaddress|vorstand|verwaltung|sekretariat|assistent*|nachfolger*"
    ),
    "later": (
        "spater*|nachstes jahr|kommendes jahr|im (fruhjahr|sommer|herbst|winter|neuen jahr)|nachste* (quartal|jahr|"
        "saison)|"
        r"in (ein paar|einigen|zwei|drei|sechs|\d+) (wochen|monaten|jahren)|q[1-4]|20\d\d|jahresende|jahreswechsel|"
        r"jahresanfang|"
        "nach (den ferien|der messe|dem sommer|der saison)|irgendwann|zu gegebener zeit"
    ),
}

NOT_A_REQUEST = r"""
    <not> zogern
    zogern sie nicht
    (kein|keine) (problem|thema|ursache|sorge|sorgen|stress|eile)
    (wenn|falls|sollten|sofern) sie … (interesse|interessiert|abmelden|austragen|keine)*
    (vielen|herzlichen|besten)? dank fur (ihr|dein|das|euer) interesse
    (kann|konnen|lassen) (man|sie)? … (loschen|entfernen|abmelden) (lassen)? (im|in|mit) (system|tool|software)
    (dsgvo|gdpr) (konform*|zertifi*|compliant)
    (spam|junk|spamordner|junkordner|spamfilter) (ordner|filter)?
    (aus|von) (dem|der|unserem|unserer)? (kalender|termin|einladung|gruppe|cc|projekt)
    (sehr geehrte*|liebe*|lieber|guten (tag|morgen|abend)|hallo|servus|gruss gott|gruezi|moin) (herr|frau|max|zusammen)*
    (mit)? (freundlich*|besten|herzlich*|liebe*|viele*|schone*) (gruss*|grusse*)
"""
DOUBLE_NEGATION = """
    (nicht|gar nicht|durchaus nicht) (uninteressant|schlecht|verkehrt|abgeneigt|unspannend|falsch|dumm|ausgeschlossen)
    warum (eigentlich)? nicht
    (spricht|sprache) nichts (dagegen|gegen)
    (nichts|keine einwande|keinen einwand) (dagegen|gegen)
    (kann|konnte|will|wurde) … nicht nein sagen
    (schadet|kann) (ja)? nicht schaden
    kann (ja)? nicht schaden
    schadet nicht
    da (sage|sag) ich nicht nein
"""
INVITED = """
    (blocke|blockiere|reserviere) (ich|mir|uns)~ … (<day>|kalender|uhr)
    (rufen sie|ruf|melden sie sich|meld dich|schreiben sie) (mich|mir|bei mir|uns|bei uns) (an|gerne|einfach|unter|am|
        unter der)
    (setze|nehme|hole|habe) … (cc|kopie|dazu|ins boot|mit rein)
    (in|im) (cc|kopie|verteiler) (genommen|gesetzt)
    (kollege|kollegin|kollegen) … (dazu|teilnehmen|mit ins|dabei|in cc|in kopie)
"""
LEFT = r"""
    (im|in den|in|seit) (ruhestand|rente|pension|altersteilzeit)
    (nicht mehr|nicht langer) … (im unternehmen|in der firma|bei uns|beschaftigt|tatig|im haus|hier|angestellt|fur uns)
    (unternehmen|firma|haus|betrieb|gesellschaft|verein) … verlassen
    (arbeite|arbeitet) (hier|dort|da)? … nicht mehr (hier|dort|da|bei|fur|in)*
    arbeitet … nicht mehr
    (ausgeschieden|pensioniert|verstorben|gekundigt)
    (in|im) (rente|pension|ruhestand) (gegangen)*
    (rente|pension|ruhestand) (gegangen|eingetreten)
    (mail ?adresse|e ?mail ?adresse|postfach|mailbox|adresse) … (nicht mehr|nicht langer) (gelesen|abgerufen|genutzt|
        aktiv|gultig|
        uberwacht|verwendet|besetzt)
    (abteilung|position|stelle|job|arbeitgeber|bereich) gewechselt
    (neue|neuen|andere) (stelle|aufgabe|herausforderung|position) (angetreten|ubernommen|gefunden)
"""
ABSENT = r"""
    (abwesen*|ausser haus|ausserhaus|nicht im (buro|haus|office|dienst)|nicht am (platz|arbeitsplatz|schreibtisch))
    (im|in) (urlaub|elternzeit|mutterschutz|sabbatical|betriebsferien|krankenstand|karenz|ferien|kur|reha)
    (urlaub*|ferien*|betriebsferien|elternzeit|mutterschutz|krank*) (bis|ab|vom|geschrieben|gemeldet)
    (habe|haben|bin|mache|machen) … (urlaub|ferien|betriebsurlaub|betriebsferien)
    (bin|sind|werde) … (ab|wieder|erst) … (erreichbar|zuruck|da|im buro|im haus|verfugbar)
    (wieder|erst) (ab|am) … (erreichbar|zuruck|da|im buro|im haus|fur sie da)
    (nicht|schlecht|eingeschrankt|nur bedingt) … erreichbar (bis|vom|ab)*
    (kein|keinen|eingeschrankten|begrenzten) zugriff auf (meine)? (mails|e ?mails|emails|nachrichten)
    (mails|e ?mails|nachrichten) … (nicht|unregelmassig|sporadisch|nur gelegentlich|nicht weitergeleitet) … (gelesen|
        abgerufen|
        weitergeleitet|bearbeitet)
    (ihre|deine) (mail|e ?mail|nachricht) wird nicht (automatisch)? weitergeleitet
    (in)? dringende* (fallen|fall|angelegenheiten|anliegen)
    (meine|unserer|meiner|wahrend meiner|in meiner) (vertretung|abwesenheit)
    (vertretung|vertritt mich|vertreten werde ich)
    automatische* (antwort|abwesenheit*|nachricht|mail|rundmail)
    (dienstreise|geschaftsreise|fortbildung|messe) (bis|vom|und)
    (geschlossen|feiertag*|betriebsruhe|bruckentag)
    (ich|wir)? (bin|sind) … (bis|vom) … (nicht|weg|unterwegs|verreist|offline)
    (krank geschrieben|krankgeschrieben|krankheitsbedingt|erkrankt|op termin|krankenhaus|spital)
"""
AWAY = """
    (unterwegs|auf reisen|auf (der|einer) (messe|tagung|schulung|dienstreise)|im ausland|im meeting|in terminen)
"""
REMOVAL = r"""
    (von|auf) weitere* (kontaktaufnahme*|mails|anfragen|nachrichten|zusendungen|schreiben) … (ab|absehen|abzusehen|
        verzichten)
    (nie|nicht|keine*) … (eingewilligt|zugestimmt|einwilligung|zustimmung)
    (anwalt|rechtsanwalt|abmahn*|datenschutzbehorde|aufsichtsbehorde|anzeige) … (einschalten|schalte|ein|melde|
        erstatte|beschwer*|ubergeben|wenden)
    (schalte|melde|ubergebe|beschwere) … (anwalt|rechtsanwalt|aufsichtsbehorde|datenschutz*)
    (abmelden|austragen|abbestell*|abmeldung|abbestellung|unsubscribe)
    (meld*|trag*|bestell*) … (ab|aus) $
    (nehmen|nehmt|nimm|streichen|streicht|streich|loschen|loscht|losch|entfernen|entfernt|entferne|tragen|tragt|trag|
        schmeissen|werft|
        werfen) (sie)? … (<me>|<list>|daten*|adresse*|mailaddress|kontaktdaten*|aus)
    (<me>|daten|adresse|mailadresse|e ?mail ?adresse|kontaktdaten) … (loschen|entfernen|streichen|rausnehmen|
        herausnehmen|austragen|
        geloscht|entfernt|gestrichen|ausgetragen|sperren|gesperrt|zu loschen|zu entfernen)
    (aus|von) … <list> … (nehmen|streichen|loschen|entfernen|austragen|raus|heraus|entfernt|gestrichen|genommen)
    raus aus … <list>
    <not> (mehr|weiteren|weitere|weiter) … (<mail>|anschreiben|kontaktieren|schreiben|belastigen|mailen|anrufen|
        anmailen|zusenden|schicken|
        senden|kontaktiert|angeschrieben|behelligen|erhalten|bekommen|empfangen)
    <not> (wieder|nochmal|noch einmal|langer|erneut) … (schreiben|kontaktieren|anschreiben|mailen|melden|anrufen|
        kontaktiert)
    (keine|keinerlei) (weiteren|weitere) (<mail>|kontakt*|anschreiben|zusendung*|belastigung*|anrufe)
    (keine|keinerlei) (werbung|werbemails|werbe mails|spam|newsletter) (mehr|an|von|per|wunsch*|gewunscht|erwunscht)*
    (wunsche|wunschen|mochte|mochten|will|wollen) … (keine|keinen|nicht) … (<mail>|kontakt|kontaktiert|angeschrieben|
        belastigt)
    (lassen sie|lass|lasst) (mich|uns) (bitte|doch|einfach|endlich)? in (ruhe|frieden)
    (horen|hor|hort) (sie)? (bitte|endlich|sofort)? (auf|damit auf) (mir|uns|mich|zu|mit|damit)*
    (unterlassen|unterlasst) (sie)? …
    (widerspruch|widerspreche|widersprechen|widerrufe|untersage|untersagen|verbiete|verbitte|verbitten|unterlassung*) …
    (art|artikel) (15|17|21) …
    (dsgvo|datenschutz*) … (auskunft|loschung|verstoss|beschwerde|anzeige|behorde|loschen|abmahn*|anwalt)
    (auskunft|loschung|verstoss|beschwerde|abmahn*|anwalt) … (dsgvo|datenschutz*|daten|uwg)
    (loschung|sperrung) (meiner|unserer|aller|der) …
    (unerwunschte|unerlaubte|unverlangte|illegale) (werbung|mail*|e ?mail*|kontaktaufnahme|zusendung*)
    (belastigung|belastigen|stalking)
    (nie|niemals) (wieder|mehr) … (<mail>|schreiben|kontaktieren|melden|horen|anschreiben|anrufen)
    (von der|aus der) (liste|datenbank)
    (verschonen|verschont) (sie)? (mich|uns) …
    ^ (bitte)? (stop|stopp|abmelden|loschen|austragen|entfernen|raus|weg damit|unsubscribe|schluss|schluss damit|
        aufhoren) (bitte|jetzt|sofort)? $
    (woher|wo) … (meine|unsere|diese) (adresse|mailadresse|e ?mail ?adresse|daten|kontaktdaten) … (her|haben|
        hast) … (loschen|entfernen)
    (sperrliste|blacklist|robinsonliste)
    (schreiben|kontaktieren|mailen|schicken|senden|rufen|melden|schreib|schick) (sie)? … (nicht|nie|nichts) (mehr|
        wieder)
    (sofort|bitte|umgehend|unverzuglich) (loschen|entfernen|austragen|abmelden|streichen)
"""
ANNOYED = r"""
    (nicht zugestimmt|nie zugestimmt|nicht eingewilligt|nie angemeldet|nicht angemeldet|nervt|nervig|nerven|spam|
        spammer|unverschamt*|frechheit|dreist|zum (dritten|vierten|funften|wiederholten|
        x ten) mal|
        wie oft noch|reicht jetzt|es reicht|penetrant|aufdringlich|schon wieder)
"""
ELSEWHERE = r"""
    (mussen|mussten|sollten|konnen) (sie|du)? … (mit|an|bei) … (<dept>) … (sprechen|reden|wenden|melden|klaren)
    <not> (der|die|das)? (richtige|richtiger|zustandige|zustandiger|passende) (ansprechpartner*|person|kontakt|adresse|
        stelle)
    <not> (dafur|hierfur|fur dieses thema|fur das thema)? zustandig
    falsche* (ansprechpartner*|adresse|person|abteilung|adressat*|stelle|empfanger|kontakt)
    (bin|sind) (ich|wir)? … nicht (zustandig|verantwortlich|der richtige|die richtige)
    (wenden|wende) (sie)? (sich|dich) (bitte)? (an|direkt an) …
    (wenden|richten) sie … (an|per) …
    (ansprechpartner*|zustandig|verantwortlich) (dafur|hierfur|fur|ist|bei uns|waere|ware) … (<dept>|mailaddress)
    (schreiben|kontaktieren|fragen|mailen) (sie)? (bitte)? (direkt)? (<dept>|mailaddress) …
    (das|dies|dieses thema|das thema) (macht|betreut|entscheidet|verantwortet|liegt) … (<dept>|bei)
    (liegt|fallt) … (nicht)? (in|in den) … (zustandigkeit*|verantwortung*|aufgaben*|bereich)
    (nicht|kein) mein (bereich|thema|gebiet|aufgabengebiet|ressort)
"""
REFERRED = r"""
    (zustandig|ansprechpartner*) (ist|sind|ware|fur)
    (weitergeleitet|weitergegeben|leite|gebe) … (an|weiter) … <dept>
"""
PASSED_ON = r"""
    (schaue|schau|sehe|seh|gucke|guck|lese|les) (ich|mir|es|wir)? … (an|durch|rein) (und|melde)*
    (schaue|schau|sehe|gucke|lese) (es|sie)? mir … (an|durch)
    (weitergeleitet|weitergegeben|leite (es|das|ihre mail|die mail)? … weiter|gebe (es|das)? … weiter)
    (intern|im team|mit kollegen|mit dem chef) (besprechen|klaren|abstimmen|beraten|prufen|diskutieren)
    (muss|mussen) … (intern|erst|noch|kurz|mal) … (klaren|besprechen|prufen|abstimmen|nachdenken|uberlegen|
        drüber schlafen|schauen)
    (melde|melden) (mich|uns) (dann|wieder|bei ihnen|bei dir|zeitnah|bei bedarf|gegebenenfalls|sobald|im laufe|nachste)*
    (komme|kommen) … (auf sie|auf dich|darauf) zu*
    (denke|denken) (mal)? (daruber|druber) nach
    (uberlege|uberlegen) (es|ich|wir) …
"""
DECLINED = r"""
    (machen|losen|erledigen|entwickeln|bauen|betreuen) (wir|das|ich)? … (intern|selbst|selber|inhouse|inhaus|eigene*)
    (anderen|anderes|andere|mitbewerber*|konkurrenz*) … (anbieter*|entschieden|losung|dienstleister*|beauftragt|gewahlt)
    (entschieden|festgelegt|unterschrieben|abgeschlossen) … (haben|bereits|schon|anderen|anderweitig)?
    (kein|keine|nicht) … (thema|prioritat|relevanz) (fur|bei|zurzeit|derzeit)?
    <not> (grosses|wirklich|weiteres|weiter|aktuell|derzeit|momentan|zurzeit|das geringste|generelles)? (interesse|
        bedarf|interessiert|verwendung|
        notwendigkeit|handlungsbedarf|relevant|von interesse|passend|geeignet|in frage|infrage)
    (kein|keinen|keinerlei) (bedarf|interesse|verwendung)
    <not> (an|fur)? … interessiert
    (sind|bin|ware|waeren|haben|hab|habe|besteht|sehe|sehen) … (nicht interessiert|kein interesse|keinen bedarf|
        kein bedarf)
    (passt|passen|lohnt|eignet|rechnet|ergibt) … nicht (zu uns|fur uns|so|ganz|wirklich|sich)*
    (nichts|net|nix) (fur|fuer) (uns|mich)
    (brauchen|brauche|benotigen|benotige|wollen|will|mochten|mochte|suchen|suche) (wir|ich|das|so etwas|sowas|
        es)? … (nicht|keine|keinen|kein|nichts)
    (kommt|kommen) … nicht in (frage|betracht)
    (nein|ne|nee|nö|no)? (danke|vielen dank|merci) (nein|aber nein|kein|ohne)
    ^ (nein|nee|ne|noe|leider nein|nein danke|nee danke|danke nein|danke aber nein|no|danke nicht|kein bedarf|
        kein interesse|nein danke schon) $
    nein (danke|vielen dank|leider|wir|ich|besten dank)
    (bereits|schon|gut) … (versorgt|gelost|aufgestellt|ausgestattet|eingedeckt|vergeben|abgedeckt|eigene losung|
        einen anbieter|einen partner|
        einen dienstleister|im einsatz|eine losung)
    (haben|nutzen|arbeiten|verwenden) (wir)? (bereits|schon) …
    (mit)? … (sehr|rundum|vollkommen|bestens|zufrieden) zufrieden
    (sind|bin) … zufrieden mit …
    (absagen|absage|ablehnen|lehnen|lehne) …
    (verzichten|verzichte|abstand) …
    (mochten|mochte|wollen|werden|konnen) … nicht (weiter verfolgen|weiterverfolgen|annehmen|nutzen|zusammenarbeiten|
        verfolgen)
    (sehen|sehe) (wir|ich)? … (keinen|kein|nicht) …
    (viel|guten|weiterhin viel) (erfolg|gluck) (weiterhin|noch|bei der|mit)*
    (uns|firma|betrieb|unternehmen) … (zu klein|zu teuer|insolvent|aufgelost|geschlossen)
    zu teuer
"""
NO_ROOM = r"""
    (kein|keine|keinen|nicht genug|leider kein) (budget|zeit|kapazitat*|ressourcen|geld|mittel|luft|etat)
    (derzeit|aktuell|momentan|zurzeit|im moment|gerade|vorerst|jetzt|dieses jahr|heuer|momentan) … (nicht|kein|keine|
        keinen|nichts) …
    (nicht|kein) (der|die)? (richtige|passende|gute|gunstige)? (zeitpunkt|moment|zeit|thema|prioritat|fokus)
    (vielleicht|eventuell|evtl|gerne|gern) … <later>
    (melden|versuchen|kommen|fragen) (sie)? … <later>
    (wieder|nochmal|noch mal|erneut) … <later>
    <later> … (wieder|nochmal|interessant|thema|aktuell)
    (budget|mittel|etat) … (verplant|ausgeschopft|aufgebraucht|gestrichen|eingefroren)
"""
HESITANT = """
    (leider|bedauere|skeptisch|unsicher|bin mir nicht sicher|schwierig|eher nicht|wohl nicht)
"""
WANTS = r"""
    (haben|gibt|hatten|hast) (sie|es|du|ihr)? … (preisliste*|preise|unterlagen|broschure*|prospekt|demo*|referenzen|
        beispiel*|testzugang|probezugang)
    (konnen|konnten|durfen|durften|kann|konnte) (wir|ich) … (testen|ausprobieren|probieren|ansehen|anschauen|sehen|
        haben|bekommen)
    (schick|schicke|sende|send|schicken sie) (es|das|mir|uns|mal|doch|einfach|gern|ruhig)~ (mal|doch|einfach|gern|
        ruhig)? (ruber|rueber|her|zu|durch)
    (nachste*|weitere*) (schritt*|vorgehen|ablauf)
    (grundsatzlich|prinzipiell|generell|durchaus|absolut) (offen|interessiert|ja|gerne|denkbar)
    (bitte|gerne|gern|konnten|konnen|wurden|kannst|konntest|durfte|darf|lassen|lass) … <thing> … (<send>|haben|
        bekommen|erhalten|anbieten|zukommen)
    (<send>|send|schick|schicken sie|senden sie|lassen sie|lass) (mir|uns|bitte|doch|gerne|mal|gern|einfach)? … <thing>
    <thing> … (gerne|bitte|bitte zusenden|bitte schicken|zusenden|zuschicken|schicken|senden) (zu)? $
    (schicken|senden|schick|send) (sie)? (es|mir|uns|das|sie|mal) (gerne|bitte|doch|einfach|ruhig|mal)* (zu|ruber|her|
        rein|durch)*
    (her damit|immer her|los gehts|legen sie los|nur zu|machen wir)
    (was|wie viel|wieviel|wie hoch) (kostet|kosten|wurde|ware|sind|ist|verlangen) …
    (preis*|kosten*|konditionen|budget) … (liegen|bewegen|aussehen|pro|fur|rahmen|nennen)
    (in welchem)? (preisrahmen|preislich|kostenpunkt|kostenrahmen)
    (gerne|gern|gerne auch|sehr gerne|ja gerne|ja gern|ja bitte|sehr gern) (<meet>|einen|ein|am|um|<day>|mehr|ja|
        konnen|kommen|horen)
    (lassen|lass|konnen|konnten|sollten|wollen|wurden|mochten|mochte|wurde|will) (sie|wir|uns|ich|du|mich)? … <meet>
    (<day>|uhr) … (passt|passen|ware gut|geht|ginge|klappt|moglich|frei|zeit|gut)
    (passt|passen|klappt|geht|ginge|ware) (es|das|mir|uns|ihnen|dir)? … (<day>|uhr)
    (wann|wie) (haben|hatten|hast|passt|konnen|konnten|ware|sieht) (sie|du|es|wir|ihr)? … (zeit|termin|luft|sprechen|
        telefonieren|kalender|aus)
    (bin|sind|ware|waren|sehr|durchaus|grundsatzlich|prinzipiell)? (ich|wir)? … (sehr|durchaus|grundsatzlich|
        prinzipiell|definitiv) (interessiert|
        interesse)
    (habe|haben|hatte|hatten|besteht|bestunde|klingt|ja) … (interesse|interessiert|bedarf)
    (bin|sind|ware|waren) (ich|wir)? (interessiert|dabei|offen|neugierig|gesprachsbereit)
    ^ (ja)? (interessiert|interesse|interesse vorhanden|gerne|sehr gerne|ja gerne|ja bitte|ja|jo|joa|jawohl|klar|
        na klar|passt|einverstanden|
        gern|sehr gern|ja gern|ok gerne|warum nicht|ja sicher|unbedingt) (bitte|danke|doch|gerne)? $
    (rufen sie|ruf|melden sie sich|meld dich) … (an|bei mir|bei uns|mal|kurz|gerne|durch)
    (mehr|naheres|genaueres) (erfahren|wissen|horen|infos|informationen|daruber|dazu|sehen)
    (genau|exakt) (das|so etwas|sowas|was) (wir|ich|suchen|brauchen|haben|gesucht)*
    (wurde|wurden) (mich|uns) … (interessieren|freuen)
    (suchen|brauchen|benotigen|suche|brauche) … (genau|sowas|so etwas|dringend|ohnehin|eh|gerade|derzeit|aktuell)
    (termin|demo|gesprach|call) … (vereinbaren|machen|ausmachen|buchen|vorschlagen|einstellen|einplanen|anbieten|
        fixieren)
    (testen|ausprobieren|probieren|kennenlernen|anschauen|vorstellen) (wir|lassen|wurden|mochten|konnen|gerne|gern|
        durfen)*
    (einladung|einladen) … (schicken|senden|senden sie|an)
    (setzen|nehmen|binden) … (<dept>) … (cc|kopie|mit|dazu|ein)
    (freue|freuen) (mich|uns) (auf|uber) (das|ihr|den|die|unser|ihren|dein|ihre)* (gesprach|termin|angebot|ruckmeldung|
        anruf|unterlagen|austausch|call)
"""
WARM = """
    (klingt|hort sich|liest sich|sieht) … (gut|spannend|interessant|super|vielversprechend|toll) (an|aus)*
    (spannend|interessant*|vielversprechend|super idee|gute idee|spannendes thema|toll)
    (gerne|gern|sehr gerne)
    (neugierig|offen fur)
"""
LEANS = """
    (vielleicht|eventuell|moglicherweise|evtl|mal sehen)
"""
ASKS = r"""
    (wer|was|wie|woher|wo|welche*|wozu|wofur|seit wann|warum|wieso) (sind|seid|machen|macht|ist|funktioniert|kommen|
        haben|hast|genau|unterscheidet|
        werden|wird|steht|sitzen|sitzt) …
    (gibt es|haben sie|konnen sie|unterstutzen sie|bieten sie|ist das|ist es|lauft das|lasst sich|kann man|konnt ihr|
        bietet ihr|habt ihr) …
    (worum|um was) geht es
    (frage|fragen) (dazu|hierzu|vorab|noch)
"""
ACKNOWLEDGED = """
    (danke|vielen dank|besten dank|herzlichen dank|dankeschon|merci|ok|okay|alles klar|verstanden|zur kenntnis*|
        erhalten|notiert)
"""
RECEIPT = r"""
    (ticket*|vorgang*|anfrage*|ihre (mail|e ?mail|nachricht|anfrage)) … (eingegangen|erhalten|erfasst|bearbeitet|
        registriert|nummer|weitergeleitet)
    (haben|habe) (ihre|deine) … erhalten
    (eingangsbestatigung|empfangsbestatigung|bearbeitungsnummer|ticketnummer|vorgangsnummer)
    (schnellstmoglich|baldmoglichst|umgehend|innerhalb von) … (bearbeiten|melden|antworten|bei ihnen|stunden|werktagen)
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
NEGATED_AFTER = re.compile(r" (?:\w+ ){0,3}(?:nicht|keinesfalls|keineswegs)\b(?! (?:nur|schlecht|wahr))")
CONCEDED_BEFORE = re.compile(r"\b(?:obwohl|auch wenn|wenngleich|zwar)\b")
CAPABILITY = re.compile(
    r"^(?:und |aber )?(?:kann|konnen|ist|sind|wie|wer|was|welche\w*|wo|ob|hat|haben|gibt|lasst|unterstutzt|bietet)\b"
    r"(?!.*\b(?:ich|mich|mir|uns|wir|meine\w*|unsere\w*)\b)"
)
TURNS = "aber|allerdings|jedoch|dennoch|trotzdem|leider|nur dass|andererseits"
GREETINGS = "hallo|hi|servus|moin|liebe[rs]?|sehr geehrte[rs]?|guten (?:tag|morgen|abend)|gruss gott|gruezi|werte[rs]?"
AUTOMATIC_SUBJECTS = (
    r"abwesen\w*|automatische (?:antwort|abwesenheit\w*|nachricht)|ausser haus|nicht im (?:buro|haus)|im urlaub|"
    r"urlaub|autom antwort"
)
OPT_OUT_SUBJECTS = "(?:bitte )?(?:abmelden|abmeldung|abbestellen|austragen|stopp|loschen|keine werbung)"
SIGN_OFFS = (
    r"(?:mit )?(?:freundlich\w*|best\w*|herzlich\w*|lieb\w*|viel\w*|schon\w*|sonnig\w*)(?: (?:grussen?|gruss|grusse|"
    r"dank))?"
    r"(?: (?:aus|von) \w+)?|mfg|lg|vg|bg|gruss|grusse|hochachtungsvoll|danke|vielen dank|dankeschon|bis (?:dann|"
    r"bald)|ciao|tschuss"
)
AFTERTHOUGHTS = r"p\.? ?s\b|ps\b|bitte|ausserdem|ubrigens|noch etwas|und |loschen|nehmen sie|streichen|keine "
DEVICES = (
    r"(?:von meinem|gesendet (?:von|mit|uber)|diese nachricht wurde (?:von|mit)|holen sie sich|outlook fur|mit der|"
    r"von (?:outlook|iphone|samsung|unterwegs)|gesendet aus der) .{0,80}\Z"
)
DISCLAIMERS = (
    r"(?:diese|der inhalt dieser) (?:e-?mail|nachricht|mail)\b.{0,200}\b(?:vertraulich|bestimmt|rechtlich|vorgesehen)|"
    r"(?:vertraulichkeits|datenschutz|haftungs)\w*|disclaimer|rechtlicher hinweis|wichtiger hinweis|impressum\b|"
    r"wenn sie nicht der (?:richtige|beabsichtigte)|bitte denken sie an die umwelt|denken sie an die umwelt|"
    r"(?:geschaftsfuhrer|sitz der gesellschaft|amtsgericht|handelsregister|ust-?id|registergericht|hrb)\b|zum abmelden"
)
SEE_BELOW = r"unten|weiter unten|im text|inline|s\. ?u"
MONTHS = (
    "januar janner jan", "februar feber feb", "marz mrz maerz", "april apr", "mai", "juni jun", "juli jul", "august "
    "aug",
    "september sept sep", "oktober okt", "november nov", "dezember dez",
)  # fmt: skip
WEEKDAYS = (
    "montag mo", "dienstag di", "mittwoch mi", "donnerstag do", "freitag fr", "samstag sonnabend sa", "sonntag so",
)  # fmt: skip
TOMORROW = "morgen"
NEXT_WEEK = "nachste woche|kommende woche|nachster woche|kommender woche"
ENDS_BEFORE = (
    r"bis(?: zum| einschliesslich| einschl| inkl| inklusive)?|(?:wieder|erst|zuruck)(?: wieder)? (?:ab|am|da am|"
    r"zuruck am|erreichbar ab)|"
    r"ab(?: dem)?|zuruck(?: ab| am)?|wieder (?:da|erreichbar|im buro|im haus)(?: ab| am)?"
)
ENDS_AFTER = r"(?:wieder|zuruck)\b"
