"""Dutch phrases by what they say, in the notation of phrases.py, over folded words; of the Netherlands and of Flanders.

Verbs stand at the end or are split ("haal mij van de lijst", "schrijf me uit"), so phrases have gaps where English has
none. cues.py says in which order the kinds are tried and what each weighs.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    "het een en ik je jij jullie u uw wij we ons onze mijn mij niet geen dat dit deze die van voor met naar bij aan "
    "op om "
    "te is zijn was heb hebben heeft ben bent kan kunnen kunt wil willen zou graag bedankt dank maar ook nog wel al "
    "dan als "
    "wat wie waar hoe er nu zo meer gelieve aub groet groeten beste hoi dag"
)
CLASSES = {
    "not": "niet|geen|nooit|niks|niets|nimmer|zonder|noch|nauwelijks|amper|geenszins",
    "me": "mij|me|ons|onze|mijn|dit adres|deze mailbox|ons adres|mijn adres",
    "mail": (
        "mails?|e ?mails?|mailtjes?|berichten|bericht|berichtjes?|reclame|spam|nieuwsbrie*|aanbiedingen|post|"
        "commerciele (berichten|mails|mailings)|mailings?|verkoopmails|verkooppraatjes|contact"
    ),
    "list": (
        "lijst*|mailing ?list*|mailinglijst*|verzendlijst*|adresbestand*|bestand*|database*|databank*|systeem|crm|"
        "nieuwsbrief|"
        "adressenlijst*|maillijst*|contactenlijst*"
    ),
    "thing": (
        "prij*|prijs*|tarie*|offerte*|voorstel*|info|informatie|details|demo*|presentatie*|brochure*|folder*|"
        "documentatie|"
        "voorbeeld*|video*|filmpje*|link*|proefaccount*|proefversie*|testaccount*|toegang|referenties|cases?|"
        "overzicht*|"
        "factsheet|deck|kosten*|kostenplaatje|uitnodiging*|teams ?uitnodiging|datums|data|tijden|tijdstip*|agenda|"
        "voorwaarden|pakket*|catalogus|datasheet|productblad|whitepaper"
    ),
    "send": (
        "stuur*|sturen|zend*|mail*|doorsturen|bezorg*|opsturen|toesturen|toezenden|overmaken|geef|geven|deel|delen|"
        "laat|"
        "schiet|doorgeven|noem*|toon|tonen|maak|maken|doormailen|doorzenden|aanleveren"
    ),
    "meet": (
        "bel*|spre*|praten|afspre*|overleg*|kennismak*|langskomen|langs te komen|kijken|bekijken|bespreken|meeting|"
        "gesprek*|"
        "afspraak*|call|belletje|teams|zoom|videocall|koffie|zien|demo|inplannen|plannen|bellen|uitproberen|proberen|"
        "testen"
    ),
    "day": (
        "maandag*|dinsdag*|woensdag*|donderdag*|vrijdag*|zaterdag|zondag|morgen|vandaag|overmorgen|volgende week|"
        "komende week|"
        r"deze week|ochtend|middag|namiddag|voormiddag|week \d+|\d\d? uur|\d\d? \d\d"
    ),
    "dept": (
        "collega*|inkoop*|aankoop*|afdeling*|marketing|sales|directie|directeur*|manager*|baas|zaakvoerder*|"
        "verantwoordelijke*|"
        "mevrouw|meneer|heer|de heer|facilitair|it|ict|hr|boekhoud*|administratie|secretariaat|opvolger*|mailaddress|"
        "hoofdkantoor|"
        "dienst|beheerder|planner|personeelszaken|communicatie"
    ),
    "later": (
        "later|volgend jaar|komend jaar|nieuwe jaar|na de (zomer|vakantie|jaarwisseling|feestdagen)|volgend kwartaal|"
        "q[1-4]|"
        r"20\d\d|over (een paar|enkele|een|twee|drie|zes|\d+) (maand*|jaar|jaartje*|weken|kwartal*)|in het (voorjaar|"
        r"najaar)|"
        "te zijner tijd|ooit|op termijn|eind van het jaar|begin volgend jaar"
    ),
}

NOT_A_REQUEST = r"""
    (aarzel|twijfel) niet
    aarzelt u (vooral)? niet
    (geen|gene) (probleem|punt|zorgen|stress|haast|dank|nood|paniek)
    (niets|niks) te danken
    (als|indien|mocht) (u|je|jij|jullie) … (geen|interesse|interesseert|afmelden|uitschrijven)*
    (bedankt|dank) voor (uw|je|jullie) interesse
    (geen)? interesse (meer)? in onze nieuwsbrief …
    (kan|kun|kunnen|kunt) (het|de|u|je|jullie)? (systeem|tool|software|applicatie)? … (verwijderen|wissen|
        afmelden) (in|met|via)
    (avg|gdpr) (proof|conform|compliant|gecertificeerd)
    (spam|ongewenste) (box|map|folder|filter|mail)? (terecht|beland)
    (in|uit) (de|mijn)? spam (terecht|beland)*
    (uit|van) (de|mijn|onze) (agenda|afspraak|uitnodiging|groep|vergadering|cc)
    daar ligt het niet aan
    (met)? (vriendelijke|hartelijke|beste) (groet*)
