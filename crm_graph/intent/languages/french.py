"""French phrases by what they say, in the notation of phrases.py, over folded words; of France, Belgium and Quebec.

Apostrophes close up ("l'offre" is loffre). cues.py says in which order the kinds are tried and what each weighs.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    "le la les un une des du de et je tu il elle nous vous ils on ne pas plus que qui quoi ce cette ces mon ma mes "
    "votre vos notre nos leur pour par avec sans dans sur est sont suis sommes etes ai avons avez cest jai nai si mais "
    "ou donc au aux en bonjour merci tres bien cordialement me se sil ca"
)
CLASSES = {
    "not": "pas|plus|jamais|aucun|aucune|aucunement|rien|non|guere|nullement|sans",
    "me": "me|moi|nous|mon|ma|mes|notre|nos|cette|mon adresse|notre adresse|cette adresse",
    "mail": (
        "mails?|e ?mails?|courriels?|messages?|courriers?|newsletters?|sollicitations?|publicites?|pubs?|spams?|"
        "offres commerciales|demarchages?|prospections?|relances?|infolettres?|pourriels?|propositions commerciales"
    ),
    "list": (
        "liste*|base|bases|base de donnees|fichier*|mailing ?list*|crm|systeme*|registre*|listing*|carnet*|"
        "liste de diffusion|vos contacts|banque de donnees"
    ),
    "thing": (
        "tarif*|prix|devis|offre|loffre|proposition*|infos?|information*|dinfos?|dinformation*|detail*|documentation*|"
        "brochure*|plaquette*|presentation*|demo*|demonstration*|exemple*|video*|lien*|acces|reference*|cas client*|"
        "fiche*|catalogue*|grille*|soumission|pdf|document*|dossier|invitation|calendrier|agenda|creneau*|"
        "disponibilites|dispos|version dessai|essai|cout*|etude*|livret|conditions"
    ),
    "send": (
        "envoy*|envoi*|transmet*|transmis|faire parvenir|faites parvenir|fais parvenir|partag*|donne*|communiqu*|"
        "adresse moi|adresser|mettez|montr*|fourni*|joindre|passer|passez"
    ),
    "meet": (
        "appel*|rappel*|parler|parlons|discuter|discutons|echanger|echangeons|echange|rencontr*|voir|rendez vous|rdv|"
        "reunion*|visio*|call|demo|demonstration|entretien|point|cafe|teams|zoom|voyons nous|se voir|planifi*|"
        "rendezvous|telephon*|tester|essayer|en parler|jaser|cedule*"
    ),
    "day": (
        "lundi|mardi|mercredi|jeudi|vendredi|demain|aujourdhui|semaine prochaine|cette semaine|matin|apres midi|midi|"
        r"ce soir|\d\d? ?h ?\d{0,2}|\d\d? heures|semaine du|le \d\d?|mois prochain"
    ),
    "dept": (
        "collegue*|service|direction|directeur*|directrice*|responsable*|marketing|achats|acheteu*|dsi|drh|rh|"
        "informatique|secretariat|comptabilite|gerant*|patron*|mon chef|chef|madame|monsieur|mme|m|mailaddress|siege|"
        "maison mere|departement|confrere|assistant*|equipe*"
    ),
    "later": (
        r"plus tard|lan prochain|lannee prochaine|annee prochaine|la rentree|apres (lete|les vacances|les fetes)|"
        r"20\d\d|"
        r"dans (quelques|un|deux|trois|six|\d+) (mois|ans?|semaines)|trimestre|semestre|q[1-4]|un jour|a lavenir|"
        "le moment venu|prochain budget|(lete|lautomne|lhiver|le printemps) prochain|fin dannee|debut dannee"
    ),
}

NOT_A_REQUEST = r"""
    (reponds|repond|ecris|lis) (jamais|rarement|presque jamais) …
    ne (reponds|lis|regarde) (jamais|pas|rarement) …
    (pas|plus) de (mails?|messages?|courriels?) (pour moi|dici la|cette semaine|pendant|avant|jusqu*)
    (ne)? recommence* pas a zero
    nhesite* pas $
    (enlev*|ot*|retir*) … (doute*|epine)
    (annul*|report*|deplac*|supprim*) … (rendez vous|rdv|reunion|call)
    (pas|aucun|zero) (de)? (souci*|probleme*|inquietude*|stress|quoi|soucis)
    (si|au cas ou) (vous|tu|cela|ca) … (pas|plus) … (recevoir|interess*|souhait*|desabonn*)
    (arretez|arrete) moi si …
    (desabonn*|supprim*|effac*|retir*) … (dans|avec) (votre|loutil|le logiciel|lapplication|vos)
    (conforme*|conformite) (au|avec le)? rgpd
    (dans|en) (mes|les)? (spams?|indesirables|courriers indesirables)
    (reunion|agenda|boucle|fil|copie)
    (rien|pas) de (grave|mal|presse)
    (je|on|nous) (ne)? (vous|te) (oublie|oublions|oublierai*) pas
