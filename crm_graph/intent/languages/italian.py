"""Italian phrases by what they say, in the notation of phrases.py, over folded words.

Apostrophes close up ("l'offerta" is lofferta). cues.py says in which order the kinds are tried and what each weighs.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    "il lo la i gli le un uno una di del della dei delle da dal con per in nel nella su sul e ed o ma non che chi come "
    "mi ci vi si sono siamo sia ho abbiamo avete ha questo questa vostro vostra nostro nostra mio mia loro "
    "grazie buongiorno salve saluti cordiali al alla ai alle anche piu gia"
)
CLASSES = {
    "not": "non|mai|nessun|nessuno|nessuna|niente|nulla|nemmeno|neanche|senza",
    "me": "mi|me|ci|noi|mio|mia|miei|nostro|nostra|nostri|questo indirizzo|il nominativo|questa casella",
    "mail": (
        "mail|e ?mail|email|messagg*|comunicazion*|newsletter|pubblicita|spam|promozion*|sollecit*|offerte|proposte|"
        "posta|invii|mailing"
    ),
    "list": (
        "lista|liste|list|elenc*|database|archivi*|anagrafic*|mailing ?list|rubrica|banca dati|banche dati|crm|"
        "sistem*|indirizzari*|contatti"
    ),
    "thing": (
        "prezz*|listin*|preventiv*|offert*|lofferta|propost*|info|informazion*|dettagl*|documentazion*|brochure|"
        "present*|demo|dimostrazion*|esemp*|video|link|access*|referenz*|cas* studio|scheda|schede|catalog*|costi|"
        "costo|quotazion*|materiale|pdf|deck|tariff*|invito|calendario|disponibilita|prova|condizioni|opuscolo|"
        "approfondiment*|tempistiche|numeri"
    ),
    "send": (
        "mand*|invi*|spedi*|gir*|inoltr*|condivid*|pass*|allegh*|forni*|trasmett*|fate avere|faccia avere|fammi avere|"
        "farmi avere|farci avere|fatemi avere|ricevere|dare|dia|dammi|mostr*"
    ),
    "meet": (
        "chiam*|sent*|parl*|incontr*|veder*|vediamo|call|telefon*|appuntament*|riunion*|videocall|videochiamata|demo|"
        "dimostrazione|caffe|teams|zoom|meet|confront*|approfondi*|fiss*|richiam*|provar*|provare|conoscer*|discuter*|"
        "due chiacchiere|chiacchierata|presentar*|visita|organizz*"
    ),
    "day": (
        "lunedi|martedi|mercoledi|giovedi|venerdi|domani|dopodomani|oggi|settimana prossima|prossima settimana|"
        r"questa settimana|mattina*|pomeriggio|in giornata|alle \d\d?|dopo le \d\d?|ore \d\d?|\d\d? \d\d|il \d\d?"
    ),
    "dept": (
        "colleg*|ufficio|reparto|direzione|direttor*|responsabil*|marketing|acquisti|commercial*|amministra*|it|ict|"
        "risorse umane|hr|segreteria|titolar*|capo|dottor*|dott|dottssa|ing|sig|signor*|sede|casa madre|mailaddress|"
        "socio|referente|area|sistemi informativi|ced"
    ),
    "later": (
        r"piu avanti|piu in la|in futuro|anno prossimo|prossimo anno|nuovo anno|dopo (lestate|le ferie|le feste|"
        r"agosto|pasqua|natale)|20\d\d|tra (qualche|un|due|tre|sei|\d+) (mes*|anni|anno|settimane)|trimestre|"
        "q[1-4]|a settembre|a gennaio|in autunno|in primavera|prossimo trimestre|semestre|prima o poi"
    ),
}

NOT_A_REQUEST = r"""
    (togl*|tolg*|lev*) … (curiosita|dubbio|dubbi|sfizio|pensiero)
    (cancell*|disdi*|spost*|annull*) … (appuntamento|riunione|call|incontro)
    (nessun|non ce|nessuna) (problema|fretta|stress|disturbo|preoccupazione)
    (di nulla|di niente|non si preoccupi|non ti preoccupare)
    (se|qualora) … (non|piu) … (interess*|desider*|ricever*|cancell*|disiscri*)
    (conforme|conformita|a norma|rispetta|adeguat*) … gdpr
    (nello|in|nella|tra gli|tra lo) (spam|posta indesiderata)
    (cancell*|elimin*|rimuov*) … (nel|con il|dal vostro|col vostro) (software|gestionale|programma|sistema|tool)
    (non|mai) (vi|ti|la) (dimentic*|perd* di vista)
    non (solo|soltanto)