"""
DOUBLE_NEGATION = """
    (niet|zeker niet|helemaal niet|bepaald niet|lang niet) (slecht|verkeerd|gek|oninteressant|ongeinteresseerd|
        onaardig|afwijzend|
        onaantrekkelijk|verkeerde)
    waarom (ook)? niet
    (kan|zou) (geen|nooit) kwaad (kunnen)?
    (geen|niks|niets) (bezwaar|op tegen|tegen)
    (zeg|zeggen) (ik|wij|we)? (ook)? (geen|niet) nee
    daar zeg ik geen nee tegen
    baat het niet
"""
INVITED = r"""
    (bel|belt|bel me|bel mij|mail|mail me) … (op|gerust|maar|eerst|even|me|mij|naar phonenumber)
    (zet|neem|voeg) … (cc|kopie|toe|erbij)
    (collega|collegas) … (cc|erbij|aanschuiven|sluit aan|meekijken)
    (ge|je|u|jullie) (moogt|mag|mogen|mogt) … (langskomen|langs komen|bellen|binnenspringen|contacteren)
"""
LEFT = r"""
    (niet meer|niet langer) … (werkzaam|in dienst|werkt|werk|bij ons|actief|hier|verbonden)
    (werkt|werk|werkte) … niet (meer|langer) …
    (heeft|hebben|heb) … (bedrijf|organisatie|firma|ons|onze school|dienst) … verlaten
    (uit dienst|met pensioen|op pensioen|gepensioneerd|overleden|ontslag genomen|vertrokken bij)
    (sinds|per|vanaf) … (andere|nieuwe) (baan|functie|werkgever|job|uitdaging)
    (van (functie|baan|job|afdeling) veranderd|naar (een)? (andere|nieuwe) (afdeling|functie))
    (verhuisd|overgestapt|gegaan) naar (hr|een andere|de afdeling|het team)
    (dit)? (mailadres|e ?mailadres|adres|postvak|mailbox) … (niet meer|niet langer) (gebruikt|gelezen|actief|
        in gebruik|beheerd)