"""
DOUBLE_NEGATION = """
    nhesite* pas (a)? (mappeler|appeler|nous appeler|menvoyer|nous envoyer|proposer|me proposer|me rappeler)
    (pourquoi pas|pkoi pas)
    (pas|point) (du tout)? (mal|bete|inintere*|idiot|contre|oppose*|ferme*|faux)
    (ne|ni) (dis|dirais|dirions|disons|suis|serais) (pas|point) (non|contre|oppose*|ferme*)
    (dis|dirais|dirai) pas non
    (jamais|pas) … de refus
    (rien|personne) … (contre|a perdre|a objecter)
    (sans|aucun) (hesit*|objection)
"""
INVITED = r"""
    (je|nous) (bloque|bloquons|reserve|note) … (<day>|agenda|creneau)
    (appelez|appelle|rappelez|rappelle|contactez|joignez|ecrivez) (moi|nous) …
    (me|mon|nous|au|numero|portable|joindre) … phonenumber
    (pourra|pourront|peut|va|vont) … (convenir|organiser|caler|fixer|planifier) … (<meet>|rendez vous|rdv|date)
    (mettez|ajoutez|mets|ajoute|incluez|conviez|copie) … (copie|boucle|cc|linvitation|<dept>)
    (passez|venez|passe|viens) … (voir|bureau*|nous|boutique|atelier|magasin)
    (je|nous) … (reste*|suis|sommes|serai|serons) … (joignable*|disponible*|dispo*|a votre disposition) … (<day>|
        au phonenumber|demain|pour)
"""
LEFT = r"""
    (a|ai|avons|ont|ayant) (definitivement)? quitte (la|notre|lentreprise|la societe|mes|ses|lequipe|le groupe|son|
        mon|lorganisation|letablissement)
    (ne|plus) … (travaille*|fait|fais|font|faisons) … (plus|partie) … (ici|la societe|lentreprise|chez|nous|
        de nos effectifs|de lequipe|effectif*|du groupe)
    (ne|nest|nexerce) … plus … (en poste|dans lentreprise|parmi nous|salarie*|employe*|collaborateur*|nos effectifs|
        chez|ses fonctions|mes fonctions)
    (parti|partie|depart) (a|en|la)? (la)? retraite
    (retraite*|decede*|demissionn*|licenci*)
    (change|changement) (de|mon) (poste|fonction*|entreprise|societe|employeur|service)
    (adresse|boite|bal|compte|messagerie) … (plus|desormais) … (utilis*|active*|consult*|lue|relev*|valide|desactiv*)
    (nouveau|nouvelle) (poste|employeur|fonction|aventure) …
    (remplac*|succed*|repris) … (a|mon|son|ce) poste
"""
ABSENT = r"""
    (absent*|absence) (du|de|jusqu*|pour|et|ce|cette|actuellement|toute|en|le|au)~
    (suis|serai|sommes|serons|etant) (actuellement|absent*)? (absent*|en conges?|en vacances|en deplacement|
        hors du bureau|injoignable*|en arret|indisponible*|en formation)
    (en|mes|vos|nos) (conges?|vacances|cong) (maternite|parental|paternite|maladie|jusqu*|annuel*|dete|paye*|de)~
    (conge|arret) (maternite|parental|paternite|maladie|sabbatique|de maternite|de maladie|annuel)
    (hors|absent*) du bureau
    (de|mon|serai de|suis de) retour (le|au bureau|lundi|mardi|mercredi|jeudi|vendredi|a partir|des|parmi|dans)
    (bureaux?|etablissement|entreprise|societe|magasin|boutique|agence|cabinet|usine|atelier|etude|
        secretariat) … ferme* (du|jusqu*|pour|le|a|au|cette|exceptionnellement)~
    (reponse|message|notification) automatique
    (pendant|durant) (mon|cette|notre|son) (absence|conge*|deplacement)
    (acces|connexion) (limite|restreint|intermittent|reduit) …
    (ne|naurai|nai|aurai) … pas … (acces|consult*) … (mail*|messagerie|courriel*|e ?mail*|boite)
    (consult*|lirai|repondrai|traiterai|prendrai) … (mail*|messag*|courriel*|connaissance|demande) … (retour|
        occasionnel*|ponctuel*|irreguli*)
    (a|des) mon retour
    (en cas|pour toute) (durgence|de question urgente|question urgente|demande urgente) …
    en cas durgence
    (deplacement|seminaire|salon) … jusqu*
    (fermeture|conges) (annuel*|estival*|exceptionnel*|dete|de fin)
    (ne travaille|travaille) pas (le|les|cette|aujourdhui|actuellement)
    (hospitalis*|malade|souffrant*)
