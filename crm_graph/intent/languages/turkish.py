"""Turkish phrases by what they say, in the notation of phrases.py, over folded words (no accents, no dotless i).

Turkish says "not", "can", "let us" and "would you" in endings, so many classes are endings and the phrases name stems.
The file is long because it is one word list: if it were split, a phrase would be hard to find.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    "ve bir bu su o da de ki mi mu ne icin ile ama fakat ancak gibi daha cok en var yok ben biz siz bana bize size "
    "beni bizi sizi benim bizim sizin olarak sonra once kadar lutfen merhaba tesekkurler degil simdi hic her"
)
CLASSES = {
    # ilgilen-miyoruz, düşün-meyiz, gör-üşemem, plan-lanmamaktadır, iste-mem
    "neg": (
        "([iu]?[ln])?(y?[ae])?m([iu]yo*|[ae]m[ae]kt*|[ae]z(l[ae]r)?|[ae]m|[ae]y[iu]z|[ae]d[iu]*|[ae]y[ae]c*|"
        "[ae]mis*|[ae]y[iu]m|[ae]y[ae]l[iu]m)"
    ),
    # yaz-mayın, gönder-meyiniz, at-mazsanız, gönder-ilmesin, yaz-mamanızı
    "dont": (
        "([iu]?[ln])?m[ae](y[iu]n([iu]z)?|s[iu]n(l[ae]r)?|zs[ae]n*|s[ae]n*|m[ae]n[iu]z*|m[ae]s[iu]n[iu]|"
        "y[iu]n[iu]z|y[iu]ver*|yip|y[ae]l[iu]m|y[ae]c[ae]k*)?"
    ),
    # gönder-ir misiniz, gönder-in, gönder-ebilirseniz, gönder-menizi, gönder-ilebilir mi
    "ask": (
        "y?[iu]n([iu]z)?|(y?[ae]b[iu]l)?([aeiu]?r)? ?m[iu]s[iu]n([iu]z)?|"
        "(y?[ae]b[iu]l)?([aeiu]?r)?s[ae]n([iu]z)?[ae]?|y?[ae]b[iu]l[iu]rs[iu]n*|m[ae]n[iu]z*|"
        "([iu]?[ln])[iu]rs[ae]|([iu]?[ln])?[ae]b[iu]l[iu]r ?m[iu]*|m[ae]k mumkun*|([iu]?[ln])m[ae]s[iu]n[iu]|"
        "[aeiu]?rs[ae]n(iz)?|y?[ae]l[iu]m m[iu]|y?[ae]b[iu]l[iu]yor m[iu]*"
    ),
    # görüş-elim, ayarla-yabiliriz, konuş-abilir miyiz, görüş-sek, incele-mek isteriz
    "lets": (
        "y?[ae]l[iu]m|y?[ae]b[iu]l[iu]r[iu][zm]|y?[ae]b[iu]l[iu]r ?m[iu]y[iu][zm]|s[ae]k|"
        "[aeiu]?r ?m[iu]y[iu][zm]|y[ae]y[iu]m( m[iu])?|(m[ae]k|m[ae]y[iu]) (de|da|cok|gercekten|elbette|tabii|"
        "mutlaka|once)? ?ist(er|iyo|erd)*|m[ae]k ister*|m[ae]kt[ae]n memnun*|m[ae]y[ae] (acigiz|acigim|haziriz|"
        "hazirim|variz|varim)|m[ae]k gerek*|y?[ae]b[iu]l[iu]rs[ae]k"
    ),
    "wish": "ist(er(im|iz|dim|dik)|iyor*|iyom|iyoz|erd*)",
    "meet": (
        "gorus|konus|bulus|tanis|incele|degerlendir|dinle|dene|gor|ogren|ayarla|planla|toplan|katil|bak|yap|"
        "bilgi al|goz at|basla|ilerle|telefonlas|kahve ic|karsilastir|test et|test ed|duy|kullan|calis|devam ed|"
        "devam et|organize ed|gel|misafir ed"
    ),
    "thing": (
        "fiyat*|ucret(?!li|siz)*|tarife*|teklif*|bilgi*|detay*|ayrinti*|demo*|sunum*|katalog*|brosur*|dokuman*|"
        "dosya*|ornek*|numune*|video*|link*|takvim*|toplanti*|gorusme*|randevu*|deneme*|paket*|referans*|liste*|"
        "tanitim*|proforma*|sozlesme*|davet*|slot*|saat*|vaka*|icerik*|maliyet*|pdf*|deck*|prezentasyon*|"
        "materyal*|calisma*|analiz*|rakam*|hesap*|fatura*"
    ),
    "send": (
        "gonder|yolla|paylas|ilet|at|ver|sun|ulastir|cikar|hazirla|goster|anlat|bahsed|bahset|yaz|soyle|ekle|"
        "mail at|mail atar|davet ed|davet et|bildir|belirt"
    ),
    "day": (
        "pazartesi*|sali*|carsamba*|persembe*|cuma*|cumartesi*|yarin*|bugun*|haftaya*|hafta*|sabah*|oglen*|"
        r"ogleden*|ogle*|aksam*|(saat)? ?\d\d? \d\d|\d+ ?(de|da|te|ta|gibi)|\d+ (ocak|subat|mart|nisan|mayis|"
        "haziran|temmuz|agustos|eylul|ekim|kasim|aralik)*|obur gun|gelecek hafta|onumuzdeki hafta|ay sonu*|"
        "ay basi*"
    ),
    "dept": (
        "satin ?alma*|pazarlama*|muhasebe*|finans*|insan kaynak*|ik|ikya|bilgi islem*|it|itye|bt|operasyon*|"
        "lojistik*|yonetim*|merkez*|genel merkez*|holding*|departman*|birim*|bolum*|mudur*|direktor*|sef*|"
        "yonetici*|yetkili*|uzman*|sorumlu*|ekip|ekib*|patron*|ortag*|sahib*|arkadas*|meslektas*|asistan*|bey*|"
        "hanim*|sekreter*|ceo*|cto*|cfo*|coo*|baskan*|mailaddress|temsilci*|hukuk*|kurumsal*|satis*|teknik*|abi*|"
        "abla*|hoca*|is gelistirme*|tedarik*"
    ),
    "approach": (
        "yaz|ulas|basvur|gorus|sor|ilet|yonlendir|danis|iletisime gec|irtibata gec|temasa gec|baglanti kur|"
        "gonder|konus|mail at|iletisim kur|irtibat kur|muracaat ed|muracaat et|yonel|ara|yolla|irtibata gecil|"
        "iletisime gecil"
    ),
    "later": (
        "ileride|ilerde|ilerleyen (donem*|zaman*|ay*|gun*|surec*)|seneye|gelecek (yil|sene|donem|ceyrek|ay*)|"
        "onumuzdeki (yil|sene|donem|ceyrek|ay*|sezon*)|yil ?sonu*|yeni yil*|yeni donem*|yaz(dan)? sonra*|"
        r"bayram* sonra*|baska (bir)? ?(zaman|sefer|donem*)|\d+ ay sonra*|(bir|bi|uc|alti|iki|birkac) (ay|yil|"
        r"sene|ceyrek)* sonra*|daha sonra*|(hafta|ay|yil|sene|bayram|tatil|yaz|sezon)*dan sonra*|q[1-4]*|20\d\d*|"
        "ilkbahar*|sonbahar*|zamani gelince"
    ),
    "now": (
        "su an*|suan*|simdi*|simdilik|su ?anlik|bu (aralar|ara|donem*|yil|sene|ay|ceyrek|sefer*|asama*|saatten)|"
        "henuz|halihazirda|bugun*|gunumuz*|mevcut durum*"
    ),
    "mail": (
        "mail*|e ?posta*|eposta*|mesaj*|ileti*|reklam*|spam*|bulten*|sms*|tanitim*|bildirim*|pazarlama*|"
        "iletisim*|teklif mail*"
    ),
    "again": (
        "bir daha|bi daha|bidaha|birdaha|tekrar*|artik|asla|sakin|bundan (sonra|boyle)|bana|bize|bu (tur|tarz|"
        "sekilde|adrese|maile)|surekli|lutfen|beni|bizi|yeniden|baska|daha fazla|kesinlikle|hic|boyle|"
        "sirketimize|firmamiza|kimseye|yeter"
    ),
    "mine": (
        "beni|bizi|adres*|mail*|e ?posta*|eposta*|numara*|ism*|isim*|adimi*|liste*|sistem*|veri*|database*|data*|"
        "kayit*|kayd*|rehber*|dagitim*|bulten*|gonderim*|iletisim*|crm*|firma*|sirket*|abonelik*|bilgi*|kisisel*|"
        "hesab*"
    ),
    "thanks": (
        "tesekkur*|tesekur*|tsk*|sagol*|sag ol*|eyvallah|minnettar*|tesk*|thx|thanks|mersi|cok tesekkur*|tskler"
    ),
    "title": "bey*|hanim*|hocam|abi*|kardes*|dostum|ustad*|max|arkadas*|efendim|canim|hocam|sayin",
}

NOT_A_REQUEST = r"""
    (abonelik*|liste*|uyelik*|bulten*)? … (cikmak|ayrilmak|iptal etmek) icin
    (almak|istemi) … istemiyorsan*
    (ret|red|iptal|stop) yaz*
    (takvim*|davet*|toplanti*|grup*|gurup*|cc*|bilgiden|whatsapp*|slack*|etkinlik*|proje*|kanal*) … cikar*
    (kvkk|gdpr|soc|iso)* … (uyum*|uygun*|sertifik*|belge*)
    ilgi(niz|nize)* (ve alaka*)? (icin)? <thanks>
    ilgilen(irseniz|iyorsaniz|irsen|iyorsan|enler|en)
    <day> (gunu|icin)? (uygun|musait) deg*
    cekinme*
    merak etme*
    (spam|gereksiz|junk|istenmeyen)* (klasor*|kutu*)
    hayir deg(il)*
    (sorun|problem|onemli|fark|acelesi|acele|dert) (degil|yok|etmez|etmeyin)*
    (bir)? (mahsuru|mahzuru) var mi
    (estagfurullah|rica ederim)
    kusura bakma* gec*
    gec (cevap*|donus*|yanit*|don*) … (kusura|ozur)*
    yanlis anlama*
    gozden kac*
    degil (mi|mi ki)
    ^ (merhaba*|selam*|sayin|iyi (gunler|aksamlar|calismalar|haftalar)|gunaydin|mrb|slm|sn|kolay gelsin) (<title>|
        \w+ (bey|hanim))? $
    (iyi|kolay|hayirli) (gunler*|calisma*|hafta*|aksam*|isler|gelsin|bayram*|cuma*|geceler)