"""
ABSENT = r"""
    (afwezig|afwezigheid|niet aanwezig|niet op kantoor|buiten kantoor|niet bereikbaar)
    (op|met) (vakantie|verlof|reis|zakenreis|dienstreis|skivakantie|huwelijksreis)
    (vakantie|verlof|zwangerschapsverlof|ouderschapsverlof|ziekteverlof|bevallingsverlof|kerstvakantie|zomervakantie|
        bouwverlof)
    (ben|zijn|is) … (vrij|afwezig|weg|ziek|met verlof|op reis|terug op|terug vanaf|weer terug|er weer)
    (ben|zijn) … (weer|terug) (op|vanaf|aanwezig|bereikbaar|te bereiken|op kantoor)
    (weer|terug) (op kantoor|aanwezig|bereikbaar|aan het werk)
    (kantoor|winkel|bedrijf|praktijk|school|wij zijn) … (gesloten|dicht)
    (automatisch|automatische) (antwoord|bericht|reactie|beantwoording)
    (mail*|e ?mail*|bericht*) … (niet|pas|beperkt) … (gelezen|doorgestuurd|beantwoord)
    (beperkt|geen) (toegang|bereik|bereikbaar) …
    (voor|bij|in) (dringende|spoedeisende|urgente|spoed) …
    (tijdens|in) mijn (afwezigheid|verlof|vakantie)
    (neemt|nemen) … (waar|over) … (tijdens|zolang)*
    (op)? (woensdag|vrijdag|maandag|dinsdag|donderdag) … werk ik niet
    werk ik niet
    eerstvolgende werkdag
    ziek(gemeld)*
    (ben|zijn) … er (even|nu)? niet
    (werk|werken) … niet (op|tot|in|deze|vandaag)
    (ben|zijn|zit) … (op|met|in) … (vakantie|verlof|buitenland|ziekenhuis)
    wegens (ziekte|verlof|vakantie|feestdag*|omstandigheden|familieomstandigheden|overlijden)
"""
AWAY = """
    (onderweg|op de baan|op beurs|op een beurs|in het buitenland|in vergadering|in meeting)
"""
REMOVAL = r"""
    (uitschrijven|afmelden|uit te schrijven|af te melden|uitgeschreven|afgemeld|uitschrijving|afmelding|unsubscribe)
    (schrijf|meld) (mij|me|ons)? … (uit|af)
    (verwijder*|wis*|schrap*|haal*|gooi*|neem|halen|nemen|schrappen|verwijderen|wissen) … (<me>|<list>|gegevens|adres*|
        mailaddress|e ?mailadres)
    (<me>|gegevens|adres|mailadres|e ?mailadres|persoonsgegevens|contactgegevens) … (verwijder*|wis*|schrap*|
        te schrappen|
        te verwijderen|te wissen|halen|uithalen|verwijderd|gewist|geschrapt)
    (van|uit) … <list> … (halen|verwijderen|schrappen|af|gehaald|wissen|haalt)
    <not> (meer|langer|nog) … (mailen|<mail>|benaderen|contacteren|schrijven|bellen|lastigvallen|lastig vallen|contact|
        sturen|ontvangen|te mailen|
        te ontvangen|te benaderen|benaderd)
    (mail|mailt|schrijf|stuur|contacteer|bel|benader|spam) (mij|me|ons)? … (niet|nooit|niks|niets|geen) … (meer|langer|
        <mail>)
    (wil|willen|wens|wensen|hoef|hoeven) … (geen|niet|niets|niks) … (<mail>|ontvangen|benaderd|gemaild|gecontacteerd)
    (geen|nooit) (meer|verdere) (<mail>|contact)
    (laat|laten|laat u) (mij|me|ons) (aub|alsjeblieft|gewoon|eens|nu)? … (met rust|gerust)
    (hou|houd|houdt|stop|stopt) (op|ermee|hiermee|daarmee|nu|met (mailen|mij|me|ons|deze|dit|sturen|spammen))
    (artikel|art) (17|21|15) …
    (avg|gdpr|privacy*) … (klacht|verzoek|wissen|verwijder*|inzage|autoriteit|overtreding|bezwaar)
    (klacht|bezwaar) … (avg|gdpr|privacy*|acm|autoriteit|telecommunicatiewet|gegevensbeschermingsautoriteit)
    (maak|teken|dien) … (bezwaar|klacht)
    (toestemming|opt in) … (intrek*|nooit gegeven|niet gegeven)
    (intrek*|trek) … toestemming
    ^ (gelieve|graag|aub|svp)? (stop|stoppen|afmelden|uitschrijven|verwijderen|schrappen|unsubscribe|weg ermee|
        wissen) (aub|svp|graag|nu|alstublieft|
        alsjeblieft|mij|maar)? $
    (ongevraagde|ongewenste|illegale) (mail*|e ?mail*|reclame|commerciele)
    (blokkeer|blacklist|zwarte lijst) …
    (stopt|stop) (u|je)? met (mij|mailen|dit|deze)
    geen <mail> (meer|meer aub)
    <not> dat (u|je|jullie) … (mailt|schrijft|belt|contacteert|stuurt|mailen|sturen|bellen)
    (ontvang|ontvangen|krijg|krijgen|lees|zie) … (niet|geen|liever niet) (meer|langer)
    (ophouden|stoppen|kappen|houden) … (met|ermee|hiermee|mee) …
    (direct|onmiddellijk|meteen|graag|gelieve|onverwijld) … (verwijderen|wissen|schrappen|verwijderd|gewist)
    niet meer (doen|doen aub|aub)
    (recht op|verzoek om|verzoek tot) (verwijdering|vergetelheid|wissing|uitschrijving)
    (mails|berichten|mailtjes|reclame) … niet op prijs
    (mag|mogen|kan|kunnen|kunt|wil|wilt|zou|zouden) … (eraf|er af|eruit|er uit|van de lijst af|van deze lijst)
    niet (gediend|gevraagd|gewenst) … (<mail>|dit|hier)
    (dit adres|deze mailbox|mijn adres) … niet … (gebruiken|bedoeld|bestemd)