"""
DOUBLE_NEGATION = """
    non esit* (a)? (invi*|mand*|chiam*|telefon*|spedir*|proporr*|fissare)
    (perche no|perche non sentirci|perche non vederci)
    (niente|mica|non e|non) (affatto)? (male|stupid*|assurd*)
    non (dico|direi|diciamo|mi dispiacerebbe|ci dispiacerebbe|sono contrari*|siamo contrari*|
        abbiamo nulla in contrario|mi tiro indietro)
    nulla in contrario
    (non nascondo|nascondo) … (interess*|curios*)
"""
INVITED = r"""
    (blocco|blocchiamo|riservo|segno|tengo) … (agenda|<day>|calendario|slot|ora)
    (mi|ci) (chiami|chiamate|contatti|contattate|richiami|telefoni|scriva|raggiunga) …
    (chiamami|chiamatemi|contattatemi|chiamateci|contattateci|chiamaci|sentiamoci|scrivimi|contattami|scriveteci) …
    (ne)? (parli|parlate|parlane|senta|scriva) (pure)? … (copia|cc)
    (mio|il|al|questo|cell|cellulare|telefono|numero) … phonenumber
    (mett*|aggiung*|inclu*|coinvolg*|mettere) … (copia|cc|conoscenza|<dept>|loop)
    (passi|passate|passa|venite|vieni|venga) … (trov*|ufficio|sede|azienda|negozio|officina)
"""
LEFT = r"""
    non (lavor*|faccio parte|fa parte) piu …
    (non|piu) … (lavora|lavoro|fa parte|faccio parte|opera|collabora) (piu|qui|presso|azienda|in azienda|con noi|per)
    non (fa parte|faccio parte) …
    (ha|ho|hanno) (da poco|ormai)? lasciato …
    (non) … (lavora|lavoro|e|fa|sono) piu …
    (e|sono|andat*) … (in)? pension*
    (pensionat*|deceduto|scomparso|venuto a mancare|dimesso|dimission*|licenziat*)
    (cambiato|cambiata) (lavoro|azienda|ruolo|mansione|ufficio|reparto|societa)
    (nuovo|altro) (incarico|datore di lavoro|impiego|ruolo) …
    (indirizzo|casella|account|utenza|mail) … (non)? … (piu attiv*|piu utilizzat*|piu presidiat*|disattivat*|dismess*|
        piu in uso|piu monitorat*|piu valid*)
    (trasferit*|passat*) (ad|a|in|presso) (altr*|unaltra|nuov*)
    (lo|la|stato|stata|ha) (sostituisce|sostituito|sostituita) …
    (preso il (suo|mio) posto|subentrat*) …
"""
ABSENT = r"""
    (saro|sono|siamo|saremo|essendo) … (assente|assenti|fuori (ufficio|sede|stanza)|in ferie|in vacanza|in trasferta|
        in viaggio|non raggiungibil*|in malattia|in maternita|in congedo|in permesso|irreperibile)
    (assente|assenza|fuori ufficio|fuori sede) (dal|fino|per|dall|da|e|con|in)~
    (ferie|congedo|maternita|malattia|vacanza|chiusura) (dal|fino|estiv*|natalizi*|parentale|matrimoniale|aziendal*|
        colletti*)
    (in|le mie|mie) (ferie|maternita|malattia|congedo|aspettativa)
    (risposta|messaggio) (automatic*|in automatico)
    (rientro|rientrero|ritorno|tornero|torno|rientriamo|rientreremo|torneremo|riprendero|riapr*|riaprira) … (il|
        lunedi|martedi|mercoledi|giovedi|venerdi|in ufficio|operativ*|dal|dopo|a)
    (di ritorno|al mio (rientro|ritorno)|al (rientro|ritorno))
    (uffici*|azienda|studio|negozio|ditta|sede|magazzino|stabilimento|scuola|segreteria) … (chius*|restera chius*|
        resteranno chiusi|rimarr*)
    (durante|per) (la|questo|il)? (mia|periodo|nostra) … (assenza|ferie|chiusura)
    (accesso|connessione|copertura) (limitat*|saltuari*|discontinu*) …
    (accesso|leggero|rispondero|leggere|consultero|controllero|visionero) … (posta|mail|email|messagg*) … (limitat*|
        saltuari*|rientro|possibile|sporadic*)
    (per|in caso di) (urgenz*|emergenz*|comunicazioni urgenti|questioni urgenti|necessita urgent*|cose urgenti) …
    non (avro|ho|potro|sono in grado) … (accesso|leggere|rispondere|posta)
    non (lavoro (il|di|oggi|questo)|sono in ufficio|saro in ufficio|presto servizio|in servizio) …
    (malat*|ricoverat*|ospedale|convalescen*)