"""

DOUBLE_NEGATION = """
    (tamam|ok|peki|olur|tamamdir) anlastik
    (neden|niye|nicin) olmasin*
    (fena|kotu|yanlis|mantiksiz|sacma|uzak) (bir)? (fikir|oneri|teklif|dusunce)? (de)? (degil*|sayilma*|durmuyor|
        olmaz*|gorunmuyor*)
    hayir (de|diye)(mem|meyiz|meyecegi*|mek zor|mezdim)
    (itiraz*|sakinca*|mahsur*|mahzur*|engel*|zarar*|sikinti*) (yok|gormuyor*|olmaz|gelmez|degil)
    (zarar*|ziyan*) (gelmez|olmaz|yok)
    kacirmak istem*
    geri cevir(mem|meyiz|emem|emeyiz)
    (ilgilen|iste|dusun)(miyor|miyo) deg*
    isteme(m|yiz|z) (mi|miyim|miyiz)*
    iste(mez) (miyim|miyiz|mi)
    (sebep|neden|gerekce) yok
    kaybedecek … yok
    (olmaz|iyi olmaz|hos olmaz|guzel olmaz) mi*
    (cok|hic) fena olmaz
    (bosver|vazgec)(meyin|meyelim)
    ihtiyac* yok (degil|diyemem|diyemeyiz|denemez)
    (yok|hayir) (diyemem|diyemeyiz|demem|demeyiz)
    haklisiniz
"""

# Reads like a referral but is an invitation.
INVITED = """
    (bana|beni|bize|bizi|numaram*|telefonum*|cebim*|hattim*|whatsapp*) … (ulas|ara|yaz|don|mail at|donus yap|
        sor)(<ask>|abilirsin*)
    (asistan*|sekreter*) … (randevu|toplanti|gorusme|ayarla|uygun)*
"""

LEFT = r"""
    (sirket*|firma*|kurum*|gorev*|isten|isimden|isinden|holding*|ekip*|ekib*|bunye*|ora*|bura*|aramiz*|kadro*|banka*|
        pozisyon*) … ayril(d|mis|al|iyor|mak|mi)*
    ^ (\w+ \w+)? ayril(di|dim|mis|mistir)* (gecen)? …
    (gecen|yil|ay|once|artik|kendisi|<title>) … ayril(di|mis)*
    (artik|burada|orada|sirket*|firma*|bunye*|bizde|bizimle|kurum*) … calis(miyorum|miyor|mamakta*|miyom|mamaktayim)
    (artik|su an|kendisi|<title>) (bizimle|bizde|burada|orada|sirkette) (degil*|yok)
    (artik|eskiden|daha once) … (calisiyordu*|calismistim)
    emekli (ol*|edil*)
    emekli(yim|ye|ligi)*
    (sirketi|firmayi|isi|isleri|dukkani) … (devret|devred|satt)*
    emekliye ayril*
    istifa (et|ed)*
    (is|gorev|pozisyon|departman|sirket|firma|yer) degistir*
    (baska|farkli|yeni) (bir)? (firmada|sirkette|kurumda|yerde|departmanda|birimde|firmaya|sirkete|goreve|gorevde|
        ise|iste|pozisyona|departmana|birime|bolume) … (gec*|basla*|atan*|calisiyorum|transfer*|kaydi*)
    vefat et*
    (gorev*|is*|isleri*) (\w+)? (devret*|devred*|birakt*|devral*)
    (kadromuz*|bunyemiz*) … (yok|bulunma*|degil*)
    gorev yap(miyor|mamakta)*
    (mail*|e posta*|adres*|hesap*|hesab*|kutu*) (artik)? (kullanilm*|aktif degil*|kontrol edilm*|takip edilm*|kapat*)