"""
ANNOYED = r"""
    (irritant|vervelend|spam|spammer|opdringerig|brutaal|schaamteloos|zoveelste|derde keer|vierde keer|vijfde keer|
        alweer|
        hoe vaak|hoe dikwijls|beu|genoeg van)
"""
ELSEWHERE = r"""
    <not> (de|het)? (juiste|goede|correcte|bevoegde) (persoon|contact*|afdeling|adres|contactpersoon|aanspreekpunt|
        dienst)
    verkeerde* (persoon|contact*|afdeling|adres|dienst|nummer|loket)
    (daar|hier|hierover) … (ga|gaan|beslis) (ik|wij|we) niet over
    (daar|hier) ga ik niet over
    (ga|gaat|gaan) … niet over
    <not> … (verantwoordelijk|bevoegd) (voor)*
    (richten|wenden|richt) … (tot|aan|naar) …
    (probeer|vraag|mail|contacteer|contacteert|neem contact op met|bel) … (<dept>) … (eens|even|rechtstreeks|daarvoor|
        hiervoor|mailaddress)
    (moet|moeten|moest) … (bij|aan) … (<dept>) … (zijn|richten|vragen)
    (moet|moeten) (je|ge|u|jullie) (bij|aan) … zijn
    (lopen|loopt|verloopt) … via (de|het|onze|ons) … (niet via mij)*
    niet (via|bij|aan) mij
    (is|ben) (niks|niets|niet) (meer)? voor mij
    (gaat|beslist|doet) … (<dept>) … (over|hierover)
    (niet|geen) mijn (afdeling|domein|taak|verantwoordelijkheid|winkel)
    (terecht|contact opnemen|wenden|zich wenden|contacteren) … (bij|met|tot) … (mailaddress|<dept>)
    (u|je|ge) (kunt|kan|moet) … (terecht|wenden|contacteren|beter|mailen naar) …
    (beter|best) … (contact|bij|met|contacteren) …
    (ik|wij) … niet de (juiste|persoon|beslisser|aangewezen) …
    (mijn|onze) (collega|opvolger|baas|directeur|chef) … (is|gaat|doet|beslist|neemt|behandelt) …
    (beslissing*|beslist|beslissen|keuzes) … (niet)? (bij|door) (mij|ons|het hoofdkantoor|de directie|<dept>)
"""
REFERRED = r"""
    (doorgestuurd|doorgezet|doorgegeven) (naar|aan) … <dept>