"""
AWAY = """
    (en deplacement|en reunion|en formation|sur la route|entre deux|a letranger|debord*|sous leau)
"""
REMOVAL = r"""
    (ne|de ne) (plus)? (jamais)? (insister|figurer|apparaitre|etre dans|insistez) …
    (ne|de) plus … (figurer|apparaitre|etre) … <list>
    (ne)? recommence* (pas|plus) (svp|merci)?
    (se|me|nous|vous) (desinscri*|desabonn*) …
    moubli* …
    (desabonn*|desinscri*|desinscription|unsubscribe|desabonnement|me desinscrire|desengagement)
    (effac*|supprim*|enlev*|retir*) (la|le|moi|nous|les) (immediatement|svp|merci|tout de suite|de suite|de)~
    m?(retir*|supprim*|effac*|enlev*|ot*|ray*|sort*|radi*|exclu*|efface*|virez|vire|biffer|biffez) … (<me>|<list>|
        coordonnees|adresse|donnees|contact|nom|mail)
    (<list>|coordonnees|adresse|donnees personnelles|donnees|mail) … (retir*|supprim*|effac*|enlev*|a supprimer|radi*|
        suppression|ray*|disparai*)
    <not> (nous|me|m|plus|jamais|etre|vous)? (nous|me|etre|m|de)? (re)?(contact*|sollicit*|demarch*|relanc*|prospect*|
        harcel*|importun*|derang*|spammer) …
    (ne|de ne|plus|jamais) (plus|jamais)? (nous|me|etre)? … m?(ecri*|envoy*|envoi*|adress*|telephon*|appel*) (moi|
        nous|plus|jamais|a nouveau|de|des|vos|quoi|ce|cette|aucun|rien|svp|merci)~ (plus|jamais|<mail>|moi|nous|svp|
        merci|adresse|aucun)~
    (cessez|arretez|arrete|stopper|stoppez|stop|cesser|arreter|inutile|pas la peine|evitez|
        eviter) … (de)? (<me>)? … (re)?(contacter|solliciter|demarcher|relancer|spammer|harceler|inonder|mecrire|ecrire)
    (cessez|arretez|arrete|stopper|stoppez|stop|cesser|arreter|inutile|pas la peine|evitez|eviter) … (m?envoyer|
        <mail>) (des|de|vos|ces|ce|genre|autres|moi|plus)~ (<mail>|svp|merci)
    (ne|souhait*|veux|voulons|veut|desir*|accept*|aimerai*|prefer*|demand*) … (plus|pas|jamais|aucun|
        aucune) … (<mail>|recevoir|contact*|sollicit*|demarch*|relanc*|etre)
    (ne|naime*) … (plus|pas|jamais) (rien)? (recevoir|etre contacte*|etre sollicite*|etre demarche*|etre relance*)
    (plus|aucun|aucune|zero|pas) (de|d)? (<mail>|contact) (de votre part|svp|merci|sil|a cette|a lavenir|commercia*)~
    (laiss*|fich*|foute*) (moi|nous|mon|notre)? … (tranquille*|paix|en paix)
    (cesser|cessez|arretez|arreter|stopper|stoppez) … (tout|toute|vos|ces|les) (envoi*|relance*|communication*|
        contact*|sollicitation*|prospection*|demarchage*)
    (stop|arretez|arrete|stoppez|cessez) (ca|tout|cela|merci|svp|immediatement|avec|la|maintenant|les|vos|moi|de|sms|
        pub)~  $
    ^ (stop|stop merci|stop svp|arretez|desabonnement|desinscription|retirez moi|supprimez moi|a supprimer|
        plus jamais|stop pub|desinscrire|fin|radiation) (merci|svp|sil vous plait|immediatement)? $
    (article|art|droit|droits) (17|21|15|a leffacement|dopposition|a loubli|deffacement|de retrait|de suppression|
        de rectification|dacces) …
    (rgpd|cnil|loi 25|lcap|loi informatique) … (plainte|supprim*|effac*|opposition|droit*|retir*|demande|signal*|
        consentement|exige*|articl*)
    (plainte|signal*|saisir|saisirai|saisie|oppos*|demande|denonc*) … (cnil|rgpd|loi 25|dgccrf|signal spam|autorite|
        opposition|apd)
    (moppos*|oppos*|opposition) … (traitement|prospection|demarchage|utilisation)
    (consentement|accord|autorisation|permission) … (retir*|jamais|donne|revoqu*|aucun)
    (jamais|pas) (donne|accepte|autorise|consenti|demande|souscrit|inscrit) …
    (mails?|messages?|courriels?|sollicitations?|demarchage*) … (non (sollicit*|desire*|voulu*)|indesirable*|
        intempesti*|abusi*)
    (vous|te|adresse|expediteur) (bloque|bloquerai|bloquons)
    (blackliste*|liste rouge|bloctel|liste noire|signale comme spam|en spam|comme indesirable) …
    (sortir|sortez|sors|sorti|enlevez|otez) … (de)? (la|votre|vos|cette|ta) <list>
    (cette|mon|notre) (adresse|boite|messagerie|mail) … (pas|plus) … (prospection|demarchage|publicite|commercia*)
    (passer|passez) … (a autre chose|votre chemin)
    (oubli*) (moi|nous|mon adresse|notre adresse|mon mail)