"""

ABSENT = r"""
    izindey*|izinliy*|izinli|iznindey*|iznimdey*|izninde|izinde|izindeki*
    izin (mod*|kullan*|doneminde*)
    dugun(um|umuz)* (var|icin|hazirlig*|dolayi*)*
    evleniyor(um|uz)
    izne (cik|ayril|gid)*
    (yillik|dogum|evlilik|babalik|annelik|hastalik|mazeret|senelik|ucretsiz|sut|saglik|haftalik|idari) (izn*|izin*)
    izin* (doneminde*|kullan(iyor|acag|makta)*|suresince|surem*)
    (ofis*|is ?yer*|masam*|bilgisayar*) (in)? (disin*|disi|basinda degil*|degil*|olma*|yok*|bulunma*|uzakta*|uzag*)
    tatil(deyim|de|e cik|deyiz|den don|imiz|im|imde|de olac|e gid)*
    (ofis*|sirket*|fabrika*|is ?yer*|magaza*|firma*|klinik*|okul*|merkez*) … (kapali*|tatil*)
    (resmi|milli|dini) tatil*
    ^ tatil* $
    (babam|annem|esim|dedem|ninem|kardesim|oglum|kizim|kayinpeder*|kayinvalide*) … (vefat|hastane|ameliyat|cenaze|
        rahatsiz)*
    (cenaze|taziye)*
    (bir sure|bir muddet) … (calis|bakam|olmay|yokum)*
    (ayin|<day>) … (burday*|buraday*)
    (bayram*|yilbasi*|tatil*|resmi tatil*) … (kapali*|hizmet verm*|calismay*|olmay*)
    raporluy*|raporlu
    hastay(im|iz|di)*|hastane(de|deyim)*|istirahat*|ameliyat*|hastalandim
    (sehir|yurt|il|ulke) (disindayi*|disinda (olac*|bulun*|oldug*)|disindan don*|disinda $)
    (yurt ?disi|sehir ?disi) (seyahat*|gorev*|gezi*)
    (yurtdisinda|sehirdisinda)(yi*| olac*| bulun*| oldug*| $)
    (ofise|ise|goreve|is ?basi|tatilden|izinden|seyahatten|yurda) … don*
    donuste|dondugum*|donunce|donusum*|dondugunde*
    (tarih*|gun*|<day>) (itibar*)? … (ise|ofise|gorevime) … (basla*|don*|olacag*)
    (mail*|e ?posta*|eposta*|mesaj*|internet*) … (erisim*|eris*|ulasim*|bak(amay|amiyor)|kontrol edem|cevap verem|
        yanit verem|donus yapam)*
    (kisitli|sinirli|az) … (eris*|internet*|baglanti*)
    erisim* … (kisitli|sinirli|olmay*|yok|bulunma*|mumkun)*
    otomatik … (yanit*|cevap*|mesaj*|ileti*|donus*)
    (acil|ivedi) (durum*|konu*|hal*|is|isler*|talep*|ihtiyac*|arama*|bir sey*) … (ulas*|ara*|iletis*|yaz*|icin|
        gorus*|irtibat*)
    (kadar|arasi|arasinda|nedeniyle|dolayisiyla|sebebiyle|tarih*) … kapali*
    (hastalig*|hastalik|rahatsizl*|saglik*|vefat*|cenaze*|tatil*|izin|izn*|bayram*|bakim*|tadilat*|egitim*|fuar*|
        seyahat*|gorev*) (\w+)? (nedeniyle|dolayisiyla|sebebiyle|yuzunden)
    (yoklugum*|bulunmadigim) …
    (kadar|arasi|arasinda|boyunca|itibaren|tarih*|hafta*|bugun*|yarin*|ay|gun*|gunu*) … (yokum|yokuz|olmayacag*|
        olmayacag*|ulasilama*|uzakta*|yanit verem*|cevap verem*|musait olmay*)
    (askerde*|umrede*|hacda*|balayi*|yogun bakim*|karantina*)
    (dogum yap|bebeg* ol)*
    (ofis*|is) … (don|gel)(ecegim|uyorum|ecegiz)
    (pazartesi|sali|carsamba|persembe|cuma|ayin|tarih*|ocak*|subat*|mart*|nisan*|mayis*|haziran*|temmuz*|agustos*|
        eylul*|ekim*|kasim*|aralik*) … (donecegim|donuyorum|is ?basi*|isbasi*)
"""

AWAY = r"""
    (pazartesi|sali|carsamba|persembe|cuma|ayin|tarih*|ocak*|subat*|mart*|nisan*|mayis*|haziran*|temmuz*|agustos*|
        eylul*|ekim*|kasim*|aralik*) … (ofiste*|masamda*|burada olacag*)
    seyahat(teyim|te|teyiz|im|inde|lerim)*|yolday(im|iz)
    (fuar|egitim|konferans|toplanti|saha|kongre|zirve|etkinlik)(da|de|ta|te)(yim|yiz)
    (musait|uygun) deg*
    (?!bura|sektor|piyasa|fikir|kanaat|goru|dusunce)\w+(deyim|dayim|teyim|tayim|deyiz|dayiz|teyiz|tayiz)
"""

REMOVAL = r"""
    (yazma|gonderme|arama|yollama|mail atma) (artik|ya|yahu|be)
    <mine> … (cikar(in|iniz|ir|t|il|sa|ma|iver|sin)*|cikar|cikart|cikmak|cikayim|dus(ur|ul)*|dusun $)
    (cikar(in|iniz|t)*|cikar|sil(in|iniz|er|ir)*|kaldir(in)*) (\w+)? (<mine>|liste*|su|bu|oradan|ordan|surdan)
    (beni|bizi) … (cikar*|sil*|ekleme*|unut*)
    ^ (lutfen)? (beni|bizi)? (cikar|cikart|cikarin|cikartin|silin|sil|kaldirin|unutun) (lutfen|artik|beni|bizi)? $
    <mail>(den|dan) … cik(ar|ab|ma|ay|is)*
    abone* … (cik*|iptal*|sonlandir*|ayril*|degil*|olma*|istem*)
    uyeli* … (cik*|iptal*|sonlandir*|ayril*|sil*)
    <again> … (yaz|gonder|at|ara|ilet|yolla|mesaj at|ulas|darla|ugras|iletisime gec|irtibata gec|mail at|spam at|
        ulasmaya calis|temasa gec)<dont>
    <again> … (rahatsiz|mesgul|taciz|israr|meskul) (et|ed)<dont>
    <mail> (\w+)? (at|gonder|yaz|yolla|ilet|yap)<dont>
    (yaz|at|gonder|ara|yolla)(ip|yip) dur<dont>
    (yazma|gonderme|atma|arama)(yin|yiniz|yin artik|sin) (bana|bize|artik|lutfen|bir daha|tekrar)?
    (yaz|gonder|at|ara|yolla)may(in|iniz)
    (yaz|gonder|at|ara|yolla)mey(in|iniz)
    <mail> (almak|daha|artik|falan|filan|da|de|mail|gelmesini|gondermenizi)? (iste|isten)(miyo*|mez|mem|meyiz|medig*|
        mekt*)
    (yaz|gonder|mail at|ara|yolla|ilet|iletisime gec|at|rahatsiz et|ileti gonder|mesaj)(il|n)?(me|ma)(niz|ni|sini|n|
        nizi|lerini)? … istem(iyo*|ez|em|eyiz)
    <mail> … (almak|gormek|duymak) istem*
    (sizden|tarafiniz*|firmaniz*) … (duymak|almak|gormek|haber|mail|ileti|e posta)* … istem*
    rahatsiz (etme*|edilmek istem*|ediyor*|edici*|ediliyor*|etmekten)
    rahat(siz)? birak*
    (pesim*|yakam*|basim*) … (birak*|dus*)
    dusun (artik)? yakam*
    (veri*|bilgi*|data*|kayd*|kayit*|adres*|mail*|e ?posta*|numara*|kisisel*|isim*|ism*) … (sil(in|ir|me|dir|ip|sen|
        iver|se|ebil)*|sil|imha*|yok ed*|kaldir(il|in|ir|ma)*|temizle*)
    (silin|siliniz|silinsin|silinmeli*|silinmesi*|imha edil*)
    (liste*|kayit*|kaydi*|sistem*) (\w+)? sil
    (kvkk|6698|gdpr|kisisel veri*|kanun*) … (talep|sikayet|basvur|itiraz|ihlal|aykiri|dava|sil|cikar|suc|ceza)*
    (riza*|onay*|izn*|muvafakat*) … (geri|cek|iptal)*
    (iys|ticari (elektronik)? ileti*|ileti yonetim*) … (ret|red|istem*|sikayet*|gonder<dont>|onay*|kapat*)
    ^ (lutfen)? (ret|red|iptal|cik|dur|durun|yeter|yeter artik|yeter ya|yazma|mail atma|gonderme|yeter yeter|
        iptal edin|durdurun|kes|kesin) (lutfen|artik|sunu|ya|be)? $
    yeter (artik|ya|be|ama|yahu)
    <mail> … yeter $
    <mail> … (?!ol)\w+m[ae]s[iu]n(l[ae]r)?
    (bikt|sikild|usand|bezd|gina)* … <mail>
    <mail> … (bikt|sikild|usand|bezd)*
    artik yeter*
    (sikayet ed|sikayet et|engelle|spam (olarak)? isaretle|spam (olarak)? bildir|blokla|bloke et|bloke ed|
        sikayetci ol|savcilig|yasal (islem|yol|haklar)|dava ac|hukuki|tuketici|btk)*
    (iletisim*|irtibat*|gonderim*|mail*|mesaj*|e posta*) … (kes(in|er|il|iniz)*|durdur*|sonlandir*|son verin*)
    (gonder|yaz|at|ara|yolla|rahatsiz et)(meyi|mayi|mekten|maktan) … (birak*|kes*|durdur*|son ver*|vazgec*)
    kara liste*
    (iletisime|irtibata|temasa) gec(ilme|me)(yin|yiniz|sin|sini|mesini|menizi)*
    (benimle|bizimle|tarafimla) … (iletisim|irtibat|temas)* … (gec|kur)<dont>
    liste* … (olmak|kalmak|yer almak|bulunmak) istem*
    unut(un)? (bu|beni|bizi|adres*|mail*)*
    (rahatsiz) edil*
    (tarafima|tarafimiza|bana|bize) … gonder(ilme|me)(mesini|sini|menizi|yiniz|yin)*