"""
PASSED_ON = r"""
    (bekijk|bekijken|kijk|lees|neem) (ik|het|er|we|wij)? … (even|eens|later|door|naar|mee)* (naar|door)
    (intern|onderling) … (doorgezet|besproken|bespreken|overleggen|overleg|doorgestuurd|afstemmen|bekijken|bekeken)
    (doorgestuurd|doorgezet|stuur het door|stuur ik door|geef het door)
    (laat|laten) het … (bezinken|weten|rusten)
    (denk|denken) … (over na|even na)
    (kom|komen) … op terug
    (laat|laten) (iets|wat|van ons|het je|het u) … (weten|horen)
    (overleg|bespreek) (ik|het|dit)? … (intern|met)
    (leg|leggen|neem|nemen) … (voor|mee) (aan|naar|in) …
    (we|wij|ik) (bekijken|bekijk|overwegen) (het|dit|de)?
"""
DECLINED = r"""
    (geen|nul) (interesse|intresse|behoefte|nood|belangstelling|aanleiding|noodzaak|plannen|toegevoegde waarde|
        meerwaarde|boodschap)
    <not> (echt|meer|verder|direct)? (geinteresseerd|nodig|interessant|relevant|aan de orde|van toepassing|passend|
        geschikt|zinvol|weggelegd)
    (niet|niks|niets|geen) (iets)? voor (ons|mij|onze)
    (past|passen) … niet (bij|binnen|voor|in)*
    (nee|neen|neuh|nope) (bedankt|dank|dankje|dankjewel|dank u|merci|hoor|sorry|helaas|danku)
    ^ (nee|neen|nope|nee bedankt|nee dank je|neen dank u|nee dank u|liever niet|helaas niet|bedankt maar nee|
        geen interesse|nee hoor|niet nu) $
    (toch)? (bedankt|dank) maar (nee|neen|nee dank)
    (hebben|heb|werken|gebruiken|zitten|werk) … (al|reeds) … (leverancier|partner|oplossing|systeem|partij|met|bij|
        voorzien|een)
    (al|reeds) … (voorzien|tevreden|een oplossing|een partner|een leverancier)
    (naar|tot) (volle)? tevredenheid …
    (zijn|ben) … tevreden (met|over|van)
    (niet) … (op uw|op jullie|op je|op dit|op het) (aanbod|voorstel|uitnodiging) … (in|ingaan)
    niet op (in|ingaan|in te gaan)
    (ga|gaan|gaat) (ik|wij|we|er)? … niet op in
    (zien|zie) (wij|we|ik)? … (geen|niet) …
    (hoeft|hoeven|hoef) … (niet|geen|niks)
    (bouwen|maken|ontwikkelen|doen) … (zelf|alles zelf|intern)
    (te (duur|groot|klein|prijzig|amerikaans)|overdreven|overbodig|weinig zinvol|zonde van (uw|je) tijd)
    (hier|daar) laat ik het bij
    (niet ons ding|niet mijn ding|onze koffie niet)
    (slaan|sla) … over
    (zien|zie) (ervan|er van) af
    (wij|we|dat) (passen|bedanken|past) $
    (succes|veel succes) (verder|ermee|nog|met)*
    (bedanken|bedank) (voor de eer|vriendelijk)
    gebonden aan …
    (gaan|ga|gaat|doen) … niet (mee)? (verder|door|mee)
    (geen|niet echt een|niet direct een) (optie|match|must|topper|thema|onderwerp|item)
    (redden|redt|behelpen|trekken) (ons|het|we) …
    (kiezen|kies|gekozen|besloten|beslist) … (niet|voor een ander*|anders|geen)
    (zijn|ben|we zijn|al) (reeds|al|goed|hierin|daarin|inmiddels)? voorzien
    (net|onlangs|pas|recent|zojuist|vorige maand|vorig jaar|inmiddels) … (aangeschaft|gekozen|aangekocht|getekend|
        overgestapt|gestart|verlengd|ingevoerd|afgesloten)
    (kan|kunnen) … (niet|niks|niets) … (gebruiken|mee|mee doen)
    (doen|doe) … geen (zaken|aankopen)
    (zitten|zit) … (niet)? op (te)? wachten
    geen (gebruik|gebruik van) … (maken|maak)
    (laten|laat) … (passeren|voorbijgaan|aan ons voorbij*)
    (vriendelijk|beleefd) … (bedanken|afslaan)
    (wij|we|ik) … (hoeven|hoef|moeten) … (niet|geen|niks)
