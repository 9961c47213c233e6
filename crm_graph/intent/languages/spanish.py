"""Spanish phrases by what they say, in the notation of phrases.py, over folded words; of Spain and Latin America.

cues.py says in which order the kinds are tried and what each weighs.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    ""
    "el la los las un una de del al y o que en con por para sin sobre no si es son esta estan estoy somos soy "
    "mi mis su sus nuestro nuestra nos me te se le les lo ha he hemos han muy mas pero como este esta eso esto ya "
    "gracias hola buenos buenas dias tardes saludos cordial usted ustedes"
)
CLASSES = {
    "not": "no|nunca|jamas|ningun|ninguna|ninguno|nada|nadie|tampoco|ni|sin",
    "me": "me|mi|mis|nos|nuestro|nuestra|nuestros|esta direccion|este correo|este buzon|esta cuenta",
    "mail": (
        "correos?|correo electronico|e ?mails?|mails?|mensaj*|comunicacion*|newsletter*|boletin*|publicidad|spam|"
        "promocion*|propuestas comerciales|ofertas|propaganda|contacto|informacion comercial|invitaciones"
    ),
    "list": (
        "lista*|listado*|base de datos|bases de datos|base|bbdd|base de contactos|mailing|registro*|fichero*|archivo*|"
        "sistema*|crm|contactos|distribucion|directorio|agenda de contactos"
    ),
    "thing": (
        "precio*|tarifa*|presupuesto*|cotizacion*|oferta*|propuesta*|info|informacion|detalle*|documentacion|folleto*|"
        "presentacion|dossier|demo|demostracion|ejemplo*|video*|enlace|link|acceso|referencia*|casos|caso de exito|"
        "ficha*|catalogo*|costo*|coste*|material|pdf|invitacion|calendario|disponibilidad|prueba|condiciones|brochure|"
        "numeros|planes|horarios|plan de precios"
    ),
    "send": (
        "mand*|envi*|pas*|compart*|hacer llegar|hazme llegar|haganos llegar|hagame llegar|remit*|facilit*|dar|deme|"
        "denme|dame|danos|muestr*|proporcion*|adjunt*|recibir|reenvi*"
    ),
    "meet": (
        "llam*|habl*|reun*|reunion*|ver*|veamos|vernos|conversar|conversamos|charl*|cita|demo|demostracion|"
        "videollamada|cafe|teams|zoom|meet|agend*|coordin*|entrevist*|platic*|juntarnos|juntamos|conocer*|probar*|"
        "quedar|quedamos|visita*|explicar*|telefono|call|comentar*"
    ),
    "day": (
        "lunes|martes|miercoles|jueves|viernes|manana|pasado manana|hoy|semana que viene|proxima semana|esta semana|"
        r"semana proxima|por la tarde|por la manana|a las \d\d?|\d\d? hs|\d\d? \d\d|el \d\d?|mediodia|a partir de las"
    ),
    "dept": (
        "companer*|colega*|departamento|area|direccion|director*|responsabl*|marketing|compras|gerente*|gerencia|"
        "administracion|sistemas|informatica|ti|it|recursos humanos|rrhh|secretaria|jefe|jefa|senor*|sr|sra|don|dona|"
        "encargad*|sede|matriz|central|mailaddress|equipo|socio|socia|contador*|licenciad*|ing"
    ),
    "later": (
        r"mas adelante|en el futuro|a futuro|el proximo ano|proximo ano|ano que viene|despues (del verano|de verano|de "
        r"vacaciones|de navidad|de las fiestas|de semana santa)|20\d\d|en (unos|un|dos|tres|seis|\d+) (mes*|anos|"
        r"semanas)|dentro de (unos|un|dos|tres|seis|\d+) (mes*|anos|semanas)|trimestre|q[1-4]|en septiembre|en enero|"
        "semestre|en otono|en primavera|algun dia|en otro momento"
    ),
}

NOT_A_REQUEST = r"""
    no (tengas|tenga) reparo
    (ningun|no hay|sin) (problema|apuro|prisa|compromiso|molestia|pena)
    (de nada|por nada|no se preocupe*|no te preocup*|no pasa nada)
    (si|en caso de que|en caso) (no|ya) … (interes*|dese*|quier*|recib*|baja)
    (cumpl*|conforme|adecua*|adapt*) … (rgpd|lopd)
    (en|a|en la bandeja de|carpeta de) (spam|no deseados|correo no deseado)
    (elimin*|borr*|cancel*) … (con su|con el|en su|desde) (software|programa|sistema|herramienta|plataforma)
    (cancel*|anul*|mover|reprogram*|pospon*) … (cita|reunion|llamada)
    (no solo|no solamente)
    (quit*|sac*|saque*) … (duda*|curiosidad)