"""

ANNOYED = r"""
    (nereden|nerden|kimden|nasil) … (buldun*|aldin*|ulastin*|edindin*|ulasti*|bulabildin*|temin)
    kim verdi
    kacinci (mail*|e posta*|mesaj*|kez|defa|sefer)
    spam*
    (izinsiz|izin almadan|iznim olmadan|rizam disinda|onayim (yok|olmadan)|(onay*|izin*) verme(dim|dik)*)
    (bikt*|usan*|bezd*|gina geld*|sinir*|darla*)
    (kac) (kere|defa|kez|sefer|mail) …
    (taciz*|ne hakla|saygisiz*|ayip|terbiyesiz*|rahatsiz*)
    (ucuncu|dorduncu|besinci|altinci|onuncu|\d+) (mail*|e posta*|mesaj*|kez*|defa*|kere*)
    surekli (mail*|mesaj*|yaz*|ariyor*)
    (ne istiyorsunuz|derdiniz ne|isiniz gucunuz)
"""

ELSEWHERE = r"""
    yanlis (kisi*|adres*|yer*|kapi*|insan*|departman*|mail*|numara*|birim*|kimse*|bir (kisi*|adres*)|ahmet*|mehmet*|
        ayse*)
    (yanlislikla|sehven) … (bana|geldi|gonder*|yaz*|ulas*)
    bana degil …
    (gecen|once|artik) … (baska|yeni|farkli) (bir)? (yere|firmaya|sirkete|ise) (gec|basla)*
    eski (is ?yer|firma|sirket)*
    (yetki|karar)* (\w+)? (merkez|patron|yonetim|genel mudur|holding)(de|da|te|ta)
    dogru (kisi*|adres*|isim|birim*|yer|insan*|muhatap*) (\w+)? (ben)? deg*
    (bu|o|sizin|bahsettiginiz|oradaki) (firmada|sirkette|kurumda|departmanda|gorevde|ekipte|adreste|firmadan|
        sirketten) (\w+)? deg*
    (yetkili*|muhatab*|muhatap*|karar verici*|karar merci*|karar veren*|karar mekanizma*|
        ilgilenen) (\w+)? (\w+)? (ben)? deg(il)*
    (yetkili*|muhatab*|muhatap|karar veren*|sorumlu*|dogru kisi*) (ben|biz)? deg*
    (muhatab*|muhatap|yetkili*|sorumlu*|dogru|ilgilenen) (kisi*|isim|birim*|adres*|departman*|merci*)? (ben degil*|
        <dept>|\w+ <title>)
    (baskasi*|biri*|biriyle|birisiyle) (\w+)? karistir*
    bizim … (alan*|gorev*|sorumlulu*|departman*|yetki*|birim*) … (degil*|disinda*|girm*)
    benim … (alan*|isim*|konu*|gorev*|sorumlulu*|departman*|yetki*|uzmanlik*|birim*|ilgi alan*) … (degil*|disinda*|
        girm*)
    (alanim*|yetkim*|gorevim*|sorumlulu*|gorev tanim*|birimim*|departmanim*|isim) … (degil*|disinda*|girm*|yok)
    (konu*|is|isler*|alan*|surec*|surecler*|satin alma*|pazarlama*|bunlar*|bununla|bunla|teklif*|alimlar*|yazilim*|
        proje*) … ben (degil)? (ilgilen|bak|karar ver|yurut|takip et|yonet)<neg>
    (ben|artik ben|biz) (artik)? (bak|karar ver|yurut)(miyor*|mamakta*|amam|emem|amiyor*|emiyor*|mam)
    (ben|konu*|is|islere|alim*|buna|bunlara|bu islere) … bak(miyorum|mamaktayim|amiyorum|miyom)
    <dept> … (bak(iyor|iyorlar|ar|arlar|makta*)|ilgilen(iyor|iyorlar|mekte*|ir|irler)|karar ver(iyor|iyorlar|ir|
        mekte*)|karar aliyor|yurutuyor|yurutuyorlar|yurutmekte*|sorumlu*|takip ediyor|takip etmekte*|yonetiyor|
        yonetmekte*|yetkili*)
    (bu|o) (konu*|is*|surec*|alan*) … <dept> (\w+)? (bak|ilgilen|yurut|yap|yonet|takip)*
    (benlik) … (degil*|yok)
    (bizimle|benimle|burayla|sirketimizle) … (ilgisi|alakasi|ilgili|alakali) … (yok*|degil*)
    (ilgili|yetkili|dogru) (kisi*|birim*|departman*|arkadas*|yer*) … (<approach>)(<ask>|y?[ae]b[iu]l*)
    (ben|sadece) (stajyer*|ogrenci*|sekreter*|asistan*|guvenlik*|sofor*|ogretmen*|doktor*|muhasebeci*|teknisyen*|
        garson*)
    (oyle|bu isimde|boyle) biri* (degil*|yok|calism*)
    (o kisi|aradiginiz kisi|o) (ben)? degilim
    (karar|yetki|inisiyatif)* (bende|bizde|bana ait|bize ait) degil*
    (karari|karar)? (genel merkez*|merkez*|yurt ?disi*|holding*|yonetim*|patron*|genel mudur*) (\w+)? (veriyor|verir|
        aliyor|alir|verecek)
    (yerine|yerime|yerini) (artik)? … (bakiyor|geldi|gecti|atandi|basladi|geldim|gectim|bakmakta*|ilgileniyor|goreve)
    (oglum|kizim|esim|ortagim|kardesim|abim|babam|arkadasim) (\w+)? (bak|ilgilen)iyor*
    ben (sadece|yalnizca) \w+(yim|im|um)
    (birim|departman|konu|is|firma|sirket|kurum|alan|surec|burasi|orasi)(la|le|yla|yle|lerle|larla) … (ilgi*|alaka*|
        bag*) (yok|degil|kalmadi)
    (kisisel|sahsi|ozel) (mail*|e posta*|adres*|hesab*)
"""

REFERRED = r"""
    \w+(e|a) (sorun|sorunuz|sorabilirsin*|danis(in|abilirsin)*|yonlendir(in|ebilirsin)*|basvur(un|abilirsin)*|
        soyle(yin|yebilirsin)*)
    <dept> … (<approach>)(<ask>|y?[ae]b[iu]l[iu]rs*|m[ae]n[iu]z*|y[iu]n)
    <dept> … (<approach>)(m[ae]n[iu]z)? (gerek*|lazim|daha dogru|uygun olur*|rica*|oner*)
    <dept> (\w+)? (\w+)? (yaz|sor|ara|ilet|gonder|ulas)
    (kendisine|onunla|kendisiyle|onlarla|onlara|ona) … (<approach>)(<ask>|y?[ae]b[iu]l[iu]rs*)
    (baska|diger) (bir)? (kisi*|birim*|departman*|arkadas*|sirket*|biri*)
    (ilgili|yetkili) … mailaddress
    mailaddress (\w+)? (uzerinden|adres*) …