"""
AWAY = """
    (in viaggio|in trasferta|in riunione|in fiera|di corsa|allestero|in giro)
"""
REMOVAL = r"""
    (disiscri*|disiscrizione|cancellazione|unsubscribe|cancellarmi|cancellateci|cancellatemi|cancellaci|cancellami|
        rimuovetemi|rimuovermi|eliminatemi|toglietemi|toglierci|toglieteci|rimuoveteci|eliminateci|depennat*|
        depennarmi|toglimi|rimuovimi|disinscri*|eliminarmi|rimuoverci|cancellarci)
    (cancell*|rimuov*|elimin*|togl*|depenn*|espung*|levate|levi|leva|levare|esclud*) … (<me>|<list>|indirizz*|
        nominativ*|dati|contatto|recapit*|mail|email|anagrafica|azienda)
    (<list>|indirizz*|nominativ*|dati|recapit*|contatto) … (cancell*|rimuov*|rimoss*|elimin*|togl*|depenn*|rimozione|
        cancellazione|eliminazione)
    <not> … (piu|ulteriori|altre|altri|oltre) (di|le|vostre|vostri|queste|questo|tipo|genere|nulla|niente|alcuna|
        alcun|email|a)~ (<mail>|contatt*|scriv*|disturb*|invi*|mand*|chiam*|ricever*|
        comunica*|sollecit*|email)
    <not> (mi|ci|vi|ti|piu|mai|dovete|voglio|vogliamo|volere)? (piu|mai|ci|mi|essere|venire)? (contattat*|contattarmi|
        contattarci|scrivetemi|scriveteci|scriverci|scrivermi|disturbat*|disturbare|disturbi|inviatemi|mandatemi|
        mandate|inviate|inviarmi|inviarci|mandarmi|mandarci|importun*|scriva|scrivete|scrivi|contatti|invii|mandi|
        chiami|chiamateci|chiamatemi|chiamare|ricontatt*)
    (chied*|prego|chiesto|pregato|pregherei|intimo|diffid*) … (non|dal|a non) … (contatt*|scriver*|ricever*|inviar*|
        disturb*|mandar*)
    (diffid*) …
    (non|senza) … (desider*|vogl*|gradi*|intend*|voler|interess*|prefer*) … (ricever*|essere (ri)?contattat*|
        esser contattat*|essere disturbat*) …
    (smett*|basta|finitela|finiscila|piantat*|cess*|evit*|astener*) … (di|con|con le|da)? … (<mail>|scriver*|
        riscriver*|ricontatt*|contatt*|mand*|invi*|disturb*|spam*|inond*|tempest*|importun*)
    (basta|stop|smettetela|smettila|finitela|piantatela|fermatevi) (grazie|cosi|mail|email|subito|con)~ $
    ^ (stop|basta|cancellami|cancellatemi|cancellazione|rimuovetemi|disiscrivimi|disiscrivetemi|rimuovere|cancellare|
        disiscrizione|togliermi|no spam|stop grazie) (grazie|subito|per favore|prego)? $
    (annull*|disdi*) … (iscrizione|registrazione|abbonamento)
    (rimuoverlo|toglierlo|cancellarlo|eliminarlo|cancellatelo|rimuovetelo|toglietelo|eliminatelo|cancellala|
        cancellatela)
    (mi|ci) (escluda|escludete|tolga|togliete|rimuova|rimuovete|cancelli|cancellate|elimini|eliminate|depenni|levi|
        leviate)
    (essere|venire) (tolt*|rimoss*|cancellat*|eliminat*|depennat*|esclus*)
    (non) … (usi|usate|usare|usata|usato|utilizz*) … (scopi|fini|commercial*|queste|promozion*)
    (lasci*) … (in pace|stare|perdere noi)
    (articol*|art) (17|21|15|7) …
    (diritto|diritti) (alloblio|di cancellazione|di opposizione|alla cancellazione|ex|di accesso|dell)~ …
    (gdpr|privacy|garante|679|regolamento ue|196) … (segnal*|reclam*|cancell*|elimin*|revoc*|oppon*|consens*|esercit*|
        chied*|diritt*|richie*|viola*|denunc*)
    (segnal*|reclamo|esposto|denunc*|ricors*|rivolger*|diffid*) … (garante|gdpr|privacy|autorita|agcom|legal*|avvocat*)
    (revoc*|mai dato|mai prestato|non ho dato|non ho mai|nego|negato|ritir*|senza) … (consens*|autorizz*)
    (consens*|autorizz*) … (mai|revoc*|ritir*|non) …
    (oppon*|oppong*|opposizione|autorizz*) … (trattament*|alluso|uso|utilizz*|marketing)
    (mail|email|messaggi|comunicazioni|pubblicita) (non (richiest*|desiderat*|sollecitat*|gradit*)|indesiderat*|molest*)
    (vi|la|ti|mittente) (blocco|bloccher*|blocchiamo)
    (blacklist|lista nera|segnalo come spam|nello spam) …
    (registro (pubblico)? (delle)? opposizioni)
    (uscire|uscirne|fuori|esclus*|tirat*) … (dalla|dalle|da) … <list>
    (questo|questa) (indirizzo|casella|mail) … (non) … (comunicazioni commerciali|pubblicita|marketing|promozion*|
        utilizz*)
    (dimentic*) (mi|ci|il mio indirizzo|la mia mail|questo indirizzo|temi|teci)~