"""
DOUBLE_NEGATION = """
    no (dude*|dudes) (en)? (llam*|envi*|mand*|propon*|agend*)
    (por que no|porque no) (charlar|hablar|nos|vernos|una|lo vemos)~
    (no|nada) (esta|suena|pinta|parece|es) (nada)? (mal|tonto|descabellad*)
    no (digo|diria|decimos|me importaria|nos importaria|tengo inconveniente|tenemos inconveniente|estaria mal|
        me opongo|veo inconveniente|nos vendria mal|me vendria mal|descart*)
    (sin|ningun) inconveniente
"""
INVITED = r"""
    (bloqueo|bloqueamos|reservo|aparto|apartamos) … (agenda|<day>|hora|espacio)
    (llameme|llamame|llamenme|llamadme|llamenos|llamanos|marqueme|marcame) …
    (escribeme|escribame|contacteme|contactame|contactenos) … (a mi|al|para|por whatsapp|directamente|para coordinar)
    (me|nos) (puede*|podes|puedes|podeis) (llamar|marcar|contactar|localizar|escribir|encontrar) …
    (mi|el|al|telefono|numero|celular|movil|tel|cel|whatsapp) … phonenumber
    (pon|ponga|agreg*|incluy*|anad*|copi*|sum*) … (copia|cc|<dept>|hilo|conversacion)
    (pas*|veng*|ven) … (oficina*|despacho|tienda|local|planta)
"""
LEFT = r"""
    (ya)? no (trabaj*|labor*|forma parte|pertenece*|formo parte|presta servicios|colabora|estoy|esta|sigo) … (aqui|
        empresa|compania|con nosotros|organizacion|en|mas|vinculad*)
    (dejo|dejado|deje|dejaron|abandono|renuncio|renuncie) (ya)? (de trabajar|la empresa|la compania|la organizacion|
        el puesto|su cargo|mi cargo|su puesto|de pertenecer)
    (se|me|esta|estoy|ya) … (jubil*|retir*|pension*)
    (jubilad*|pensionad*|fallecid*|fallecio|despedid*|dimitid*|desvinculad*)
    (cambi*) (de)? (trabajo|empresa|puesto|departamento|area|funciones)
    (trabajo|estoy|paso|cambio|cambie|fui|voy) … (en|a|para) otra empresa
    (nuevo puesto|nuevo cargo|nuevos retos|otras funciones) …
    (direccion|buzon|cuenta|correo|casilla) … (ya)? … (no (esta activ*|se usa|se utiliza|se revisa|se atiende|existe)|
        inactiv*|desactivad*|deshabilitad*|dado de baja|fuera de uso)
    (reemplaz*|sustitu*) … (a|desde|puesto) …
"""
ABSENT = r"""
    (estare|estoy|estaremos|estamos|me encuentro|me encontrare|andare|ando) … (ausente*|fuera (de la oficina|
        del despacho|de oficina|del pais)|de vacaciones|de viaje|de baja|de licencia|de permiso|sin acceso|de descanso)
    (ausente|ausencia) (del|hasta|por|de|desde|temporal)~
    fuera de (la)? oficina
    (vacaciones|licencia|baja|permiso) (hasta|del|desde|de maternidad|maternal|por maternidad|medica|de paternidad|
        parental|por enfermedad)
    (en|de|mis|por) (vacaciones|licencia|baja maternal|baja medica|permiso)
    (respuesta|mensaje|contestacion) automatic*
    (regres*|volver*|vuelvo|retorn*|reincorpor*|de vuelta|estare de vuelta|de regreso) … (el|a la oficina|lunes|
        martes|miercoles|jueves|viernes|a partir|hasta|dia|en)
    (a|tras) (mi|su) (regreso|vuelta|retorno|reincorporacion)
    (oficina*|empresa|despacho|tienda|fabrica|colegio|estudio) … (cerrad*|permanecer*|estara cerrad*|cerramos|cerrara*)
    (cerrad*|cerramos|cierre) (por|del|hasta|vacacional)
    (durante|en) (mi|este|nuestro) (ausencia|periodo|cierre)
    (acceso|conexion) (limitad*|intermitent*|restringid*) …
    (para|en caso de|por) (urgencia*|emergencia*|asuntos urgentes|temas urgentes|algo urgente|cualquier urgencia) …
    (no|sin) … (tendre|tengo|acceso|podre|revisar|revisare|atender|leer) … (correo|mail|email|mensajes|acceso)
    (respondere|contestare|atendere|revisare|leere) … (regres*|vuelta|volver|vuelva|retorn*|correo* esporad*)
    (no trabajo|no laboro) (los|el|hoy|este|esta)
    (enferm*|hospitalizad*|internad*|convaleci*|incapacitad*)