"""
ANNOYED = r"""
    (spam*|harcel*|penible|marre|insupportable|saoul*|soul*|combien de fois|enieme|encore vous|deja dit|derni* fois|
        troisieme (mail|message|relance)|quatrieme (mail|message|relance)|lourd|agac*|honteux|inadmissible|ras le bol)
"""
ELSEWHERE = r"""
    (cest|est) (son|leur) (domaine|sujet|rayon|role|perimetre|dossier)
    (se decide*|se prend|se prennent|decide*|prise*|prises) … (siege|maison mere|groupe|direction|niveau) …
    (voyez|vois|voir) (plutot|ca|cela|directement)~ (avec|aupres) …
    (ne|nous|je) (ne)? decid* (de)? (rien|pas) …
    (adressez|adresse) (vous|toi)? (a|aupres) (eux|elle|lui|mon|ma|notre) …
    <not> … (la|le|du tout)? (bon|bonne|bons) (personne|interlocut*|contact|adresse|destinataire|service|endroit|
        guichet)
    (mauvais|mauvaise|erreur de|tromp* de|pas le|pas la) (personne|interlocut*|contact|adresse|destinataire|service|
        numero|porte|bon|bonne)
    (adress*|rapproch*|contact*|ecri*|voir|voyez|tourn*|orient*) … (vous|toi)? … (a|avec|aupres|vers|directement|
        plutot) … (<dept>)
    (ne|nest|suis|sommes) … (pas|plus) … (charge|responsable|en charge|concerne*|decideu*|decisionnaire*|competent*|
        habilite*|mon domaine|mon ressort|mon perimetre|mon role|moi qui|nous qui)
    (pas|ni) (de)? mon (ressort|domaine|perimetre|service|departement|rayon|sujet|role)
    (qui)? (soccupe|sen occupe|soccupent|gere|pilote) … (sujet|sujets|dossier*|achats|questions|cela|ca|ces|ce) …
    (cest|ce sont|cela releve|releve|ca releve) … (<dept>) … (qui|gere*|occup*|soccup*|decid*|charge|trait*|competen*|
        pilot*)
    (faut|faudrait|devez|devriez|pouvez|merci de|veuillez) … (contacter|voir|ecrire|vous adresser|passer par|
        vous rapprocher) … (<dept>)
    (gere|geree|gerent|pilote|traite|traitee|decide|decides|occupe|sen occupe|supervise|centralis*) … (par|a|au|cest|
        chez) … (<dept>|niveau|siege|groupe)
    (contact|personne|interlocut*) … (est|sera|serait|competent*|a contacter|plutot|concernee) … (<dept>|mailaddress)
    (je|nous) (vous|te)? (laisse|invite|conseille|suggere) … (contacter|ecrire|voir|rapprocher) …
    (mon|ma|notre) (collegue|successeur|directeur|directrice|responsable|associe*|remplacant*) … (gere|soccupe|decide|
        sen|prend*|suit|est|reprend)
"""
REFERRED = r"""
    (transmis|transfere|transfert|fait suivre|transmets|transfere*) … (a|au|vers) … <dept>