"""
ANNOYED = r"""
    (spam*|fastidi*|invadent*|insistent*|ennesim*|quante volte|terza mail|quarta mail|terza volta|scocciat*|stufo|
        stufi|stanco|stufa|rompere|rompete|seccat*|molest*|assill*|gia detto|insopportab*|vergogn*|petulant*)
"""
ELSEWHERE = r"""
    <not> … (la|il|lo)? (person* (giust*|adatt*|corrett*|indicat*)|referente (giust*|adatt*|corrett*)|interlocutor*|
        contatto (giust*|corrett*)|indirizzo giust*|destinatari*|ufficio giust*|persona che)
    (persona|indirizzo|ufficio|contatto|referente|reparto|numero|destinatario|azienda) (sbagliat*|errat*)
    (ha|abbia|avete|abbiate|hai) sbagliato (persona|indirizzo|numero|azienda|destinatario)?
    (nulla|niente) a che (fare|vedere) …
    (sbagliat*|errat*) (persona|indirizzo|ufficio|contatto|referente|numero)
    <not> … (me ne occupo|mi occupo|ci occupiamo|sono io|di mia competenza|mia competenza|mio compito|compete a me|
        mio settore|mio ambito|decido io|seguo io|rientra nelle mie|di mia pertinenza|mia pertinenza)
    non (me ne|ce ne|mi) (occup*)
    (se ne occupa|se ne occupano|si occupa|si occupano|ne decide|decide|decidono|segue|gestisce|gestiscono|
        competenza) … (<dept>|della|del)
    (rivolg*|contatti|contattate|contatta|contattare|scriva|scrivete|scrivi|scrivere|provi|provate|prova|senta|
        sentite|senti|parli|parlate|parlane|parlatene|indirizz*|giri|girate|gira|inoltri|inoltrate) … (a|al|allo|alla|
        alle|con|il|la|direttamente) … (<dept>)
    (deve|dovete|dovrebbe|dovreste|puo|potete|conviene|meglio|bisogna) … (sentire|parlare|contattare|scrivere|
        rivolger*) … (<dept>|con|a|al|alla|il|la)
    (persona|referente|contatto|responsabile) … (e|sarebbe) … (<dept>|mailaddress)
    (il|la|un) (mio|mia|nostro|nostra)? (collega|titolare|successore|direttore|responsabile|socio|capo) … (occupa|
        segue|decide|gestisce|si)
    (per|di) (queste|questo|queste cose|questi temi) … (ce|parli|chieda) …
    (non) (decido|decidiamo|ho voce|ho potere|ho titolo|conto) (nulla|niente|io|nemmeno)~
    (acquisti|decisioni|scelte|fornitori) … (passano|gestit*|prese|centralizz*|vengono) … (da|dalla|dal|dall|a|in|
        sede|casa madre)
"""
REFERRED = r"""
    (girat*|inoltrat*|passat*|trasmess*) (la|il|sua|tua|vostra|al|alla|mail|email)~ … <dept>
"""
PASSED_ON = r"""
    (guardo|leggo|leggero|guardero|vedo|valuto|valutiamo|valuteremo|valutero|esamin*|do unocchiata|daremo unocchiata|
        dar* un ?occhiata|studio|analizz*) …
    (giro|giriamo|inoltro|inoltriamo|girato|inoltrato|passo|passato|trasmetto) … (internamente|chi di dovere|colleg*|
        ufficio|team|direzione|reparto)~
    (ne)? (parlo|parliamo|parlero|parleremo|discuto|discutiamo|confronto|confrontiamo) … (soci*|colleg*|team|intern*|
        capo|titolare|direzione|moglie)
    (faccio|faremo|facciamo|fare) sapere
    (ci|le|ti|vi) (penso|pensiamo|pensero|penseremo|aggiorno|aggiorniamo|ricontatt*|risentiamo|faccio|faremo)
    (eventualmente|nel caso|semmai) … (ricontatt*|risentir*|faremo|contatt*|faremo sapere)
    (teniamo|tengo|tenuto|terremo|terro) … (presente|in considerazione|buona nota)