"""

DECLINED = r"""
    vazgec(tik|tim|iyor|ildi)*
    hayir $
    karar* … degisme*
    (almis|cozmus|halletmis|anlasmis|baslamis|yapmis) bulun*
    (bize|bana|bizim icin|benim icin) … (fazla|luks|agir|buyuk)
    ^ (merhaba*|selam*|sayin|yok|ya|max|valla|vallahi|maalesef|cok)? (\w+)? (hayir|yok|yoo*|olmaz|istemem|istemez|
        istemiyorum|istemiyoruz|kalsin|gerek yok|almayalim|almayayim|ihtiyac yok|lazim degil|luzum yok|hic|pas|
        olumsuz|olumsuzdur|ilgi yok|thumbsdown|mumkun degil|imkansiz) (<thanks>|<title>|lutfen|kalsin|olmaz|yok|
        simdilik|istemiyorum|istemem|sagolun|efendim|valla|gerek yok)? (\w+)? $
    (hayir|yok) (<thanks>|istem*|kalsin|olmaz|almayalim|ilgilen<neg>|dusun<neg>)
    ilgilen<neg>
    ilgi (duy|goster)<neg>
    ilgi(mi|mizi)? cek<neg>
    ilgi(miz|m|mi|mizi)? … (yok|disinda*|degil*|kalmadi)
    ilgilendir(mi|me)*
    (dusun|planla|tercih et|talep et|kullan|degerlendir|kabul et|hedefle|arzu et|ongor|uygun gor|uygun bul|sicak bak|
        mantikli bul|faydali bul|gerekli gor|ihtiyac duy|ihtiyac hisset|gerek duy|gerek gor|yatirim yap|harca|
        butce ayir|kaynak ayir|istifade et|yanas|onayla|calis|degistir|gec|al|satin al|ilerle|devam et|yer ver|
        vakit ayir|sans ver)<neg>
    iste(mi|me)(yor*|yo*|z|m|yiz|dik|yece*|mekt*)
    (arayis*|niyet*|isteg*|merak*|planlama*|dusunce*) (\w+)? (yok*|bulunm*|degil*|kalmad*|olmay*)
    (ihtiyac*|gereksinim*|talep*|talebi*) … (yok*|kalmad*|duymu*|bulunm*|olmad*|gormu*|degil*|hissetm*|olmay*|
        dogmad*|karsilan*)
    (gerek|luzum|lazim|zaruret|hacet)(i|li|u)* (yok*|duym*|gorm*|kalmad*|degil*|bulunm*|olmad*)
    (ise|isimize|isime|faydasi*|yararimiz*) yara(maz|miyor|mam|madi|mayac)*
    (bize|bana|sirketimize|firmamiza|yapimiza|isimize|sektorumuze) … (uymu|uyma|uymaz|yaramaz|yaramiyor)*
    (bize|bana|sirketimize|firmamiza|yapimiza|isimize|sektorumuze) … (gore|uygun|hitap|cazip) (\w+)? (deg|etm|gelm)*
    bizlik … (degil*|yok)
    (bize|bana|yapimiza|isimize|butcemize|sistemimize) (\w+)? uy(mu|ma)*
    (uygun|mantikli|oncelik*|gundem*|plan*|dusuncemiz*|zamani|sirasi|onceligi*|hedef*|cazip|anlamli|gercekci|verimli|
        elverisli) (\w+)? (degil*|gelm*|yok|bulunm*|gorunm*|almiyor)
    (baska|farkli|diger|yabanci|yerli) (bir)? (firma*|sirket*|tedarikci*|cozum*|ajans*|urun*|marka*|is ortag*|
        yazilim*|program*|arac*|hizmet*) … (calis*|anlas*|kullan*|devam*|tercih*|sec*|aldik*|ilerli*|ilerle*|yuru*|
        sozles*|memnun*|var*|gec*|destek*|karar*)
    (mevcut|suanki|simdiki) … (memnun*|devam*|yeterli*|mutlu*|yetiyor|isimizi goruyor|degistir*)
    memnunuz|memnunum|mutluyuz
    (zaten|halihazirda|hali hazirda|kendi|ic) … (ekib*|yazilim*|bunye*|kaynag*|imkan*|sistem*|gelistir*|
        bunyem*) … (yap*|yurut*|coz*|kullan*|hallet*|karsil*|yonet*|var|ile|mevcut|gelistir*)
    (kendimiz|kendi icimizde|icerde|iceride|sirket icinde|bunyemizde) … (yap*|coz*|hallet*|yurut*|karsil*|var|mevcut|
        gelistir*|yonet*)
    <now> (icin)? … (hayir|yok|kalsin|dursun|gerek yok|olmaz|degil*|almayalim|istem*|dusun<neg>|mumkun deg*|
        uygun deg*|ilgilen<neg>|erken|beklemede|ihtiyac* yok|plan* yok)
    (pas|es) gec*
    (kalsin|kalsn)
    gec (kaldiniz|kaldin|kalmissiniz)
    (bir|bi) … (eksik*)
    bizi as(ar|iyor|ti|an)*
    olumlu (yanit|cevap|donus|bak)* … (ver|don|ol|yap)?<neg>
    (olumlu|sicak) bak<neg>
    (olumsuz*|reddedi*|red ediyor*|kabul ed(emi|eme)*)
    (mumkun|soz konusu|imkan*) … (degil*|yok|gorunm*|olmad*)
    (olmaz|sanmam|sanmiyor*|zannetm*)
    (ilginize|mailiniz*|teklifiniz*|nezaket*|bilgilendirme*|oneriniz*|zaman*|e postaniz*) (icin)? <thanks> (ama|
        ancak|fakat|lakin)
    (size)? (basarilar|bol sans|hayirli isler|kolayliklar|iyi sanslar)
    (gulduruyor*|guldurmeyin|ruyanizda|cok beklersiniz|avucunu* yala*|yok artik|hadi ya|hadi oradan|tabii tabii|
        tabi tabi|bir bu eksikti|bi bu eksikti|isiniz yok mu|zaman kaybi*|vakit kaybi*|bos is*|ugrasamam|ugrasamay*|
        havanizi al*|gec bunlari|gecin bunlari|aman ne guzel|ne sans|tam da ihtiyac|baska kapiya|isim olmaz|
        isimiz olmaz|yemezler|almayayim)
    (firma*|sirket*|is ?yer*|dukkan*|magaza*) (\w+)? (kapat*|kapan*|tasfiye*|iflas*|sattik|devrettik)
    (bos|gereksiz|luzumsuz|sacma*|anlamsiz|ise yaramaz|palavra|hikaye)
    (cozduk|halletti*|hallol*|tamamladik|anlastik|karar verdik|sectik|imzaladik|yaptirdik|satin aldik)
    (gorusmeye|toplantiya|demoya|sunuma|gorusmeye) (\w+)? (gerek yok|gerek gorm*|gerek duym*|kapali*)
    (karsiligi*|geregi*|anlami*|manasi*|lafi*) (yok|olmaz|kalmadi)
    (hal*|niyet*|durum*) (\w+)? (yok|degil*)
    (para|butce|kaynak|vakit|zaman) (ver|ayir|harca)(ecek|acak|emeyiz|amayiz|emem|miyoruz|meyiz|mayiz)* … (yok|
        degil*)?
    (denedik|denemistik|kullandik|kullanmistik|yaptik|calistik) … (verim*|sonuc*|fayda*|memnun*|olmadi*|tutmadi*|
        alamad*)
    (verim|sonuc|fayda|randiman) al(amad|amiy|mad)*