"""
AWAY = """
    (de viaje|en reunion|en reuniones|en una feria|viajando|en ruta|fuera del pais|corriendo)
"""
REMOVAL = r"""
    (prefier*|prefer*|preferim*) (no|que no|que dejen) (seguir|me|nos)~ (recib*|envie*|mande*|contact*|escrib*|
        de enviar)
    (solicit*|pido|pedimos|exij*|exig*|ruego|requier*) … (supresion|eliminacion|borrado|cancelacion|baja|que elimin*|
        que borr*)
    (basta|alto|no mas) (ya)? (de|con|al)? (tanto|tantos|sus|estos)? (<mail>)
    no (me|nos) (volviera*|vuelva*|volvieran|contacte*|escriba*) …
    (dejar|parar|salir) de (recibir|esta|la|su) …
    (darme|dame|denme|deme|dar|dadme|darnos|dennos|denos|solicito|tramiten|causar|pido|quiero|deseo|procedan|
        gestionen) … (la)? (de)? baja
    (desuscri*|desuscripcion|unsubscribe|desinscri*|desapunt*|darse de baja|la baja|cancelar suscripcion|
        cancelen mi suscripcion|cancelar la suscripcion|anular la suscripcion)
    (elimin*|borr*|quit*|saquen|saque|sacar|saca|remuev*|remov*|retir*|suprim*|exclu*|bajen|bajame) … (<me>|<list>|
        datos|correo|direccion|contacto|nombre|email|mail)
    (elimin|borr|quit|sac|remuev|exclu|suprim|retir|saqu)(enme|eme|ame|adme|arme|irme|arnos|ennos|enos|anos|idme|erme|
        ime|alo|enlo|elo)
    (<list>|datos|correo|direccion|email) … (elimin*|borr*|suprim*|eliminacion|supresion|borrado|sea elimin*|fuera)
    <not> … (mas|otra vez|nuevamente|volver a|vuelvan a|vuelva a|vuelvas a) (de|este|estos|sus|tipo|su|me|nos|a|
        esos)~ (<mail>|escrib*|contact*|molest*|envi*|
        mand*|llam*|recib*|insist*)
    <not> (me|nos)? (vuelva*|vuelvan|volver|sigan|siga|seguir)? (a|ser)? (me|nos)? (contacte*|contactado*|escriba*|
        moleste*|molestar|envie*|mande*|llame*|insista*|incomode*|busque*|escribir*|contactar*|enviar*|mandar*) (mas|
        <mail>|nada|nunca|de nuevo|nuevamente|por favor|otra vez|a este|este tipo|comercial*)~
    <not> (quiero|deseo|queremos|deseamos|quisiera|necesito|pretendo) … (recib*|<mail>|saber nada)
    <not> … (quier*|quiero|deseo|dese*|interes*|prefer*|acept*|autoriz*|quisiera) … (recib*|ser contactad*|que me|
        que nos|seguir recibiendo|sus <mail>|mas <mail>|<mail>|tratamiento)
    (dejen|dejar|deje|deja|dejad|paren|pare|parad|parar|basta|cesen|cese|eviten|evite|evita|absteng*|deten*|
        termin*) (ya)? (de|con|los|el|enviar*|mandar*)~ (<mail>|escrib*|contact*|mand*|envi*|molest*|spam*|llen*|
        bombarde*|insist*|acos*)
    (ya basta|basta ya|dejen de|deja de|deje de|paren de) …
    (dej*|dejen|deje) (me|nos|enme|eme|enos)? (en paz|tranquil*)
    (dejenme|dejeme|dejame|dejennos) (en paz|tranquil*)
    ^ (stop|baja|basta|alto|baja por favor|eliminar|quitar|borrar|cancelar|no mas|no mas correos|dar de baja|
        darme de baja|fuera|remover|parar|dejen de escribir) (gracias|por favor|ya|favor)? $
    (articulo|art) (17|21|15|16|22) …
    (derecho|derechos) (de|al|a la|arco|a) (supresion|olvido|oposicion|cancelacion|arco|acceso|eliminacion|borrado)~ …
    (rgpd|lopd|lopdgdd|gdpr|habeas data|ley de proteccion|ley 1581|ley 25326|proteccion de datos|aepd|agencia|
        ley federal|profeco|sic) … (baja|elimin*|suprim*|denunc*|reclam*|derecho*|ejerc*|solicit*|consent*|borr*|
        opong*|opos*|queja|exij*|cancel*|demand*)
    (denunc*|reclam*|queja|demanda*|report*) … (aepd|agencia|rgpd|proteccion de datos|autoridad|spam|profeco|legal*)
    (opong*|oponer*|oposicion) … (tratamiento|uso|utilizacion|datos)
    (consentimiento|autorizacion|permiso) … (no|nunca|retir*|revoc*|jamas) …
    (retir*|revoc*|nunca|jamas|no|sin) (he|hemos|di|doy|dimos)? (dado|di|presto|prest*|mi|el|
        autoriz*)~ (consentimiento|autorizacion|permiso)
    (<mail>) no (solicitad*|desead*|autorizad*|pedid*)
    (los|te|lo) (bloque*|reporto|reportare|denuncio)
    (lista negra|lista robinson|marc* como spam|como spam|correo no deseado)
    (este|esta|mi) (correo|direccion|buzon|email|cuenta) … (no) … (publicidad|comercial*|promocion*|ventas|es para|
        uses|usen|utilic*)
    (olvid*) (me|nos|se de mi|de mi|de nosotros|ense|enme|este correo)~