"""
DECLINED = r"""
    <not> … (interess*|interessat*|necessit*|bisogno|esigenz*|serv*|rilevant*|pertinent*|utile|adatt*|attinent*|
        intenzion*|convien*|fa per|fa al caso|facciamo uso|cercando|di nostro)
    (no|nono) (grazie|non|purtroppo|mi dispiace|per ora|assolutamente)
    (per ora|per adesso|stavolta|noi)? (passo|passiamo) (volentieri|la mano|grazie)? $
    ^ (no|no grazie|non interessato|non interessati|non interessa|non mi interessa|non ci interessa|grazie ma no|
        passo|negativo|no mi dispiace|non fa per noi|grazie no|nessun interesse|no non direi|anche no) (grazie|saluti|
        cordiali saluti|buona giornata)? $
    grazie (ma|pero)? (no|passo|non|siamo|abbiamo|decliniamo|preferiamo)
    (abbiamo|ho|disponiamo|siamo|lavoriamo|utilizziamo|usiamo|ci serviamo|collaboriamo|avendo) … gia … (fornitor*|
        partner|soluzion*|sistem*|copert*|a posto|servit*|organizzat*|agenzia|consulent*|gestionale|software|
        strumento|un|una|con|scelto|contratt*|attrezzat*|seguiti)
    (gia) … (coperti|a posto|serviti|organizzati|attrezzati|forniti|strutturati|soddisfatti|altro fornitore)
    (siamo|sono|e|stiamo) (a posto|coperti|soddisfatt*|content*|bene cosi|apposto)
    (soddisfatt*|content*|trovo bene|troviamo bene) …
    (declin*|rifiut*|rinunci*|passo|passiamo|soprassed*|scart*) (la|il|lofferta|la proposta|volta|cortesemente|
        gentilmente)~
    <not> … ((dare|dar|dato|darvi|darle|darne) seguito|proseguire|andare avanti|procedere|approfondire|aderire|
        accettare|accogliere|prendere in considerazione|adatto|in linea|compatibil*|rientra*|previst*|fattibile)
    (troppo|fuori) (car*|costos*|piccol*|grand*|compless*|budget|portata|mano)
    (facciamo|gestiamo|sviluppiamo|fatto|produciamo|ce la caviamo) … (intern*|in casa|da soli|noi|autonom*)
    (in bocca al lupo|buon lavoro|buona fortuna|buon proseguimento|auguri)
    (abbiamo|ho|e stato) … (scelto|firmato|optato|deciso|rinnovato|appena) … (altr*|concorren*|divers*|rinnovat*|
        firmat*|un|per)
    (preferiamo|preferisco|preferirei) … (di no|restare|rimanere|non|continuare|altro|evitare)
    (perdita|perdere|sprec*) (di)? tempo
    (direi|penso|credo) (proprio)? di no
    (lascio|lasciamo|lascerei) (perdere|stare|correre)
    (niente|nulla) da fare
    (non) (siamo|sono|sembra|siete) … (cliente|target|interlocutor*|azienda) …
    (non) (vedo|vediamo|trovo) … (utilit*|vantagg*|necessit*|motivo|senso|margin*)
    (nessuno|non) … (userebbe|serve|servirebbe)
    ^ (purtroppo|direi|credo di|temo di) no $
    (per|a) (noi|me) no
    (aziend*|attivita|studio|negozio) … (piccol*|chiu*|dismess*|cessat*)
"""
NO_ROOM = r"""
    (non|nessun|senza|poco|manca*|esaurit*|finit*) (ce|abbiamo|ho|il|un)? (piu)? (budget|tempo|fondi|risorse|soldi|
        disponibilita|spazio|capienza|priorita)
    (al momento|per ora|per il momento|adesso|attualmente|in questo momento|questanno|in questa fase|ad oggi) … (non|
        nessun*|niente|no|bloccat*|ferm*) …
    (non|nessun*|niente) … (al momento|per ora|per il momento|adesso|attualmente|in questo momento|questanno|
        in questa fase|ad oggi|subito)
    non (e|sarebbe) … (il)? (momento|periodo) … (giust*|adatt*|ideale|buon*|opportun*)~
    (momento|periodo) … (sbagliat*|difficil*|compless*|pien*|non)
    (risentiamoci|risentirci|ricontatt*|riscriv*|riprov*|ne riparliamo|riparlarne|riparliamone|richiam*|ripass*|
        si faccia vivo|sentiamoci|aggiorniamoci) … <later>
    (magari|forse|eventualmente|semmai) … <later>
    <later> … (magari|forse|vediamo|ne riparliamo|risent*)
    (budget|investiment*|spes*|assunzion*|progett*) … (impegnat*|allocat*|destinat*|assegnat*|bloccat*|congelat*|
        chius*|sospes*|esaurit*|ferm*|finit*)