"""
NO_ROOM = r"""
    (geen|onvoldoende|te weinig) (budget|tijd|geld|prioriteit|capaciteit|middelen|ruimte|mankracht)
    (momenteel|op dit moment|nu|voorlopig|dit jaar|thans|vooralsnog) … (niet|geen|niets|niks) …
    (niet|geen) (het|de)? (juiste|goede|geschikte) (moment|tijd|timing)
    (misschien|wellicht|eventueel) … <later>
    (probeer|kom|neem|mail|bel|vraag) … <later>
    <later> … (nog eens|opnieuw|weer|terug)
    (budget|begroting) … (op|besteed|vastgelegd|bevroren)
"""
HESITANT = """
    (helaas|jammer genoeg|spijtig|twijfel|niet zeker|liever niet)
"""
WANTS = r"""
    (kan|kun|kunt|kunnen|zou|graag|gaarne|mag|wil|wilt) … <thing> … (<send>|krijgen|ontvangen|bezorgen|hebben|zien)
    (kan|kun|kunt|kunnen|zou|wil|wilt) … (<send>) … <thing>
    (stuur|mail|bezorg|geef|laat|zend|schiet) (mij|me|ons|die|de|het|maar|gerust|jij|gewoon|een)? … <thing>
    <thing> … (graag|aub|alstublieft|sturen|bezorgen|doorsturen|toesturen|mailen|door)
    (graag|gaarne) (meer|verdere|wat|eerst)? … (<thing>|<meet>)
    (aarzel niet) (om)? … <thing>
    (stuur|mail|zend|schiet|kom) (het|ze|die|maar|gerust)* (maar|gerust|door|op)
    (wat|hoeveel) (kost|kosten|is de prijs|zijn de kosten|vragen|bedraagt|zou) …
    (prijs*|tarie*|kosten*) … (per|voor|van|liggen|weten|opvragen)
    (spreekt|spreken) (ons|mij|me) … aan
    (op prijs|zeer op prijs) …
    (kunnen|kan|zullen|laten|zal|wil|willen|wilt|mogen|mag|zou|zouden|moeten) (we|wij|ik|u|je|jij|jullie|iets|
        eens)? … <meet>
    (<day>) … (kan|past|schikt|lukt|uitkomt|goed|half uur*|ben|vrij|tijd|mogelijk|prima|ok)
    (kan|past|schikt|lukt|komt) … (<day>|uur)
    (wanneer|welke dag*|hoe laat) … (kan|kun|kunnen|kunt|schik*|past|bellen|tijd|uit)
    (bel|bellen|belt) (maar|me|mij|gerust|even|eens|wel)* (maar|gerust|even|op|me|eens)
    (heb|hebben|is|wel|zeker|veel|ja) … (interesse|belangstelling)
    (ben|zijn|zeker|zeer|wel|erg|best) (wij|we|ik)? (zeker|zeer|wel|erg|best|heel)? (geinteresseerd|benieuwd|
        nieuwsgierig)
    ^ (ja|jazeker|zeker|graag|ja graag|heel graag|prima|goed|ok graag|natuurlijk|doe maar|ja hoor|interesse|
        geinteresseerd|interessant|ja leuk|
        akkoord|welja|jawel|waarom niet) (hoor|bedankt|alvast|aub|dank)? $
    (meer|verder) (weten|info|informatie|horen|details|lezen|zien)
    (precies|exact|net) (dit|wat|waar|dat) (wij|we|ik|zoeken|nodig)*
    (lopen|loop) … (tegen (dit|dat) probleem|tegenaan)
    (zoeken|zoek) … (precies|net|zoiets|een oplossing|naar (een|zoiets|dit))
    (afspraak|demo|gesprek|call|kennismaking) … (maken|inplannen|plannen|vastleggen|regelen|prikken|boeken)
    (plan|plannen|prik|prikken|boek) (maar|we|wij|gerust|een)? … (<meet>|<day>|in)
    (komt|kwam) … (goed|perfect|juiste) (moment|timing)
    (speel|spelen|testen|proberen|uitproberen) … (zelf|eens|mee|graag)
    (zelf)? … mee kan spelen
    (voorstel|offerte|prijsopgave|berekening|aanbod) … (doen|maken|opmaken|uitwerken)
    (lijkt|lijken) (me|mij|ons|dat)? … (wel wat|wel iets|een goed idee|prima|interessant genoeg)
    (sta|staan|stond|stonden) … open
    (vertel|vertelt|licht) … (meer|toe)
    (heeft|heb|hebben|is|zijn|hebt|bestaat) (u|je|jullie|er|dit)? … (prijs*|tarie*|proef*|demo*|brochure*|folder*|
        documentatie|filmpje|voorbeelden)
    (kom|komt) … (langs|eens langs|gerust langs|binnen)
    (laat|laten) … (zien|horen wanneer)
    doe (mij|me|ons) … (<thing>|maar)
    (plan|plannen|prik|zet) … (in|iets in|een moment|vast)
    dan (bel|mail|bekijk|kijk|spreek) (ik|wij|we) …
    (fijn|mooi|handig|prettig|leuk|tof) (zijn|als|om) … (<thing>|<meet>|<send>)
    (overwegen|overweeg|orienteren|kijken|zijn) … (precies zoiets|zoiets|hiernaar|een nieuw*|oriënteren|orienteren)
    (schikt|past|uitkomt) … (u|je|jullie|het) …
    (wil|willen|zou) (ik|we|wij)? (het|dit|dat|hem|er|wel|graag|best)* … (zien|weten|horen|proberen|testen|uitproberen|
        bekijken)