"""
ANNOYED = r"""
    (spam*|molest*|pesad*|insistent*|insistencia|cansad*|hart*|cuantas veces|enesim*|otra vez ustedes|ya les dije|
        ya dije|tercer correo|cuarto correo|tercera vez|fastidi*|acos*|invasiv*|verguenza|abus*)
"""
ELSEWHERE = r"""
    <not> … (la|el)? (persona (indicada|adecuada|correcta|apropiada|que|encargada|responsable)|contacto (adecuado|
        correcto|indicado)|interlocutor*|responsable|indicad*|encargad*|destinatari*|area|departamento adecuado)
    (persona|direccion|correo|contacto|departamento|area|numero|destinatario) (equivocad*|incorrect*|erroneo|errone*)
    (se|te|se ha|se han) (ha|has|han)? (equivocad*|equivoc*|confund*) …
    (equivocad*|error) de (persona|contacto|destinatario|correo|direccion|empresa)
    <not> … (me encargo|me ocupo|llevo (yo|ese|este|esos)|es mi area|es mi tema|mi competencia|de mi competencia|
        me corresponde|mi responsabilidad|depende de mi|decido|tomo esas|soy yo|manejo|gestiono|veo esos|veo ese|
        mi departamento)
    (se encarga|lo lleva|lo llevan|lo maneja|lo ve|lo ven|lo gestiona|lo decide|decide|lo decid*|se ocupa|
        corresponde a|compete a|depende de|se gestiona|gestionan|responsable es|encargad* es|contacto es) … (<dept>|
        la|el|en|desde)
    (<dept>) … (se encarga|lo lleva|lo maneja|se ocupa|es quien|es el encargado|es la encargada|es la persona|
        toma esas|decide)
    (dirij*|dirig*|contact*|contacte|escrib*|habl*|comuni*|consult*|pregunt*|reenvi*|acud*) (se|te|le|les)? … (a|al|
        con|directamente|en) … (<dept>)
    (debe*|deberia*|tiene* que|tendria* que|puede*|mejor|conviene) … (contactar|escribir|hablar|dirigir*|consultar|
        preguntar|comunicar*) … (<dept>|con|a|al)
    (mi|el|la|nuestro|nuestra) (companer*|jefe|jefa|socio|socia|director*|gerente|colega) … (lleva|decide|se encarga|
        maneja|ve|gestiona|se ocupa|es quien)
    (compras|decisiones|proveedores) … (central*|sede|matriz|corporativ*|casa matriz)
"""
REFERRED = r"""
    (reenvi*|pas*|remit*|deriv*|traslad*) (ado|e|o|amos|su|tu|el|la|al|a|correo|mensaje|lo)~ … <dept>