"""
PASSED_ON = r"""
    (je|on|nous|vais|allons) (le|la|les|vous|en|y|allons|vais|va)~ (regard*|jeter un|lis|lire|etudi*|examin*|parcour*|
        consult*|prend* connaissance|analys*) …
    (jen|en|nous en) (parle*|parlons|discut*|toucher*) … (equipe|interne|associe*|directi*|collegue*|chef|patron*|
        semaine)
    (fais|fait|faire|faisons) (suivre|remonter|circuler|tourner) …
    (transmis|transmets|transmettons|transfere*|remonte) … (interne*|equipe*|qui de droit|direction|service|collegue*)
    (reviens|reviendrai|reviendrons|revenons|revient|recontacter*|tiendrai*|ferai signe) … (vers|vous|si besoin|
        au besoin|courant)
    (reflechi*|reflex*|y penser|a creuser|a voir|je note|je garde|on verra|je conserve|a letude)
"""
DECLINED = r"""
    (deja|on a) (donne|teste|essaye|vu) (merci|sans|et|ca)?
    (ce|ca|cela|donc|alors|cest|reponse|desole) (sera|est)? (donc)? non $
    (tres)? peu pour (moi|nous)
    (signe|engage*|contrat) … (ailleurs|ans chez|avec un autre|concurrent*)
    <not> (vraiment|du tout|plus|particulierement|specialement|tellement|directement)? (interesse*|interessant*|
        concerne*|preneur*|besoin*|pertinent*|utile*|adapte*|necessaire*|convaincu*|demandeu*|client*|interet)
    (ne|na|nai|navons|ny|pas|aucun|sans) … (pas|aucun|plus|nul|d)? … (besoin|interet|utilite|usage|projet|envie|
        interess*|pertinen*|demande) …
    (ne|nous|me|m) … (interesse|correspond|convient|concerne|sert|parle|intere*|tente|conviennent|
        correspondent) … (pas|plus|aucun*)
    (non|nan|nn) (merci|pas|desole*|sans facon|malheureusement|ca ira|cela ira|cest gentil|vraiment)
    ^ (non|nan|non merci|sans facon|pas interesse*|merci mais non|desole non|pas pour nous|ca ira|ca ira merci|
        sans interet|hors sujet|pas besoin|non pas vraiment|negatif) (merci|cordialement|desole*)? $
    merci (mais|bien)? (non|sans facon|ca ira|nous passons|je passe|ce nest|on passe|pas)
    (sans|hors de) (facon|suite|question|propos)
    (avons|ai|disposons|travaillons|utilisons|sommes|travaille|utilise|collaborons|a|bosse|
        bossons) … deja … (prestataire*|fournisseur*|solution*|outil*|partenaire*|equip*|pourvu*|avec|ce quil faut|un|
        une|engag*|sous contrat|logiciel*|agence|systeme|tout)
    (deja|suffisamment|bien|parfaitement|tres) (equipe*|pourvu*|servi*|outill*|engage*|accompagne*|couvert*|
        fait le choix|sous contrat|fourni*)
    (satisfait*|content*|contents|heureu*) (de|du|des|avec) …
    (nous en|fonctionne*|marche*|convient) … (satisf*|tres bien|parfaitement) … (comme|ainsi|actuel*|en place)~
    (decliner|declinons|decline|refus*|renonc*|passe* (mon|notre) tour|je passe|nous passons|on passe|abandonn*|
        laisser tomber|ecart*)
    (ne|nallons|nirons|donner*|donnerons) … (pas|plus) … (suite|donner suite|retenu*|poursuiv*|aller plus loin|
        plus loin|retenir|avancer|engager)
    (pas|ni) (donner)? suite
    (pas|plus) (pour|chez|de) (nous|moi|mon|notre|ca)
    (trop (cher|chere|petit*|gros|grand*|complex*|couteu*)|hors budget|hors de prix)
    (bonne|bon) (continuation|chance|courage|route) …
    (gerons|faisons|developp*|fait|gere|realisons|traitons) … (tout|nous memes?|en interne|maison|moi meme)
    (aucune|pas la) (suite|volonte|envie|intention|place) …
    (choisi|opte|signe|signer|retenu|choix|engages?|engager) … (autre|concurren*|ailleurs|different*)
    (perte|perdez|gaspill*|inutile) … (temps|insister)
    (non|pas) … (inscri* dans|dans) … (strategie|priorites|feuille de route|objectifs|projets)