"""
HESITANT = """
    (purtroppo|dubbi*|scettic*|perpless*|non sono sicur*|spiacent*|mi dispiace|difficilmente)
"""
WANTS = r"""
    (puo|potete|puoi|potrebbe|potreste|potresti|riesce|riuscite|avete|hai|ha) … (\w{3,14}(rmi|rci|rcelo|rmelo))
    (mi|ci) (dia|dica|faccia|spieghi|racconti|illustri|mostri|prenoti|indichi|richiama|chiama|richiami|chiami|mandi|
        invii) …
    (quali|che) (sono|sarebbero) … (tempi|costi|condizioni|prezzi|tariffe|modalita)
    (parlarne|parliamone|parlerei|parleremo|ne parliamo|sentirci|vedersi|vederci) (volentieri|poi|pure|con|in|a|quando)~
    (possiamo|potremmo|posso|potrei) (fare|avere|provare|partire|iniziare|vedere|organizzare) …
    (attendo|aspetto|attendiamo|aspettiamo) (una|la|il|un|vostra|sua|vostre)~ (chiamata|telefonata|risposta|notizie|
        proposta|offerta|contatto|riscontro)
    (tutto|tutti) orecchie
    (ottimo|perfetto|giusto) (tempismo|momento)
    (centrato|colto) (il|nel) (punto|segno|problema)
    (vediamo|vedere|sentiamo|sentire) (cosa|che cosa|come|se|un po|di che) …
    (vorrebbe|vorrebbero|vuole|vogliono) … (demo|vedere|sapere|parteci*|provare|conoscere|incontr*)
    ^ (si|certo|ok|va bene) (purche|a patto|se|ma senza impegno|basta che) …
    (avrei|abbiamo|avremmo|ho) (un paio di|due o tre|qualche|alcune)? (domand*|dubbi) …
    (puo|potete|puoi|potrebbe|potreste|potresti|possiamo|posso|vorrei|vorremmo|gradirei|gradiremmo|desider*|riesce|
        riuscite|riesci|avete|hai|ha|sarebbe possibile|e possibile|attendo|aspetto|attendiamo) … (<send>|avere|
        ricevere|vedere|un|una|il|la|i|vostra|sua)? … <thing>
    (<send>|manda|mandami|mandaci|mandatemi|mandi|mandatelo|inviatemi|inviami|invii|inviateci|mandateci|giratemi|
        girami|fammi|fatemi|ci|mi) (pure|il|la|i|le|mandi|invii|faccia avere|giri|un|una|anche|subito|mandate|inviate|
        qualche)~ … <thing>
    (manda|mandami|mandi|mandate|mandatemi|inviate|inviatemi|invii|giri|procedi|procedete|proceda|scriva|
        scrivi) (pure|tutto|volentieri|subito|anche)~ (tutto|pure|qui|volentieri|a) …
    (quanto|quale|qual|che) … (cost*|prezz*|verrebbe|viene|spesa|budget|investiment*|tariff*|canone|si paga|pagh*)
    (prezz*|cost*|listin*|tariff*) … (a utente|per|al mese|annu*|indicativ*|orientativ*|sono|sarebbe|avete|partire)
    (puo|potrebbe|potrebbero) (si|anche|certo)? interess*
    (mi|ci|sono|siamo|sarei|saremmo|potrebbe|puo|sembra|sarebbe) (molto|davvero|veramente|sicuramente|certo|senzaltro|
        effettivamente|potrebbe)~ (interess*|incuriosi*|far comodo|fa comodo|servirebbe|servire|utile|far gola|
        stuzzic*|attira)
    (come|quando) (si procede|procediamo|possiamo procedere|le andrebbe|vi andrebbe|ti va|preferi*) …
    (interess*) (molto|si|certo|parliamone|sentirci|approfondire|a|all|alla|capire|sapere|vedere|conoscere|ai)
    ^ (si|si grazie|si certo|certo|certamente|volentieri|molto volentieri|interessato|interessati|interessante si|
        daccordo|va bene|va bene grazie|con piacere|si volentieri|perche no|ok volentieri|ok per me|si mi interessa|
        mi interessa|ci interessa|si interessa|senzaltro|assolutamente si|procediamo|affare fatto|ci sto) (grazie|
        saluti|pure|attendo)? $
    (si|certo|volentieri|ok|daccordo|va bene|benissimo|perfetto|piacere) (mi|ci|grazie mand*|sentiamoci|quando|per|
        mand*|invi*|parliamone|chiam*|facciamo|fissiamo|possiamo|con|procedi*|vediamoci|attend*) …
    (possiamo|potremmo|vogliamo|vorrei|vorremmo|facciamo|fissiamo|organizziamo|sarebbe|riusciamo|riesce|volete|avrei|
        disponibil*|troviamo|ci|puo|potrebbe|potreste|puoi) … <meet>
    (fissiamo|organizziamo|facciamo|prenotiamo|programmiamo|pianifichiamo|concordiamo|fissare|prenot*) (un|una|pure|
        per|la|direttamente)? … (<meet>|<day>|appuntamento|slot)
    (sentiamoci|vediamoci|parliamone|incontriamoci|sentirci|vederci|parlarne) (pure|volentieri|quando|<day>|a|per|con|
        in|anche|dopo|domani)~
    (<day>) … (va bene|andrebbe bene|posso|potrei|disponibil*|libero|libera|ok|perfetto|per me|mi va|ci sono|riesco|
        preferi*|meglio)
    (disponibil*|libero|libera|va bene|andrebbe|posso|potrei|preferi*|facciamo|sentiamoci|vediamoci|possibilmente|
        riesco|proporrei|propongo) … <day>
    (quando|che giorno|a che ora) … (disponibil*|possiamo|potremmo|sentir*|chiam*|libero|va|potete|le va|vi va)
    (vorrei|vorremmo|mi piacerebbe|ci piacerebbe|curios*|voglio|mi farebbe piacere|desider*|gradirei) … (saperne|
        sapere|capire|capirne|vedere|vederlo|conoscere|provare|approfondire|valutare|ricevere|avere|testare|parlarne)
    (saperne|capirne|dirmi|dirci|raccont*|dica|mi dica|spieg*) (di)? (piu|meglio|qualcosa)
    (stiamo|sto|stavamo|stavo|dobbiamo|vorremmo|abbiamo) … (cercando|valutando|guardando|rivedendo|proprio bisogno|
        bisogno|cambiare|confrontando) … (proprio|giusto|soluzion*|un|una|il|sistem*|software|alternativ*|fornitor*|
        qualcosa)
    (proprio|esattamente|giusto|appunto) … (cerc*|bisogno|serv*|quello che|argomento|tema|momento)
    (fac*|prepar*|elabor*) (mi|ci|pure|temi|teci)? … (preventivo|offerta|proposta|demo|quotazione|esempio)
    (mostr*|present*|illustr*) (mi|ci|ce|temi|teci|cela|celo|melo)~ … (come|la|il|vostr*|soluzion*|prodott*|funziona|
        pure)
    (provare|prova|provarlo|provarla|testarlo|testare) (gratuit*|volentieri|il|la|per|subito|un|possiamo|vorrei)~
    (mi|ci) (piace|piacerebbe|convince|incuriosisce|intriga|stuzzica|ispira) …
    (avanti|procediamo|procedete|iniziamo|partiamo) (pure|cosi|con|volentieri)~