"""

# A no for lack of time or money: often temporary, and outweighed by a request.
NO_ROOM = r"""
    (ocak|subat|mart|nisan|mayis|haziran|temmuz|agustos|eylul|ekim|kasim|aralik)(ta|te|da|de) (bakariz|
        degerlendiririz|konusuruz|bakarim|tekrar)
    (ihtiyac*|gerek*|talep*) (olursa|oldugunda|olmasi|dogarsa|halinde|duyarsak|durumunda|olur ise) …
    (?!sor|bilg|haber|itiraz|hab)\w+(imiz|umuz|imiz de|umuz da|miz|im|um|am) (de|da)? (yok|yoktur|bulunmamakta*|
        bulunmuyor|olmayacak*|kalmadi)
    (gundem*|plan*|oncelik*|butce*|program*) (\w+)? (\w+)? (yok*|degil*|bulunm*|kalmad*|dondu*|yer alm*|olmad*|
        almiyor)
    butce* … (yok*|bulunm*|kalmad*|ayir(ma|am|mi)*|musait deg*|kisitli*|dondu*|dar|yetersiz|asiyor|asar|ustunde|
        uygun deg*|elverm*|kapand*|kapali|yetmiyor|yetmez|tukendi|doldu|sifir)
    (kaynag*|vakt*|zaman*|paramiz*|para|imkan*|niyet*|planimiz*|dusunce*) (\w+)? (yok*|deg*|bulunm*|kalmad*)
    (erteledi*|ertele(me|nd|me kar)*|dondur(du|ul)*|askiya*|rafa kal*|durdurdu*|iptal ettik)
    <later> … (bakar*|degerlendir*|gorus*|yaz|yazin|yazarsan*|donus*|hatirlat*|tekrar*|konus*|dusun*|olabilir*|belki|
        iletis*|haberles*|ulas*|gundem*|arayin|aray*|bakalim|temas*|haber*)
    belki … (<later>|bir gun|ilerde|ileride|sonra*)
    (aklimizda|aklimda|kenarda|not olarak|dosyamizda) (dursun|kalsin|bulunsun|tutar*|olsun)
    pahali*
    (cok|fazla|biraz|oldukca) (yuksek|tuzlu)
    (yuksek|tuzlu|fazla gel*|el yak*|astronomik|ucuk) (geldi|buldu*|bizim|bana|bize|kaldi*|maalesef|ya)
    (zaten) (\w+)? (\w+)? (var*|kullan(iyor|makta)*|calis(iyor|makta)*|anlas*|mevcut*|aldik|cozduk|coz*|hallett*|
        yapiyor*|memnun*|yaptir*|destek ali*)
    (anlasma*|sozlesme*|tedarikci*|cozum*|is ortag*) (\w+)? (var*|mevcut*|imzalad*|imzalam*|yaptik|devam ediyor|
        bulunuyor*|bulunmakta*)
    (yogun*|mesgul*|musait deg*|vakit yok) … (donem*|bakam*|ilgilenem*|degerlendirem*|ayiram*|mumkun deg*)
    nakit (sikis*|yok|sikinti*)
    butce* (\w+)? (\w+)? (uzerinde|disinda|ustunde|cok ustu|fazla|asan)*
"""

HESITANT = r"""
    (maalesef|malesef|ne yazik ki|uzgun*|kusura bakma*|ozur*)
    <thanks> (ederiz|ederim|ler)? (ama|ancak|fakat|lakin)
    (zaten|halihazirda) (var|kullan*|calis*)
    (cok|asiri|fazla|epey)? (yogun|mesgul)(uz|um|uz su*|dayiz)?
    ilgilen(irsek|irsem|ilirse|me durumu*)
    (biz|ben) (size|sizi)? (don|ara|ulas|yaz|haber ver)(er|ir|ar|ur)(iz|im)
    (belki|sanirim)
    (kucuk|ufak) (bir)? (isletme*|firma*|esnaf*|ekip*|sirket*)
    emin deg*
    (?!acil|anlasil|gorun|calis|bilin|belli|anla|bil|gel)\w+(miyor|muyor|maz|mez|medi|madi|mediler|madilar)
    (?!anla|bil|hatirla|tani|gor|al)\w+(miyoruz|miyorum|mayiz|meyiz|mayacag|meyeceg|mayacak|meyecek|amayiz|emeyiz|
        mamaktayiz|memekteyiz|medik|madik)*