"""
NO_ROOM = r"""
    (pas|aucun|plus|peu|manque|sans) (de|le|du|assez de)? (budget|temps|moyens|ressources|tresorerie|priorite*|dispo*|
        bande passante|disponibilite*)
    (pas|ni) (dactualite|dans les tuyaux|le moment|le bon moment|une priorite|la priorite|prioritaire|au programme|
        prevu|a lordre du jour|opportun)
    (mauvais|pas le bon) (moment|timing)
    (pour (le moment|linstant|lheure)|actuellement|en ce moment|a ce jour|a ce stade|cette annee|
        a lheure actuelle) … (pas|aucun|rien|non|plus|gele*|satur*) …
    (pas|aucun|rien|non) … (pour (le moment|linstant|lheure)|actuellement|en ce moment|cette annee|a ce stade|
        dans limmediat)
    (revenez|recontactez|relancez|reparlons|rappelez|reprenons|reecrivez|voyons|contactez|reparler|
        recontacter) … <later>
    (peut etre|eventuellement|plutot) … <later>
    (budget*|investissement*|depense*|projets?|recrutement*) … (gele*|boucle*|clos|consomm*|bloqu*|alloue*|suspendu*|
        epuise*)
"""
HESITANT = """
    (malheureusement|helas|desole*|dommage|pas (sur|sure|certain*|convaincu*)|sceptique*|dubitati*|mitige*)
"""
WANTS = r"""
    (ca|cela|quest ce que ca|quest ce que cela|combien) … (coute*|couterait|coutera|reviendrait|revient)
    (peut on|peut il|pouvons nous|pourrait on|pourrions nous|possible de|possible d) … (<thing>|essayer|tester|voir|
        acces|discuter|rencontrer)
    (quels?|quelles?|quel) … (creneau*|dispo*|date*|tarif*|prix|budget) …
    (aimerait|souhaite|souhaiterait|voudrait|veut) … (assister|participer|voir|etre present*|en savoir|une demo*|
        rencontrer)
    (on|nous) (en)? (reparle*|parle*|discute*) … (vive voix|telephone|ensemble|quand|semaine|<day>)
    (quest ce quil|que vous|de quoi) … (faut|faudrait|avez vous besoin|besoin) … (notre cote|commencer|demarrer|avancer)
    (demo*|presentation|essai|echange|appel) … (possible|faisable|envisageable|realisable)
    (ok|daccord|oui) (si|a condition|sous reserve) …
    (vous|tu|auriez|avez|aurais) … (creneau*|dispo*|moment|demo*|exemple*|essai) …
    (comment|quand|ou) (procede*|procedons|fait on|on fait|faire pour|sinscri*) …
    (quelles?|quels?) (sont|seraient|serait|est) … (etapes?|suite|delai*|conditions|modalites|cout*|formules|offres) …
    (y a t il|existe t il|il y a|vous avez) … (essai|demo*|tarif*|demonstration|plaquette|brochure|reference*)
    (est ce que)? (je|on|nous) (peux|peut|pouvons|pourrions|pourrait|pourrais) … (essayer|lessayer|tester|voir|avoir|
        obtenir|rencontrer)
    (pouvez|pourriez|peux|pourrais) (vous|tu)? (me|nous|m)? … (presenter|montrer|expliquer|appeler|rappeler|proposer|
        envoyer|detailler|faire un|chiffrer|recontacter)
    (vous|tu) (passez|venez|passes|viens) (quand|dans|a|par|nous|me) …
    (vous|te) (accorde|donne|laisse|consacre) … (minutes|heure|dheure|quart)
    (montrez|montre|presentez|faites) (moi|nous) … (voir|que vous|quoi|signe|ce que|ca|cela)
    (jattends|nous attendons|dans lattente) … (offre|proposition|devis|retour|tarif*|appel|documentation)
    (pouvez|pourriez|peux|pourrais|pourrait|peut|merci de|veuillez|voulez|auriez|avez|aurais|seriez) … (<send>|me|
        nous|vous|dispo*|de) … <thing>
    (<send>|envoyez|envoie|envoyer) (moi|nous|le|la|les|donc|toujours|ca|vos|votre|un|une|des)? … <thing>
    (envoyez|envoie|envoi|balancez|balance|montrez|dites|allez|transmettez) (moi|nous|le|la|les|donc|toujours|
        ca)~ (tout|ca|toujours|y|en plus)~  $
    (<thing>) … (svp|sil vous plait|serai* (bienvenu*|utile|parfait*)|minteresse*|nous interesse*|interesserai*|
        par retour|detaille*|a me|a nous) …
    (interesse*|interessant*|interesserait) (par|de|a|et|pour|oui|effectivement|dans)
    (cela|ca|sujet|offre|proposition|solution|idee|approche|produit|concept|loffre|lidee|votre) … (minteresse*|
        nous interesse*|mintrigue|minterpelle|nous interpelle|me parle|nous parle|tombe (bien|a pic)|me tente|
        nous tente)
    (je suis|nous sommes|suis|serais|serions|sommes) (tout a fait|tres|effectivement|plutot|assez|vraiment|
        fort)? (interesse*|preneur*|partant*|curieu*|ouvert*|dispo*|disponible*|chaud*|daccord|favorable*|interesser)
    ^ (oui|ouais|oui merci|oui volontiers|volontiers|avec plaisir|interesse*|daccord|oui daccord|carrement|allons y|
        partant|go|oui svp|oui pourquoi pas|bien sur|oui avec plaisir|parfait|ok pour moi|ca marche|banco|
        oui interesse*|absolument|tout a fait|ca me va|bonne idee) (merci|svp|bonne journee|cordialement)? $
    (oui|volontiers|plaisir|ok|daccord|partant*|parfait|super) (pour|avec|on|pouvons|appelez|envoyez|cela|je suis|
        nous|dites|vous)  …
    (combien|quel|quels|quelle|quelles) … (coute*|prix|tarif*|cout*|revient|facture*|budget|montant|abonnement)
    (combien|ca coute|cout|vos prix|vos tarifs|votre tarif|ordre de prix|fourchette)
    (on|nous|je|jaimerais|souhait*|voudrai*|aimerai*|aimerions|veux|voulons|proposer|pouvons|pourrions|peut|pourrait|
        faut|faudrait|allons) … (se|nous|vous|en|de|en savoir)? … <meet>
    (jaimerais|aimerai*|aimerions|souhait*|voudrai*|voudrions|desir*|veux|hate) … (savoir plus|en savoir|decouvrir|
        connaitre|avoir|recevoir|voir|tester|obtenir|comprendre comment)
    (en savoir|savoir|dire|dites men|dis men|plus) (un peu)? (plus|davantage)
    (<day>) … (convien*|me va|nous va|possible*|arrange*|dispo*|libre*|parfait|bien|ok|serait|marche|
        a votre convenance|ca ira)
    (convien*|dispo*|libre*|possible|plutot|disons|ok pour|partons sur|pourquoi pas|a partir de|voir|parler|rappel*|
        propose) … <day>
    (quand|quelles? (dispo*|sont vos)|a quelle heure) … (dispo*|pouv*|appel*|libre*|parler|creneau*|voir)
    (avez|auriez|as) (vous|tu) … (<thing>|dispo*|quelques minutes|5 minutes)
    (proposez|propose|fixons|calons|organisons|prenons|planifions|convenons|reserv*|bloqu*|prendre) … (<meet>|<thing>|
        <day>|date*|rdv)
    (cherch*|recherch*|besoin|avons besoin|jai besoin|etudions|comparons|envisag*|reflechissons) … (justement|
        exactement|precisement|ce genre|ce type|solution|une telle|un outil|prestataire*|quelque chose|actuellement|
        a (un|une)|de (ce|vos|votre))
    (justement|exactement|precisement|pile) … (cherch*|besoin|ce quil|sujet|regard*|question)
    (veux|voudrai*|voulons|prends|prendrai*|aimerai*) (bien)? (un|une|le|la|vos|votre|des) … (<thing>)
    ^ \d+ minutes (maximum|max|pas plus|suffisent)
    (daccord|ok|oui|entendu) … (minutes|quart dheure|demi heure|maximum|<day>)
    (faites|fais|faire) (moi|nous)? … (devis|offre|proposition|demo*|prix|signe)
    (presentez|expliqu*|racontez|detaill*) … (moi|nous|comment|plus|votre|la)
    (essayer|tester|essai) … (gratuit*|volontiers|outil|produit|solution|semaine*|pouvons|voudrai*|la|le|votre)
    (avec|grand) plaisir …