"""
PASSED_ON = r"""
    (lo|la|le|voy a|vamos a|dejame|dejeme) … (revis*|mir*|leo|leere|leer|vere|veo|vemos|valor*|analiz*|estudi*|
        consider*|echar un|echo un|evalu*) …
    (revis*|valorar*|analizar*|estudiar*|evaluar*|mirar*) (lo|la|mos|e|emos|internamente|con calma|y|su|
        tu)~ (propuesta|correo|calma|informacion|equipo|avis*|le aviso|te aviso|comento)~
    (lo|la) (comento|comentare|comentaremos|consulto|consultare|hablo|hablare|paso|pasare|traslado|reenvio|remito|
        comparto) …
    (reenviad*|trasladad*|derivad*|compartid*|pasado) (internamente|equipo|a|al)~ …
    (le|les|te|os) (avis*|dire|diremos|contact*|comento|escrib*|hago saber|haremos saber|confirm*|informo) …
    (cualquier cosa|si acaso|llegado el caso) … (aviso|avisamos|contact*|escrib*|dig*)
    (lo|la|los) (tengo|tendre|tendremos|tenemos) (en|presente) …
    (pensarlo|pensare|lo pienso|lo pensaremos|pensarmelo|en cuenta)
"""
DECLINED = r"""
    <not> … (interes*|interesad*|necesit*|necesidad|hace falta|aplica|aplicable|relevante|encaj*|util|sirve|convence|
        conviene|requer*|buscando|cuadra|es para nosotros|ajusta|viable|previsto|contempl*)
    (no|nop) (gracias|muchas gracias|lo siento|por ahora|de momento)
    gracias (pero|mas)? (no|paso|de momento no|preferimos|tenemos|ya)
    ^ (no|no gracias|no me interesa|no nos interesa|no interesado|no estamos interesados|gracias pero no|paso|nada|
        no por ahora|de momento no|negativo|no lo siento|no aplica|no procede|creo que no|mejor no|ahora no|
        por ahora no) (gracias|muchas gracias|saludos|un saludo)? $
    (ya)? (tenemos|tengo|contamos|cuento|trabajamos|trabajo|usamos|utilizamos|disponemos|contratamos) (ya|
        con)? … (proveedor*|solucion*|sistema*|herramienta*|partner|agencia|software|contrato|cubiert*|un|una|
        con otr*|resuelt*|equipo interno)
    ya (tenemos|tengo|contamos|trabajamos|usamos|estamos|lo tenemos|disponemos) …
    (estamos|estoy|muy) (muy)? (satisfech*|content*|bien asi|servid*|cubiert*|conform*|a gusto|feliz*|cómod*|comod*) …
    (declin*|rechaz*|descart*|paso de|pasamos|desist*|renunci*) …
    <not> … (seguir adelante|avanzar|continuar|proceder|contratar|adquirir|comprar|invertir|dar ese paso|cambiar|
        entrar|participar|plante*|por la labor)
    (demasiado|muy|fuera de) (car*|pequen*|grande*|costos*|presupuesto|alcance|complej*)
    (lo|todo|nos) (hacemos|gestionamos|llevamos|desarrollamos|resolvemos|arreglamos) … (nosotros|intern*|casa|mism*|
        sol*)
    (suerte|exitos|exito|mucha suerte|que les vaya bien|que vaya bien) (con|en|a)~
    (hemos|acabamos|ya|he|recien) … (contratad*|firmad*|elegid*|optad*|decidid*|renovad*|firmar|contratar|escogid*|
        firmamos) …
    (firmar|contratar|firmado|contratado|cerrar|cerrado|firmamos|contratamos) … (con)? (otr*|competencia)
    (optado|decidido|elegido) … (otr*|no|competencia)
    (prefer*|preferimos) … (no|seguir|quedar*|otr*|dejarlo)
    (perd*|perder) (de)? (el|su|tu)? tiempo
    (no|nada) (es|va a ser|sera) posible
    (lo|mejor) (dejamos|dejo|dejarlo|dejemoslo) …
    (no) (veo|vemos|le veo|le vemos) …
    (no) (soy|somos|es) … (publico|cliente|perfil|target|lo nuestro|empresa)
    (negocio|empresa|tienda) … (cerr*|pequen*|cerrado|liquid*)