"""

WANTS = r"""
    <thing> (\w+)? (\w+)? (<send>)(<ask>)
    (butce*|fiyat*|maliyet*|ucret(?!li|siz)*) … (fikir|bilgi|rakam|aralik|tahmin*) (ver|alab|ed)*
    (<send>)(<ask>) (\w+)? (bakalim|bakayim|bakariz|inceleyelim|inceleyeyim|inceleriz|degerlendir*|lutfen|konusalim)
    (gonder|yolla|paylas|ilet|anlat|goster|sun)(<ask>)
    (gonder|yolla|paylas|ilet|anlat) (bakalim|bakayim|hele|bakariz|gitsin|lutfen|bi)?
    (at|atin|atsana|atarmisin|atar misin*) (bakalim|bakayim|bi|bir)
    (bilgi|fiyat|teklif|detay|demo|numune|randevu)* … (al|ed|iste|rica et|talep et|bekle|ogren|edin|gor)(abilir|
        ebilir|inebilir|elim|alim|alayim|mak|mek|iyor|i?riz|i?rim|sem|sam|sek|sak)*
    ikna (ol|et)(dum|duk|tiniz)
    (nereden|nasil|ne zaman) basl*
    sizi ara(yayim|yalim|yacag|rim|riz|yabilir)*
    (telefon*|numaranizi|numaraniz|iletisim bilgi*) … (al|rica|yaz|paylas|ilet|ver)(abil|ir|in|sin|ar)*
    nasil (basvur|al|kaydol|kayit|satin|uye ol|siparis|kullanmaya)*
    <thing> … <wish>
    (?!sor|belirt|tesekkur|soyle|bil|hatirlat|ifade|vurgula|iptal|cik|sil|et|ogren|bildir|uyar)\w+m[ae](k|yi) (de|da|
        cok)? <wish>
    (sizinle|size) (nasil|ne zaman|nereden) …
    <thing> … (rica|bekli*|lutfen|talep ed(iyor|er|ecek)*|ihtiyac* var*|gerek*|lazim|alalim|alayim|alabilir*|alirsak|
        alirsam|alsam|alsak|almak ister*|olursa|mumkun mu*|var mi*)
    (fiyat*|ucret(?!li|siz)*|tarife*|maliyet*|paket*|lisans*) (\w+)? (\w+)? (ne|nedir|neler|nelerdir|ne kadar*|
        nasil*|kac*|ogren*|soyle*|ver*|alab*|alayim|at*|gonder*|mi|lutfen|bilgi*|liste*|araligi*|hakkinda|rica*|
        politika*|teklif*|alalim|cikar*|calis*|yaz*|acisindan|tarafi*|konus*|net*)
    ^ (merhaba*|selam*|mrb|slm|iyi gunler|sadece)? (\w+)? (fiyat*|ucret(?!li|siz)*|teklif|demo|detay*|katalog|sunum|
        brosur|bilgi|randevu|fiyat listesi|fiyatlar) (lutfen|var mi|<title>)? $
    (kac|ne) (para*|tl|lira*|dolar*|euro*|tutar*|tutuyor|odeyece*|odeniyor|oduyor*)
    (ne kadara|kaca) …
    kaca … (mal*|patlar|gelir|gelir|oluyor|olur|verir*|satiyor*)?
    ^ (merhaba*|peki|bu|bunun|sizin|bize|aylik|yillik|toplam|acaba)? ne kadar (bu*|aylik*|yillik*|tutuyor|tutar|eder|
        oluyor|olur|ya|acaba)? $
    ne kadar (tutuyor|tutar|eder|cik(ar|iyor)|gelir|odeme*|oder*|butce*|maliyet*|ucret(?!li|siz)*|fiyat*|para*)
    (<meet>)(<lets>)
    (<meet>)(mek|mak|meyi|mayi|me|ma) … <wish>
    (<meet>)(me|ma) (ayarla|planla|yap|talep|organize|set et|koy|olustur)*
    (<meet>)(<ask>) … (<meet>)(<lets>)
    (toplanti*|gorusme*|demo*|randevu*|gun|saat|tarih*|zaman*|vakit|takvim*|kahve*|arama*) … (ayarla|planla|belirle|
        yap|organize|al|ver|oner|koy|iste|kararlastir|set ed|set et|olustur|bul|sec|ac|ic)(<lets>|<ask>|iyo*|<wish>)
    (toplanti*|gorusme*|randevu*|takvim*) (davet*|link*|istek*|talep*|icin uygun*|at*|gonder*)
    (ne zaman|hangi gun*|hangi saat*|saat kacta|kacta) … (uygun*|musait*|gorus*|konus*|bulus*|yap*|arar*|gel*|demo*|
        toplanti*|basla*|ara*)
    (uygun*|musait*) (oldug* (bir)?|bir|olan)? … (gun*|saat*|zaman*|vakit*|tarih*|slot*)
    <day> … (uygun*|musait*|uyar|olur|olabilir|iyi|gorus*|konus*|ara(yin|r|yabil)*|bosum|bosuz|bekli*|gel(in|ebil|
        ir)*|buyrun|bulus*|toplanti*|ok|tamam|konusuruz)
    (uygunum|uygunuz|musaitim|musaitiz|bosum|bosuz|olur uygun*)
    ara(yin|yabilir*|r misin*|yabilirsin*|yiniz|rsan*|yip|sana|yin beni|sin)
    (telefon*|numara*|cep*|hat*|gsm|tel|no|whatsapp*|cebim*) (\w+)? phonenumber
    phonenumber (\w+)? (\w+)? (ara*|ulas*|yaz*|bekli*|whatsapp*|numara*|dan*|den*)
    (ilgileniyoru|ilgileniyom|ilgileniyoz|ilgileniyorm|ilgilendik|ilgilenirim|ilgileniriz|ilgilenebilir|ilgilenmekte)*
    (ilgi*|dikkat*) (cek(ti|ici|iyor|er)*|duy(uyor|du|ar|dum|duk)*|uyandir*)
    (ilgimiz|ilgim var)
    (ilgi|merak) (uyandir|ettim|ettik|ediyor)*
    merak (et|ed)(tim|tik|iyor*)
    (tam|tam da|zaten) … (aradig*|ihtiyac*|istedig*|bekledig*|lazim olan|isteyip)* (sey|cozum|konu|buydu|bu)?
    (boyle|bu tur|bu tarz|benzer) (bir)? (sey*|cozum*|urun*|hizmet*|arac*|yazilim*|sistem*) … (ariyo*|ihtiyac* var*|
        bakiyor*|arayis*|aramakta*|lazim*|kullanmak <wish>|iste(r|diy)*)
    (ihtiyac*|arayis*|arayisi*) (var*|icindeyiz|icinde*|icerisin*)
    (ariyoruz|ariyorum|ariyordum|ariyorduk|lazimdi|bakiniyor*|arastiriyor*|degerlendiriyoruz|arayistayiz)
    (dene|test et|kullan|gor)(mek|me|meyi|mayi) … <wish>
    (deneme|demo|test|pilot) (surumu*|hesab*|surum*|calisma*|uygulama*|proje*) (\w+)? (var*|ac*|al*|ver*|yap*|basla*|
        iste*|olustur*)
    (kayit ol*|basla|nasil baslar*|baslayalim|ilerleyelim|devam edelim|hemen basla*|sonraki adim*|sonraki asama*|
        satin almak <wish>|siparis ver*|siparis)
    (cc*|bilgiye|konuya|yazismaya|maile|copye|surece|gruba) … (ekl(iyor|edi|uyor|eyelim|edim)|al(iyor|dim|alim)|
        koy(uyor|dum)|dahil)*
    (ekle|dahil et|dahil ed|tanistir|bilgiye al|cc le|ccle|baglantiya gecir)(di|iyor|dim|dik|yelim|eyim|iyorum)*
    (ekip|arkadas*|mudur*|<title>|ortag*|yonetici*|meslektas*|partner*|genel mudur*) (\w+)? (\w+)? (toplantiya|
        gorusmeye|demoya|davete|surece|konusmaya|aramaya|birlikte|beraber) … (katil*|ekle*|dahil*|gel*|al*|cagir*|
        olsun*|gorus*|konus*|davet*|bekl*)
    (davet|link|takvim|calendly|ajanda)* (\w+)? (at|gonder|ilet|paylas|yolla|ac|olustur)(<ask>)
    (buyurun|buyrun|bekliyor*|bekleriz|beklerim|kahve*|cay) (gel*|ofis*|toplanti*|gorus*|arama*|donus*|teklif*|ic*)
    (bekliyoruz|bekliyorum|bekleriz|beklerim) $
    (geri donus*|donus*|haber*|teklif*|cevap*|arama*) … bekli*
    (ofis*|sirket*|fabrika*|buraya) … (gel(in|ebilir|irseniz|ir misin)*|bekl(eriz|iyor)*|buyrun|buyurun|ugra*)
    (hakkinda|ilgili|dair|konusunda) … (bilgi*|detay*|konus*|gorus*) … (al|iste|ver|ed|rica|konus|gorus)(abilir|mak|
        iyo|ir|er|elim|alim)*
    (nasil|ne sekilde) (ilerl*|ilerleyebil*|baslayab*|basla*|satin al*|siparis*)
    (sart*|kosul*) (\w+)? (konus*|ogren*|neler*|nedir*|ver*)
    (is birligi*|isbirligi*) (\w+)? (yap(alim|abilir)|acig*|isteri*|dusunebil*|degerlendir(elim|ebil)|gorus*)*
    (memnuniyetle|seve seve|severek|zevkle|mutlaka|elbette) … (gorus*|konus*|dinle*|katil*|incele*|degerlendir*|olur|
        bekl*)*
    (faydali|yararli|iyi|guzel|super|harika|mantikli|hos) (olur|olabilir|olacak|duruyor|gorunuyor|geldi|gozukuyor|
        fikir|sey)*
    (daha fazla|detayli|ayrintili|biraz daha|daha detayli) (bilgi*|anlat*|ogren*|konus*|incele*|aciklama*)
    (sizi|seni) (dinle|misafir|bekle|agirla)*
    (bi|bir|hizli bir|kisa bir|yarim saat|15 dk|15 dakika|on dakika)? (gorusme|toplanti|telefon|call|zoom|meet|teams|
        demo) (\w+)? (yapalim|ayarlayalim|yapabilir*|olur|iyi olur|koyalim|atalim|alalim|set edelim|planlayalim|
        konusalim|yapsak|ayarlar*)
    (davet|toplantiya|gorusmeye|aramaya|demoya) … (ed|et|cagir|ekle|al)(<ask>)
    (bu|su)? konuyu (konus|gorus)*
    (memnun) ol(uruz|urum|urdu)*
"""

WARM = r"""
    ^ (evet|tamam|bana|bize|bizim icin|benim icin|bizce|bence)? (\w+)? uygun(dur)? (<thanks>)? $
    (?!vazgec|pas|birak|ertele|durdur|kapat|iptal|beklet|almay|\w*m[ae]y[ae]l)\w{3,}[ae]lim
    ^ (merhaba*|selam*|valla|vallahi|ya|aa*|hmm|max|iyi gunler|hocam|tabi|evet)? (\w+)? (evet|olur*|tabii*|tabi|
        elbette|peki olur|kesinlikle|memnuniyetle|neden olmasin|olabilir|uyar|hay hay|aynen|seve seve|mutlaka|olsun|
        harika|super|hadi bakalim|varim|variz|ok olur|tamamdir olur|he|hee|eve|eveet|yes|tmm olur|tamam olur|haydi|
        isterim|isteriz|istiyorum|istiyoruz|lutfen|katiliyorum|kabul) (<thanks>|lutfen|olur|<title>|tabii|tabi|
        neden olmasin|isteriz|isterim|sevinirim|seviniriz|memnun olurum|memnun oluruz|hocam|evet|ederim|thumbsup|
        lutfen|ki|uygun*)? (\w+)? $
    (ilginc*|enteresan*|dikkat cekici|heyecan verici|basarili|etkileyici|cazip|hosuma|hosumuza|begend*|mantikli|
        faydali|kulaga hos|kulaga iyi|guzel|iyi) (geldi*|gelebilir|duruyor|gorunuyor|gitti|bir (fikir|urun|konu|
        proje|cozum)|fikir|olur|olabilir|geliyor|gozukuyor|bulduk|buldum|sey)
    (begendim|begendik|hosuma gitti|hosumuza gitti)
    ^ (cok|bayagi|oldukca)? (ilginc*|enteresan*|mantikli|cazip) (\w+)? $
    (evet|olur|tabii|tabi|elbette|tamam) (lutfen|gonder*|ara*|gorus*|konus*|isteriz|isterim|olur|bekli*|yap*|ayarla*|
        memnun*|uygun*)
    bir (bak|incele|dene|gor)(alim|eyim|ayim|elim|sek|sak)
    (?!bilmek|sormak|ogrenmek)\w+ (isteriz|isterim|istiyoruz|istiyorum)
    ^ (isteriz|isterim|istiyoruz|istiyorum) …
    (severim|sevinirim|seviniriz|sevindim|isterdim|isterdik|arzu ederiz|arzu ederim)