"""
WARM = """
    (klinkt|lijkt|ziet|oogt) (me|mij|ons|er)? … (goed|interessant|leuk|mooi|handig|tof|veelbelovend) (uit)?
    (interessant|leuk|tof|mooi aanbod|handig|boeiend|veelbelovend)
    (graag|benieuwd|nieuwsgierig)
"""
LEANS = """
    (misschien|wellicht|eventueel|mogelijk)
"""
ASKS = r"""
    (wie|wat|waar|hoe|waarom|welke|sinds wanneer|vanwaar) (bent|ben|is|zijn|doet|doen|staan|staat|werkt|werken|kosten|
        komt|komen|heeft|haal|haalt|wordt|
        worden|draait) …
    (is|zijn|bestaat|bestaan|werkt|draait|kan|kunnen|heeft|hebben|ondersteunt|biedt|gebruiken) (er|dit|dat|het|jullie|
        u|je) …
    (vraag|vragen|vraagje) (over|hierover|nog|vooraf)
"""
ACKNOWLEDGED = """
    (bedankt|dank|dankjewel|dank je wel|dank u|thanks|merci|ontvangen|ok|oke|genoteerd|begrepen|duidelijk|hoi|hallo)
"""
RECEIPT = r"""
    (bericht|mail|e ?mail|vraag|verzoek|aanvraag|melding) … (ontvangen|geregistreerd|binnengekomen|in behandeling|
        goede orde)
    (ticket*|meldingsnummer|zaaknummer|referentienummer|ontvangstbevestiging|dossiernummer) …
    (binnen|zo snel mogelijk|zo spoedig mogelijk) … (werkdag*|reactie|contact|antwoord|beantwoord*|uur)
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
NEGATED_AFTER = re.compile(r" (?:\w+ ){0,2}(?:niet|geenszins)\b(?! (?:alleen|slecht|waar|verkeerd))")
CONCEDED_BEFORE = re.compile(r"\b(?:hoewel|ook al|al is het|ofschoon)\b")
CAPABILITY = re.compile(
    r"^(?:en |maar )?(?:kan|kunnen|is|zijn|hoe|wie|wat|welke|waar|of|heeft|hebben|werkt|draait|bestaat|biedt|"
    r"ondersteunt)\b"
    r"(?!.*\b(?:ik|mij|me|ons|wij|we|mijn|onze)\b)"
)
# "stuur maar", "laat maar zien": only before these words is it "but".
_BUT = (
    "maar(?= (?:ik|wij|we|het|dat|dit|er|nu|u|je|jullie|helaas|niet|geen|toch|op dit|momenteel|kan|misschien|"
    "wellicht|voor|onze|"
    r"ons|wel|nee|neen|daar|eerst|hebben|heb|zijn|ben|dank|de|alleen|zou|in)\b)"
)
TURNS = _BUT + "|echter|helaas|toch|desondanks|niettemin|evenwel|alleen is"
GREETINGS = "hoi|hallo|hey|dag|beste|geachte|goedemorgen|goedemiddag|goeiemiddag|goedendag|goeiedag|goedenavond"
AUTOMATIC_SUBJECTS = (
    r"automatisch antwoord|automatische reactie|afwezig\w*|kantoor gesloten|niet aanwezig|"
    "out of office|met verlof|op vakantie"
)
OPT_OUT_SUBJECTS = "(?:graag )?(?:uitschrijven|afmelden|afmelding|uitschrijving|verwijderen)"
SIGN_OFFS = (
    r"(?:met )?(?:vriendelijke?|hartelijke?|beste|warme|sportieve)? ?(?:groet|groeten|groetjes)(?: (?:uit|van) \w+)?|"
    r"mvg|gr|grtz|groetjes|"
    r"hoogachtend|bedankt|alvast bedankt|dank|fijne dag|prettige dag|tot snel|tot dan|best|namens \w.{0,40}"
)
AFTERTHOUGHTS = r"p\.? ?s\b|ps\b|graag|gelieve|ook |overigens|trouwens|en |verwijder|schrap|haal|geen "
DEVICES = (
    r"(?:verstuurd|verzonden|gestuurd) (?:vanaf|vanuit|met|via|van) .{0,60}\Z|download outlook|outlook voor (?:ios|"
    r"android).{0,40}\Z"
)
DISCLAIMERS = (
    r"(?:dit|de informatie in dit|de inhoud van dit) (?:e-?mail)?(?:bericht)?\b.{0,200}\b(?:vertrouwelijk|bestemd|"
    r"uitsluitend)|disclaimer|"
    r"(?:indien|als) u (?:niet de|dit bericht)|denk aan het milieu|aan dit bericht kunnen|afmelden voor|geen "
    r"interesse meer in"
)
SEE_BELOW = "hieronder|onderaan|inline|in het rood"
MONTHS = (
    "januari jan", "februari feb", "maart mrt", "april apr", "mei", "juni jun", "juli jul", "augustus aug",
    "september sept sep", "oktober okt", "november nov", "december dec",
)  # fmt: skip
WEEKDAYS = (
    "maandag ma", "dinsdag di", "woensdag wo", "donderdag do", "vrijdag vr", "zaterdag za", "zondag zo",
)  # fmt: skip
TOMORROW = "morgen"
NEXT_WEEK = "volgende week|komende week"
ENDS_BEFORE = (
    r"tot en met|t/m|tem|tot|t\.?e\.?m\.?|(?:weer|terug)(?: weer| terug)?(?: op| vanaf| aanwezig vanaf| bereikbaar "
    r"vanaf)?|vanaf|"
    r"(?:ben|zijn)(?: ik| wij| we)?(?: de| op)?"
)
ENDS_AFTER = r"(?:weer|terug)\b"