"""
WARM = """
    (interessant*|prometteu*|seduisant*|pertinent*|sympa|super|genial|chouette|top|excellent*|alleche*|intrigant*|
        bien pense|bien vu)
    (bonne|belle) (idee|initiative|approche)
    (volontiers|curieu*|ca a lair|cela semble|semble interess*)
"""
LEANS = """
    (peut etre|eventuellement|pourquoi pas|possiblement|a priori)
"""
ASKS = r"""
    (qui|que|quoi|quel|quelle|quels|quelles|comment|ou|pourquoi|depuis quand|dou) (etes|est|sont|faites|fait|avez|a|
        fonctionne*|sappelle|vous|ca|cela|tenez|provien*|vient|se) …
    (est ce|cest|ce) (que|quoi|bien|un|une) …
    (proposez|gerez|travaillez|supportez|faites|utilisez|integrez|couvrez|etes|avez|existe|peut on|peut il|
        fonctionne) (vous|t il|t elle|il|elle|ce|ca)? …
    (question*|precision*|eclaircissement*) (avant|prealable*|sur|rapide|quand meme|a ce sujet|simple)~
"""
ACKNOWLEDGED = """
    (merci|bien recu|bien note|recu|pris note|je prends note|daccord|ok|entendu|compris|bonjour|bonsoir|salut|
        message recu)