"""
NO_ROOM = r"""
    (no|sin|poco|falta de) (tenemos|tengo|hay|contamos con|disponemos de|queda|nos queda)? (el|la)? (presupuesto|
        tiempo|recursos|dinero|capacidad|prioridad|fondos|margen|cabeza|plata)
    (por ahora|de momento|por el momento|en este momento|actualmente|ahora mismo|este ano|hoy por hoy|ahorita|
        a dia de hoy|en estos momentos) … (no|ningun*|nada|congelad*|parad*) …
    (no|nada|ningun*) … (por ahora|de momento|por el momento|en este momento|actualmente|ahora mismo|este ano|
        hoy por hoy|ahorita|en estos momentos)
    no (es|seria|estamos en) … (momento|epoca|prioridad|prioritari*)
    (mal|mala|peor) (momento|epoca|fecha|timing)
    (escrib*|contact*|habl*|retom*|vuelv*|volvamos|llam*|busc*|recuerd*|hablamos|conversamos|lo vemos|
        revisar*) … <later>
    (quiza*|tal vez|a lo mejor|acaso|puede que) … <later>
    <later> … (quiza*|tal vez|retom*|hablamos|si acaso|lo vemos|volvemos)
    (presupuesto*|inversion*|gasto*|contratacion*|proyecto*) … (congelad*|cerrad*|agotad*|comprometid*|parad*|
        suspendid*|asignad*|ejecutad*|paralizad*|detenid*|recort*)
"""
HESITANT = """
    (lamentablemente|desafortunadamente|por desgracia|desgraciadamente|lo siento|dudo|no estoy segur*|esceptic*|
        difícil|dificil|complicado)