"""

LEANS = r"""
    ^ (evet|tabii|tabi|olur) \w+
    olabilir|belki
    demo*
    ilgi*
"""

ASKS = r"""
    \w+ (mi|mu)(y[iu][mz]|s[iu]n([iu]z)?|d[iu]r|yd[iu]*|s[iu]n[iu]z|yok*)? (acaba|ki|yoksa)?
    \w+(misiniz|musunuz|miyiz|muyuz|midir|mudur)
    (kim|kimsiniz|kimsin|nedir|neler|nelerdir|ne|nerede*|nerden|nereden|nereli*|nasil*|hangi*|kac*|neden|niye|nicin|
        ne zaman|ne kadar|kimin|kime|kimden|hangisi*|napiyon*|napiyor*|nesiniz|neci*|neyin|neye|nereye|neresi*|
        ne is*|ney|noluyo*)
    (acikla|anlat|belirt|soyle|netlestir)(<ask>)
    soru* (var*|sor*|sorabil*|soracag*|su*|olacak*)
    (anlamadim|anlayamadim|anlamadik|anlasilm*|emin olamad*|tam olarak|tanimiyorum|taniyamadim|cikaramadim|
        hatirlayamad*)
    (merak) (et|ed)(tigim*|tim|iyor*) … (ne*|nasil*|kim*|soru*|konu*)
"""

# Forwarded inside their company: they continue without us.
PASSED_ON = """
    (donus yap|donecegim|donecegiz|doneriz|donerim|haber ver|bilgi ver|geri don|cevap ver|yanit ver|ileteceg|iletece|
        iletirim|iletiriz|ilettim|ilettik|iletilmistir|iletildi|yonlendirdim|yonlendirdik|paylastim|paylasacag|
        aktardim|aktaracag|konusacag|konusup|degerlendirip|bakip|inceleyip|inceleyecegi|degerlendirecegi|dusuneceg|
        dusunup|gorusup|toplantida)*
    (ekib*|ekip*|arkadas*|birim*|yonetim*|mudur*|ilgili*|yetkili*|<title>|departman*) … (ilettim|ilettik|iletiyorum|
        ileteceg*|iletece*|yonlendirdi*|paylasti*|aktardi*|iletilmistir|iletildi|gonderdi*|yonlendirilmistir)
"""

ACKNOWLEDGED = """
    <thanks>
    ^ (ok|okey|oki|tamam*|tmm|tmam|anladim|anlasildi|peki|not aldim|not ettim|gordum|eyw|eyv|okay|hmm|aldim|iyi|
        guzel|bilgi edindim|haberim var|super|harika|he|oldu|tamamdir|mrb|slm|selam*|merhaba*|deneme|test|
        bilginize*) …
    (aldim|aldik|ulasti*|ulasmis*|gordum|gorduk|okudum|alinmis*|alindi|tarafimiza|tarafima|kaydedil*|kayit altina*|
        olusturul*)
    (bilginize|bilgilerinize|ekte|ektedir)
"""

# Automatic replies of help desks.
RECEIPT = r"""
    (kutlu olsun|gecmis olsun|basiniz sag olsun|nice yil*|mutlu yil*)
    (iyi|mutlu|hayirli) (bayram*|hafta*|gun*|calisma*|yil*|sene*|aksam*|cuma*|ramazan*)
    (talep|kayit|destek|basvuru|referans|bilet|ticket) (no|numara*|id)
    (mesaj*|mail*|talep*|e ?posta*|basvuru*) … (tarafimiza|tarafimizca|sistem*|ekib*) (ulas*|alin*|ilet*|kaydedil*)
    (mesaj*|mail*|talep*|e ?posta*|basvuru*) (\w+)? (alinmistir|ulasmistir|kaydedilmistir|iletilmistir|
        olusturulmustur)
    (en kisa (sure*|zaman*)|\d* (saat|gun|is gunu) icinde*) … (donus*|don*|yanit*|cevap*|iletisim*|gecil*)
"""

NEGATED_AFTER = re.compile(r" (?:\w+ ){0,2}(?:degil|yok|istem(?:iyo|em|ey|ez)|gerek yok|luzum yok)\w*(?! m[iu])")
CONCEDED_BEFORE = re.compile(r"\bher ne kadar\b")
ASKED_AFTER = re.compile(r" m[iu](?:y[iu][mz]|s[iu]n(?:[iu]z)?|d[iu]r|yd[iu])?\b")
CAPABILITY = re.compile(
    r"^(?!.*\b(?:beni|bizi|bana|bize|benim|\w+[ae]bilirim|(?:adres|mail|veri|bilgi|numara)\w*im\w*|"
    r"\w*s[iu]n[iu]z)\b).*\b(?:m[iu]|mudur|midir|nasil|ne)\b"
)
TURNS = "ama|fakat|ancak|lakin|yine de|amma|maalesef|malesef|ne yazik ki|bununla birlikte"
GREETINGS = r"merhaba\w*|selam\w*|sayin|gunaydin|iyi gunler|iyi calismalar"
AUTOMATIC_SUBJECTS = "otomatik (?:yanit|cevap|ileti)|ofis disi|izinli"
OPT_OUT_SUBJECTS = r"(?:abonelik|liste)\w* cik\w*"
SIGN_OFFS = (
    "(?:en icten |icten |derin )?saygilar(?:imla|imizla)?|(?:en iyi )?dileklerimle|(?:iyi|kolay) (?:calismalar|gunler|"
    "haftalar|aksamlar|isler)(?: dilerim| dileriz)?|kolay gelsin|tesekkurler|selamlar|sevgiler|hurmetler|sygl|"
    "esenlikler"
)
AFTERTHOUGHTS = "not:|lutfen|ayrica|bir daha|beni "
DEVICES = (
    r".{0,40}\b(?:iphone|ipad|android|samsung|xiaomi|huawei|cihaz|telefon|outlook|yahoo|windows)\S{0,12}"
    r"(?: \S+){0,4} (?:gonderildi|gonderilmistir|edinin|yukleyin)\b"
)
DISCLAIMERS = (
    r"bu (?:e-?posta|elektronik posta|ileti|mesaj)\b.{0,200}\b(?:gizli|kisiye ozel|yalnizca|sadece)|yasal uyari|"
    "gizlilik (?:notu|bildirimi|uyarisi)|bu e-?postayi .{0,60}aliyorsunuz"
)
SEE_BELOW = r"asagida\w*"
MONTHS = (
    "ocak oca", "subat sub", "mart mar", "nisan nis", "mayis", "haziran haz", "temmuz tem", "agustos agu", "eylul eyl",
    "ekim eki", "kasim kas", "aralik ara",
)  # fmt: skip
WEEKDAYS = ("pazartesi", "sali", "carsamba", "persembe", "cuma", "cumartesi", "pazar")
TOMORROW = "yarin"
NEXT_WEEK = "haftaya|gelecek hafta|onumuzdeki hafta"
ENDS_AFTER = (
    r"kadar|dek|degin|don(?:ec|er|uy|us)\w*|ofis(?:te|im)\w*|masam\w*|is ?bas\w+|gorev(?:e|im)\w*|basla\w+|"
    r"bura?da\w*|acil(?:iyor|aca|ir)\w*|acigiz|sonra\w*|gelec\w*|geliyor\w*|arasi\w*"
)