"""
RECEIPT = r"""
    (demande*|message*|mail|courriel|requete|ticket*|dossier) … (enregistre*|recu*|prise en compte|pris en charge|
        prise en charge|transmis*|en cours|traite* dans|numero)
    (accuse de reception|accusons reception|ticket|numero de dossier|numero de demande|reference de votre) …
    (dans les (meilleurs|plus brefs) delais|sous \d+ (h|heures|jours)|meilleurs delais|plus brefs delais)
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
NEGATED_AFTER = re.compile(r" (?:\w+ ){0,1}(?:pas|plus|aucunement|nullement)\b(?! (?:tard|mal|que|du tout mal|vite))")
CONCEDED_BEFORE = re.compile(r"\b(?:bien que|meme si|quoique|certes|malgre)\b")
CAPABILITY = re.compile(
    r"^(?:et |mais )?(?!comment (?:se|me|nous) )(?:est ce|peut|permet|comment|qui|quel\w*|ou|si|a|fonctionne|gere|"
    r"propose|proposez|avez)\b"
    r"(?!.*\b(?:je|me|moi|nous|mon|ma|notre|nos|mes|m(?:e|en|es|ef|ot|ad|ec)\w{3,20})\b)"
)
TURNS = "mais|cependant|toutefois|neanmoins|par contre|en revanche|malheureusement|helas|pourtant|sauf que"
GREETINGS = "bonjour|bonsoir|salut|hello|cher|chere|madame|monsieur|coucou|allo"
AUTOMATIC_SUBJECTS = (
    r"reponse automatique|absence\w*|absent\w*|message d absence|message dabsence|hors du bureau|en conges?|"
    r"conge|fermeture\w*"
)
OPT_OUT_SUBJECTS = "(?:me )?(?:desabonnement|desabonner|desinscription|desinscrire|stop|retrait)"
SIGN_OFFS = (
    r"(?:bien |tres )?(?:cordialement|sincerement|amicalement|respectueusement)(?: votre)?|bien a vous|cdlt|cdt|bav|"
    r"(?:sinceres |meilleures |cordiales )?salutations(?: distinguees)?|merci(?: d avance| davance| beaucoup)?|"
    r"bonne (?:journee|soiree|fin de journee|semaine)|belle journee|a bientot|a plus|au plaisir|bises"
)
AFTERTHOUGHTS = r"p\.? ?s\b|ps\b|merci de|veuillez|par ailleurs|au fait|et |retirez|supprimez|ne |plus "
DEVICES = (
    r"(?:envoye (?:de|depuis|avec|a partir)|obtenir outlook|telecharge[rz] outlook|outlook pour|message envoye|"
    r"provenance).{0,80}\Z"
)
DISCLAIMERS = (
    r"(?:ce|cet|le present|les informations contenues dans ce) (?:message|e-?mail|courriel|courrier)\b.{0,200}\b"
    r"(?:confidentiel|destine|usage exclusif|destinataire)|avis de confidentialite|confidentialite|disclaimer|"
    r"si vous (?:n'?etes|netes) pas (?:le|la) destinataire|pensez a l.?environnement|n'?imprimez|"
    r"(?:siret|siren|rcs|capital social|tva intra)|pour (?:vous desabonner|se desabonner)"
)
SEE_BELOW = "ci dessous|ci-dessous|dans le texte|en rouge|plus bas"
MONTHS = (
    "janvier janv", "fevrier fevr", "mars", "avril avr", "mai", "juin", "juillet juil", "aout", "septembre sept",
    "octobre oct", "novembre nov", "decembre dec",
)  # fmt: skip
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
TOMORROW = "demain"
NEXT_WEEK = "semaine prochaine"
ENDS_BEFORE = (
    r"jusqu ?(?:au|a|en)(?: ce)?|jusqu.?a(?:u)?(?: la)?|(?:de )?retour(?: au bureau| prevu|"
    r" parmi vous)?(?: a partir| a "
    r"compter| des)?(?: du| le| au)?|a partir du|a compter du|(?:rouvr\w+|reouvert\w*|reouverture)(?: le| des le)?|"
    r"(?:reviens|reviendrai|revient|reprends|reprendrai|reprise)(?: le| au bureau le)?|(?:des|avant) le"
)
ENDS_AFTER = r"(?:inclus|compris|au soir)\b"