"""
WARM = """
    (interessante|promettente|bella idea|ottimo|ottima idea|bello|buona idea|valido|niente male|geniale|curioso|
        incuriosit*|carino|fantastico)
    (volentieri|con piacere|piacere|sembra interessante|suona bene)
"""
LEANS = """
    (forse|magari|eventualmente|puo darsi|potrebbe essere|vediamo)
"""
ASKS = r"""
    (chi|che|cosa|come|dove|quale|quali|perche|da quando|da dove|quanti|in che) (siete|e|sei|fate|fa|funziona|avete|
        ha|si|vi|arriv*|sta|state|prov*|trov*|gestite|differenz*|cosa|viene) …
    (siete|avete|gestite|supporta*|funziona|si integra|fate|esiste|offrite|coprite|lavorate|ha|fornite|usate|
        prevede) (un|una|gia|anche|con|il|la|in|per|possibile|compatibil*|delle|dei)? …
    (domanda|domande|curiosita|chiariment*|precisazion*|dubbio) (veloce|su|prima|preliminar*|tecnic*)~
"""
ACKNOWLEDGED = """
    (grazie|ricevuto|ricevuta|ok|capito|perfetto|presa visione|preso atto|prendo nota|buongiorno|salve|ciao|va bene|
        letto)
"""
RECEIPT = r"""
    (richiesta|messaggio|mail|email|segnalazione|comunicazione|ticket) … (ricevut*|pres* in carico|registrat*|numero|
        in lavorazione|aperto|inoltrat*|protocoll*|gestit*)
    (ticket|numero di pratica|conferma di ricezione|protocollo|pratica n|ricevuta di ritorno) …
    (il prima possibile|quanto prima|nel piu breve tempo|entro \d+ (ore|giorni)|al piu presto) …
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
NEGATED_AFTER = re.compile(r" (?:\w+ ){0,1}(?:non|mai)\b(?! (?:solo|male|vedo lora|ce male))")
CONCEDED_BEFORE = re.compile(r"\b(?:anche se|sebbene|benche|per quanto|pur essendo|pur)\b")
CAPABILITY = re.compile(
    r"^(?:e |ma )?(?:puo|si puo|come|chi|quale|quali|dove|se|ha|avete|funziona|gestisce|permette|e possibile|"
    r"consente)\b"
    r"(?!.*\b(?:io|mi|me|noi|ci|mio|mia|nostro|nostra|miei|nostri|ricevere|faccio|posso|possiamo|\w{4,20}(?:mi|ci))\b)"
)
TURNS = "ma|pero|tuttavia|purtroppo|comunque|invece|eppure|peccato che|solo che|ciononostante"
GREETINGS = "buongiorno|buonasera|salve|ciao|gentile|gentilissim[oai]|egregi[oa]|spett le|spettabile|caro|cara|buondi"
AUTOMATIC_SUBJECTS = (
    r"risposta automatica|fuori (?:ufficio|sede)|assen\w*|in ferie|ferie|messaggio automatico|chiusura \w+|"
    r"out of office"
)
OPT_OUT_SUBJECTS = "(?:cancellami|cancellazione|disiscrizione|cancellatemi|rimozione|disiscrivimi|basta)"
SIGN_OFFS = (
    r"(?:i (?:miei|nostri) )?(?:(?:piu )?cordiali|distinti|migliori|cari|sentiti|i migliori)? ?saluti|cordialmente|"
    r"cordialita|grazie(?: mille| e saluti| anticipatamente| in anticipo)?|buona (?:giornata|serata)|buon lavoro|"
    r"a presto|un saluto|saluti|ciao|in fede|un caro saluto"
)
AFTERTHOUGHTS = r"p\.? ?s\b|ps\b|inoltre|e |per favore|cancell|rimuov|togl|non |vi prego"
DEVICES = r"(?:inviato da|inviata da|inviato (?:con|tramite)|scarica outlook|ottieni outlook|outlook per).{0,80}\Z"
DISCLAIMERS = (
    r"(?:le informazioni|questo (?:messaggio|documento)|il (?:contenuto|presente messaggio)|la presente|questa e-?mail|"
    r"ai sensi)\b.{0,200}\b(?:riservat|confidenzial|destinatari|esclusiv|informazioni contenute)|"
    r"avviso di riservatezza|disclaimer|"
    r"qualora (?:l'?abbiate|non foste|abbiate)|prima di stampare|rispetta l.?ambiente|per (?:cancellarsi|"
    r"disiscriversi)|"
    r"p\.? ?iva\b|(?:informativa )?privacy\b"
)
SEE_BELOW = "qui sotto|di seguito|sotto|in rosso|nel testo|inline"
MONTHS = (
    "gennaio gen", "febbraio feb", "marzo mar", "aprile apr", "maggio mag", "giugno giu", "luglio lug", "agosto ago",
    "settembre sett set", "ottobre ott", "novembre nov", "dicembre dic",
)  # fmt: skip
WEEKDAYS = ("lunedi lun", "martedi mar", "mercoledi mer", "giovedi gio", "venerdi ven", "sabato sab", "domenica dom")
TOMORROW = "domani"
NEXT_WEEK = "prossima settimana|settimana prossima"
ENDS_BEFORE = (
    r"fino (?:al|a|ad)(?: giorno)?|sino (?:al|a)|(?:rientro|rientrero|rientreremo|rientriamo|ritorno|tornero|torno|"
    r"torneremo|di ritorno|nuovamente|riapr\w+|riapertura|riprender\w+|operativ\w+)(?: in (?:ufficio|sede|servizio)| "
    r"disponibil\w+| operativ\w+| previsto| prevista| reperibil\w+)?(?: da| dal| il| per il| a partire dal| giorno)?|"
    r"a partire dal|(?:disponibil\w+|raggiungibil\w+|in ufficio|di nuovo) (?:dal|il)|dal giorno"
)
ENDS_AFTER = r"(?:compres[oi]|inclus[oi])\b"