"""
WANTS = r"""
    (puede*|podria*|podes|podeis|podriais|puedes|me|nos|tiene*|tienen|tenes|hay) … (<send>|\w{3,14}(arme|arnos|irme|
        irnos|erme|ernos)) … <thing>
    (<send>|mande|mandeme|mandame|mandenme|mandenos|envieme|enviame|envienme|envienos|pasame|paseme|pasenme|
        comparteme|enviad*|mandad*) (me|nos|por favor|el|la|los|las|un|una|mas|toda|algo de|su|tu|porfa|
        porfavor)~ … <thing>
    (puede*|podria*|podes|podeis|podriais|puedes|tiene*|tienes) … (\w{3,14}(arme|arnos|irme|irnos|erme|ernos|armelo|
        arnoslo))
    (mandame|mandeme|mandenme|enviame|envieme|enviadme|envien|pasame|paseme|manda|envia|enviar|mandar|mande|envie|
        adelante) (lo|todo|la|los|pues|nomas|por favor|al|a|por|con|y)~ …
    (quiero|quisiera|queremos|quisieramos|me gustaria|nos gustaria|desearia|deseamos|necesito|necesitamos|necesitaria|
        encantaria) … (<thing>|saber|conocer|ver|recibir|probar|agendar|hablar|entender|una|mas|cotizar|escuchar|verlo)
    (me|nos) (interesa|interesaria|interesan|interesamos|interesar*|llama la atencion|parece interesante|parece bien|
        parece genial|viene bien|vendria bien|viene de perlas|seria util|serviria|sirve|convence|cuadra|late|apunto|
        gusta|encaja|puede servir|cae bien) …
    (si|claro|efectivamente|puede que|podria|mucho|bastante|seguro) (que)? (me|nos)? (interes*)
    (estoy|estamos|estaria|estariamos|estuvi*) (muy|bastante|bien)? (interesad*|abiert*|dispuest*|encantad*|curios*)
    (cuanto|que|cual*) … (cuest*|vale*|precio*|costo*|coste*|sale|tarifa*|cobra*|inversion|presupuesto|costaria|
        saldria|planes)
    (precio*|costo*|tarifa*|coste*) … (por|al mes|mensual*|anual*|aproximad*|para|tienen|manejan|usuario*|lista|rango|
        orientativ*)
    ^ (si|si gracias|si claro|claro|claro que si|por supuesto|con gusto|encantado|encantada|me interesa|nos interesa|
        interesado|interesada|interesados|de acuerdo|vale|vale perfecto|dale|va|perfecto|si por favor|si me interesa|
        con mucho gusto|adelante|si adelante|suena bien|me apunto|ok me interesa|venga|genial|hagamoslo|si dale|si va|
        sale) (gracias|saludos|hablamos|por favor|un saludo)? $
    (si|claro|vale|ok|perfecto|dale|gusto|acuerdo|encantad*|genial|bueno|venga|va|listo) (hablamos|hablemos|cuando|
        manda*|envi*|llam*|agend*|me|nos|podemos|coordin*|vemos|veamos|por favor|quedamos|el|para|con|pase*|pasame|
        adelante|que) … (<meet>|<thing>|<day>|cuando|va bien|queda|bien|viene)~
    (podemos|podriamos|puedo|podria|queremos|quisiera|seria|hagamos|vamos a|tenemos que|hay que|me gustaria|
        nos gustaria|puede*|podes|tendria|tiene*) … <meet>
    (hablamos|hablemos|conversemos|reunamonos|veamonos|nos vemos|charlemos|platiquemos|agendemos|agendamos|
        coordinemos|coordinamos|quedemos|juntemonos) …
    (agend*|coordin*|program*|reserv*|cuadr*|cerr*|fij*|concert*) … (<meet>|<day>|reunion|cita|llamada|espacio|hueco|
        horario)
    (<day>) … (me va bien|puedo|podria|me viene bien|nos viene bien|disponible|libre|esta bien|perfecto|te parece|
        le parece|me queda|funciona|tengo|me sirve|mejor|estaria bien|va bien|te va|le va)
    (disponible|libre|puedo|podria|va bien|viene bien|mejor|prefer*|seria|queda|tengo|parece|propongo|sirve|
        hueco) … <day>
    (cuando|que dia*|a que hora) … (puede*|podemos|disponib*|habl*|llam*|te va|le viene|libre*|tienen|tiene*|hora*)
    (cuente|cuenta|cuenteme|cuentame|cuentenme|cuentanos|expliqueme|explicame|explica|digame|dime|diganme|ampliame|
        muestrame|ensename|muestreme|ensename|muestrenme) …
    (estamos|estoy|ando|andamos|llevamos|justo|justamente|precisamente) … (buscando|evaluando|mirando|valorando|
        comparando|cotizando|necesit*|viendo|pensando en) … (un|una|algo|justo|opcion*|alternativ*|solucion*|
        proveedor*|herramienta*|esto|sistema*)
    (justo|exactamente|precisamente|justamente) … (busc*|necesit*|lo que|eso|tema|hablando)
    (haz*|hag*|prepar*|elabor*|arm*) (me|nos|eme|enos|an|a)? … (presupuesto|propuesta|cotizacion|oferta|demo)
    (cotiz*|presupuest*) (me|nos|enme|eme|ame)? …
    (prueba|probarlo|probarla|probar) … (gratis|gratuita|gratuito|version|unos|dias|primero|posible|la|el)
    (suena|pinta|se ve) (muy)? (bien|interesante) … (<meet>|<thing>|cuando|agend*|manda*|envi*|cuent*)
    (avancemos|procedamos|sigamos|empecemos|arranquemos)
    (que|cuales) (necesitan|requieren|siguiente|sigue) … (paso*|empezar|arrancar|demo)~
"""
WARM = """
    (suena|pinta|se ve|luce|parece) (muy|bastante)? (bien|interesante|prometedor|util|genial|bueno)
    (interesante|buena idea|excelente idea|gran idea|prometedor|genial|curioso|curiosidad|excelente)
    (con gusto|encantad*)
"""
LEANS = """
    (quizas|quiza|tal vez|a lo mejor|podria ser|puede ser|posiblemente|eventualmente)
"""
ASKS = r"""
    (quien|quienes|que|como|donde|cual|cuales|por que|desde cuando|de donde|cuantos|cuantas) (son|es|eres|sois|hacen|
        hace|funciona|tienen|tiene|se|esta|estan|sacaron|obtuv*|consigui*|consegu*|significa|diferencia|ofrecen|les|
        los|incluye|gestion*) …
    (es|son|tienen|tiene|funciona|se integra|ofrecen|trabajan|soporta*|existe|hay|cubren|incluye|permite|usan|
        estan) (un|una|compatible|ustedes|tambien|con|en|el|la|por|para|alguna|algun)? …
    (pregunta|preguntas|duda|dudas|consulta) (rapida|sobre|previa|antes|tecnica|que)~
"""
ACKNOWLEDGED = """
    (gracias|muchas gracias|recibido|recibida|ok|entendido|anotado|tomo nota|tomamos nota|enterado|hola|buenos dias|
        buenas tardes|leido|visto)
"""
RECEIPT = r"""
    (solicitud|mensaje|correo|consulta|ticket|caso|peticion) … (recibid*|registrad*|numero|en proceso|sera atendid*|
        asignad*|ha sido|generad*|tramit*)
    (ticket|numero de caso|acuse de recibo|folio|numero de solicitud|radicado) …
    (a la brevedad|lo antes posible|en breve|dentro de las proximas|en un plazo) … (posible|horas|contact*|respond*|
        atend*)~
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
NEGATED_AFTER = re.compile(r" (?:\w+ ){0,1}(?:no|nunca|tampoco)\b(?! (?:solo|mal|obstante|duden?|se preocupe))")
CONCEDED_BEFORE = re.compile(r"\b(?:aunque|si bien|a pesar de|pese a|por mas que)\b")
CAPABILITY = re.compile(
    r"^(?:y |pero )?(?:puede|se puede|como|quien|cual|cuales|donde|si|tiene|tienen|funciona|permite|es posible|"
    r"admite)\b"
    r"(?!.*\b(?:yo|me|mi|mis|nos|nuestro|nuestra|nosotros|puedo|podemos|hago|\w{3,16}(?:rme|rnos))\b)"
)
TURNS = "pero|aunque|sin embargo|no obstante|lamentablemente|desafortunadamente|desgraciadamente|solo que|eso si"
GREETINGS = "hola|buenos dias|buenas(?: tardes| noches)?|buen dia|estimad[oa]s?|querid[oa]|apreciad[oa]|que tal|sr|sra"
AUTOMATIC_SUBJECTS = (
    r"respuesta automatica|fuera de (?:la )?oficina|ausen\w*|vacaciones|mensaje automatico|autorespuesta|"
    r"out of office"
)
OPT_OUT_SUBJECTS = "(?:darme de |dar de |la )?(?:baja|desuscribir(?:me)?|eliminar|cancelar suscripcion)"
SIGN_OFFS = (
    r"(?:un |muchos |reciba un |le envio un )?(?:cordial(?:es)? |atentos? |afectuosos? )?saludos?(?: cordial(?:es)?)?|"
    r"atentamente|cordialmente|gracias(?: de antemano| por todo| y saludos)?|muchas gracias|abrazos?|un abrazo|"
    r"quedo atent[oa].{0,20}|quedo a (?:la|su) .{0,20}|buen dia|feliz dia|que tenga.{0,20}|atte|slds|bendiciones"
)
AFTERTHOUGHTS = r"p\.? ?[sd]\b|pd\b|ps\b|por favor|ademas|y |elimin|quit|borr|no |favor "
DEVICES = r"(?:enviado (?:desde|con|por|via)|obtener outlook|obten outlook|descargar outlook|outlook para).{0,80}\Z"
DISCLAIMERS = (
    r"(?:este (?:mensaje|correo|e-?mail)|la informacion contenida|el contenido de este|el presente (?:mensaje|"
    r"correo))\b"
    r".{0,200}\b(?:confidencial|destinatari|exclusiv|privilegiad)|aviso (?:legal|de confidencialidad|de privacidad)|"
    r"disclaimer|si (?:usted )?no es el destinatario|antes de imprimir|no imprima|cuide el medio|piense en el medio|"
    r"para (?:darse de baja|dejar de recibir)|proteccion de datos:"
)
SEE_BELOW = "abajo|mas abajo|a continuacion|en rojo|entre lineas|inline"
MONTHS = (
    "enero ene", "febrero feb", "marzo mar", "abril abr", "mayo may", "junio jun", "julio jul", "agosto ago",
    "septiembre setiembre sept sep", "octubre oct", "noviembre nov", "diciembre dic",
)  # fmt: skip
WEEKDAYS = ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo")
TOMORROW = "manana"
NEXT_WEEK = "proxima semana|semana que viene|semana proxima"
ENDS_BEFORE = (
    r"hasta(?: el| el dia| el proximo)?|(?:regreso|regresare|regresamos|regresaremos|vuelvo|volvere|volvemos|"
    r"volveremos|"
    r"retorno|reincorporacion|me reincorporo|me reincorporare|de vuelta|de regreso|reabrimos|reabriremos|reapertura|"
    r"retomo|retomare)(?: a la oficina| al trabajo| al despacho| a mis labores| con normalidad| en la oficina)?"
    r"(?: el| a partir del| desde el| el proximo| el dia)?|a partir del"
)
ENDS_AFTER = r"(?:inclusive|incluido|ambos inclusive)\b"
