"""Portuguese phrases by what they say, in the notation of phrases.py, over folded words; of Brazil and Portugal.

A hyphen divides words ("retire-me" is "retire me"). cues.py says in which order the kinds are tried and what each
weighs.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    ""
    "o a os as um uma de do da dos das em no na nos nas com por para pra e ou que nao sim se ao aos mais muito mas "
    "este esta isso isto esse essa voce voces eu nos meu minha meus seu sua nosso nossa me te lhe ja estou estamos sou "
    "somos temos tenho foi obrigado obrigada ola oi bom boa dia tarde cumprimentos atenciosamente"
)
CLASSES = {
    "not": "nao|nunca|jamais|nenhum|nenhuma|nada|ninguem|nem|sem|tampouco",
    "me": "me|meu|minha|meus|nos|nosso|nossa|nossos|este endereco|este e ?mail|esta caixa|esse e ?mail|esta conta",
    "mail": (
        "e ?mails?|emails?|mails?|mensage*|comunicac*|newsletter*|publicidade*|propaganda*|spam|promoc*|contactos?|"
        "contatos?|propostas comerciais|ofertas|informativos?|correio*|boletins|marketing"
    ),
    "list": (
        "lista*|listagem*|base de dados|bases de dados|base|banco de dados|mailing|cadastro*|sistema*|crm|ficheiro*|"
        "registo*|registro*|contatos|contactos|bd"
    ),
    "thing": (
        "preco*|orcamento*|proposta*|cotacao|info|infos|informac*|detalhe*|documentacao|folheto*|brochura*|"
        "apresentac*|demo|demonstrac*|exemplo*|video*|link|acesso|referencia*|cases?|caso*|ficha*|catalogo*|custo*|"
        "material|pdf|convite|agenda|calendario|disponibilidade|teste|condicoes|valores|valor|planos|tabela*|deck|"
        "portfolio|horarios|numeros|dossier"
    ),
    "send": (
        "mand*|envi*|pass*|partilh*|compartilh*|encaminh*|remet*|forne*|disponibiliz*|dar|mostr*|fazer chegar|faca "
        "chegar|receber|apresent*|anex*"
    ),
    "meet": (
        "lig*|fal*|conversa*|convers*|reun*|reuniao|reunioes|ver|vermos|encontr*|call|demo|demonstrac*|"
        "videochamada|videoconferencia|cafe|teams|zoom|meet|agend*|marc*|bate papo|papo|telefon*|conhecer|testar|"
        "experimentar|visita*|chamada|alinhar|alinhamento|trocar ideia*|discutir"
    ),
    "day": (
        "segunda*|terca*|quarta*|quinta*|sexta*|amanha|depois de amanha|hoje|semana que vem|proxima semana|esta semana|"
        r"essa semana|de manha|de tarde|a tarde|as \d\d?h?|\d\d?h\d{0,2}|dia \d\d?|\d\d? horas|\d\d? \d\d|meio dia"
    ),
    "dept": (
        "colega*|departamento|setor|sector|area|direcao|diretor*|director*|responsav*|marketing|compras|gerente*|"
        "gerencia|administracao|ti|informatica|rh|recursos humanos|secretaria|chefe|senhor*|sr|sra|dr|dra|sede|matriz|"
        "mailaddress|equipe|equipa|socio|socia|comercial|encarregad*|pessoal d*|financeiro|suprimentos"
    ),
    "later": (
        r"mais tarde|mais para frente|mais pra frente|mais a frente|futuramente|no futuro|ano que vem|proximo ano|"
        r"depois (das ferias|do verao|do natal|do carnaval|das festas)|20\d\d|(daqui a|em|dentro de) (uns|um|dois|tres|"
        r"seis|alguns|\d+) (mes*|anos?|semanas)|trimestre|q[1-4]|em setembro|em janeiro|semestre|um dia|"
        "noutra altura|outra oportunidade|outro momento"
    ),
}

NOT_A_REQUEST = r"""
    (nenhum|sem|nao ha|nao tem) (problema*|pressa|stress|compromisso|incomodo)
    (de nada|por nada|nao se preocupe*|nao te preocupes|imagina|nao ha de que)
    (se|caso) (nao|ja) … (interess*|desej*|quis*|queira|receb*|descadastr*)
    (conforme|adequad*|em conformidade|compativ*|cumpr*) … (lgpd|rgpd)
    (no|na|caixa de|para o|em) (spam|lixo eletronico|lixo eletronico|lixo electronico)
    (exclu*|apag*|remov*|elimin*) … (no seu|com o|do seu|pelo) (software|sistema|programa|aplicativo|ferramenta)
    (cancel*|desmarc*|adi*|remarc*) … (reuniao|call|chamada|visita|horario)
    (nao so|nao apenas|nao somente)
    (tir*) … (duvida*|curiosidade)
"""
DOUBLE_NEGATION = """
    nao hesit* (em)? (ligar*|envi*|mand*|propor|marcar|agendar)
    (por que nao|porque nao|pq nao) (conversar|falar|marcar|uma|nos)~
    (nada|nao e|nao seria|nao esta|nao parece) (nada)? (mau|mal|ma|ruim|descabid*)
    nao (digo|diria|dizemos|me importo|me importaria|tenho nada contra|temos nada contra|descart*|seria ma ideia|
        me oponho|vejo problema|tenho objec*|custa)
    (sem|nenhuma) objec*
"""
INVITED = r"""
    (bloqueio|reservo|reservamos|separo) … (agenda|<day>|hora|horario)
    (me)? (ligue|liga|liguem|telefone|telefona|contacte|contate|chame|chama|procure) (me|nos|para|pra|no)  …
    (pode|podem|podes) (me|nos)? (ligar|telefonar|contactar|contatar|chamar|procurar|falar comigo|ligar me|
        contactar me) …
    (meu|o|no|telefone|numero|celular|telemovel|tel|whats|whatsapp|zap) … phonenumber
    (coloqu*|coloc*|inclu*|adicion*|pon*|copi*) … (copia|cc|<dept>|conversa)
    (pass*|venh*|vem) … (aqui|escritorio|loja|empresa|nosso|ca)
"""
LEFT = r"""
    (ja)? nao (trabalh*|faz parte|faco parte|integra|colabora|esta|estou|pertence*|se encontra) … (aqui|empresa|
        connosco|conosco|mais|organizacao|na|no|em|quadro)
    (deix*|saiu|sai|saiu|abandon*) (de trabalhar|a empresa|da empresa|a companhia|a organizacao|o cargo|
        de fazer parte|a nossa|da nossa|do grupo|o grupo)
    (se|ja|esta|foi|me) … (aposent*|reform*)
    (aposentad*|reformad*|faleci*|demitid*|demitiu|desligad*)
    (mud*|troc*) de (emprego|empresa|area|funcao|funcoes|departamento|setor|cargo)
    (estou|trabalho|fui|mudei|vou) … (numa|em|para|pra) outra empresa
    (novo cargo|novos desafios|nova funcao|novo emprego) …
    (endereco|caixa|conta|e ?mail|email) … (desativad*|inativ*|descontinuad*|nao e mais|nao esta mais|ja nao|
        nao existe mais|deixou de)
    (substitu*) … (lo|la|por|a mim|me) …
"""
ABSENT = r"""
    (estarei|estou|estaremos|estamos|encontro me|me encontro|fico|ficarei) … (ausente*|fora (do escritorio|da empresa|
        do pais)|de ferias|em viagem|de baixa|de licenca|em licenca|sem acesso|de folga|em gozo de ferias|viajando)
    (ausente|ausencia) (do|ate|por|de|desde|tempor*)~
    fora do escritorio
    (ferias|licenca|baixa|recesso) (ate|de|do|desde|maternidade|medica|parental|paternidade|coletiv*|por)
    (em|de|minhas|nas|por) (ferias|licenca|recesso)
    (resposta|mensagem) automatica
    (regresso|regressarei|regressamos|volto|voltarei|voltamos|voltaremos|retorno|retornarei|retornamos|de volta|
        estarei de volta) … (em|no dia|dia|a|ao|segunda|terca|quarta|quinta|sexta|na|ao escritorio|apenas|
        as atividades|ao trabalho)
    (no|apos|a|apos o) (meu|seu) (regresso|retorno)
    (escritorio*|empresa|loja|fabrica|escola|clinica|nos) … (fechad*|encerrad*|encerra*|em recesso|fechar*)
    (encerrad*|fechad*|encerramento|recesso) (para|de|ate|por|no)
    (durante|neste|nesse) (a|este|esse|o|minha)? (minha)? (ausencia|periodo|ferias)
    (acesso|ligacao|conexao) (limitad*|restrit*|intermitent*|esporadic*) …
    (para|em caso de|se for|caso seja|em) (urgencia*|emergencia*|assuntos urgentes|urgente|algo urgente|
        casos urgentes|questoes urgentes) …
    (nao|sem) … (terei|tenho|acesso|poderei|conseguirei) … (e ?mail*|email*|mensagens|acesso|responder)
    (responderei|respondo|lerei|verei|darei retorno|retornarei) … (regress*|retorn*|volt*|assim que)
    nao trabalho (as|aos|a|hoje|nas|esta)
    (doente|internad*|hospitalizad*|convalesc*|adoentad*)
"""
AWAY = """
    (em viagem|em reuniao|em reunioes|em feira|viajando|a caminho|no transito|no estrangeiro|no exterior|correria)
"""
REMOVAL = r"""
    (prefir*|prefer*) (nao|que nao|que deixem) (continuar a|me|nos|voltar a)~ (receb*|enviem|mandem|contact*|contat*|
        escrev*|de enviar)
    (solicit*|peco|pedimos|exij*|exig*|requeir*) … (exclusao|eliminacao|remocao|apagamento|cancelamento|que remov*|
        que exclu*|que apag*)
    (chega|basta|parem) (ja)? (de|com)? (tanto|tantos|seus|estes|esses)? (<mail>)
    nao (me|nos) (voltem|volte|voltassem|contactem|contatem|escrevam) …
    (deixar|parar) de receber …
    (apaguem|removam|retirem|excluam|eliminem|tirem|deletem|apague|remova|exclua|elimine) (no|na|o|a|os|me|nos|
        lo)? (ja|imediatamente|por favor|pf|daqui|dai)?
    nao autoriz* …
    (descadastr*|desinscrev*|desinscric*|unsubscribe|cancelar (a|minha) (inscricao|subscricao|assinatura)|
        cancelamento (da|de) (inscricao|subscricao)|cancelem (a|minha) (inscricao|subscricao)|opt out|
        anular (a)? (subscricao|inscricao))
    (remov*|retir*|exclu*|apag*|elimin*|tir*|delet*|risc*|descart*|cancel*) … (<me>|<list>|dados|endereco|e ?mail|
        email|contato|contacto|nome)
    (<list>|dados|endereco|e ?mail|email|contato|contacto) … (remov*|retir*|exclu*|apag*|elimin*|remocao|exclusao|
        eliminacao|tirad*|seja* remov*)
    <not> … (mais|novamente|voltar a|voltem a|volte a|voltes a) (deste|desse|tipo|de|seus|estes|esses|me|nos|
        a)~ (<mail>|escrev*|contact*|contat*|incomod*|envi*|
        mand*|lig*|receb*|insist*|perturb*)
    <not> (me|nos)? (voltem|volte|voltar|continuem|continue)? (a|ser)? (me|nos)? (contactem|contacte|contatem|contate|
        escrevam|escreva|incomodem|incomode|enviem|envie|mandem|mande|liguem|ligue|insistam|insista|perturbem|
        perturbe|chateiem|contactar|contatar|enviar|mandar) (me|nos|mais|<mail>|nada|nunca|novamente|por favor|outra|
        a este|este tipo|comercia*)~
    <not> (quero|desejo|queremos|desejamos|gostaria de|pretendo|pretendemos) … (receb*|<mail>|ser contact*|ser contat*)
    <not> … (quer*|quero|desejo|desej*|interess*|prefir*|aceit*|autoriz*|gostaria*|pretend*|
        tenho interesse em) … (receb*|ser contact*|ser contat*|que me|que nos|continuar a receber|continuar recebendo|
        <mail>|tratamento)
    (pare|parem|parar|cess*|evit*|abstenh*|interromp*|suspend*|chega) (ja)? (de|com|os|o)~ (<mail>|escrev*|contact*|
        contat*|mand*|envi*|incomod*|spam*|enche*|bombarde*|insist*|perturb*|me|nos)
    (deix*) (me|nos)? (de me|de nos|de)? (mandar|enviar|escrever|contactar|contatar|incomodar|perturbar|chatear|
        encher|ligar) …
    (deix*) (me|nos)? (em paz|sossegad*|tranquil*)
    (me|nos) (deix*|esquec*) (em paz|sossegad*|por favor)~
    ^ (stop|parar|pare|parem|remover|remova|descadastrar|sair|cancelar|excluir|chega|basta|retirar|retire me|
        remova me|me remova|me tira|me tirem|tira me|fora|nao mais|me exclua) (obrigado|obrigada|por favor|ja|pf|pfv|
        grato|grata)? $
    (artigo|art) (17|18|21|15) …
    (direito|direitos) (de|ao|a|do) (apagamento|esquecimento|oposicao|exclusao|eliminacao|titular|acesso|retificacao) …
    (rgpd|lgpd|lei geral|cnpd|anpd|protecao de dados|procon) … (remo*|elimin*|apag*|exclu*|queixa|denunc*|reclam*|
        direito*|exerc*|solicit*|consent*|opon*|oposic*|exij*|requeir*|retir*)
    (queixa|denunc*|reclam*|process*|denuncia) … (cnpd|anpd|procon|rgpd|lgpd|protecao de dados|autoridade|spam|
        juridic*|advogad*)
    (opon*|oposicao|me oponho|oponho me) … (tratamento|uso|utilizacao|dados)
    (consentimento|autorizacao|permissao) … (nao|nunca|retir*|revog*|jamais) …
    (retir*|revog*|nunca|jamais|nao|sem) (dei|demos|autorizei|autorizamos|o|meu|meu|a|minha)~ (consentimento|
        autorizacao|permissao|autorizei)
    (<mail>) nao (solicitad*|desejad*|autorizad*|pedid*)
    (bloqueio|bloquearei|bloquear) (voces|este|esse|o remetente|remetente|o vosso|seu)
    (lista negra|marc* como spam|como spam|denuncio|denunciarei)
    (este|esta|meu) (e ?mail|endereco|caixa|email|conta) … (nao) … (publicidade|comercia*|marketing|promoc*|vendas|
        use|usem|utiliz*)
    (esquec*) (me|de mim|este e ?mail|o meu|que existo)
    (sair|saia|fora) (da|de|desta|dessa|da vossa|da sua) <list>
"""
ANNOYED = r"""
    (spam*|chat[oa]s?|insistent*|insistencia|cansad*|fart[oa]s?|quantas vezes|enesim*|outra vez voces|ja disse|
        ja falei|terceiro e ?mail|quarto e ?mail|terceira vez|incomod*|inconvenient*|abus*|invasiv*|saco|vergonha|
        importun*)
"""
ELSEWHERE = r"""
    <not> … (a|o)? (pessoa (certa|indicada|correta|adequada|correcta|que|responsavel)|contato (certo|correto)|
        contacto (certo|correto|correcto|adequado)|interlocutor*|responsav*|destinatari*|decisor*|setor certo)
    (pessoa|endereco|e ?mail|contato|contacto|departamento|setor|numero|destinatario) (errad*|incorret*|incorrect*|
        trocad*)
    (se|voce|esta|estao) (enganou|enganad*|equivoc*|confund*) …
    (enganou se|engano) …
    <not> … (trato (disso|desse|deste|destes|desses|eu)|cuido (disso|desse|dessa|desta)|minha area|meu departamento|
        minha competencia|da minha competencia|minha responsabilidade|decido|sou eu|me ocupo|ocupo me|responsavel por|
        minha alcada|meu setor|comigo)
    (quem|isso|isto|esse assunto|este assunto) … (trata|cuida|decide|ve|gere|e o|e a|e com) … (<dept>|o|a|com)
    (<dept>) … (trata|cuida|decide|e quem|e o responsavel|e a responsavel|que trata|que cuida|gere|e que)
    (dirij*|contact*|contat*|escrev*|fal*|consult*|pergunt*|encaminh*|procur*|envi*) (se|te|lhe)? … (a|ao|com|para|
        pra|diretamente|o|directamente) … (<dept>)
    (deve*|deveria*|tem que|tem de|teria que|pode*|melhor|convem|sugiro|recomendo) … (contactar|contatar|falar|
        escrever|dirigir|procurar|tratar|enviar para) … (<dept>|com|a|ao|o)
    (meu|minha|o|a|nosso|nossa) (colega|chefe|socio|socia|diretor*|director*|gerente) … (trata|decide|cuida|ve|gere|
        e quem|e que|responde)
    (compras|decisoes|fornecedores) … (central*|sede|matriz|corporativ*)
"""
REFERRED = r"""
    (encaminh*|reencaminh*|repass*|remet*) (ei|ado|o|amos|seu|o|a|ao|para|e ?mail|mensagem)~ … <dept>
"""
PASSED_ON = r"""
    (vou|vamos|irei|iremos|deixa|deixe) … (ver|ler|analisar|olhar|avaliar|estudar|pensar|considerar|dar uma olhada|
        verificar) …
    (analisarei|analisaremos|avaliarei|avaliaremos|verei|lerei|estou a analisar|estamos a analisar|analisando|
        vou dar uma) …
    (encaminh*|reencaminh*|repass*|partilh*|compartilh*) (ei|ado|o|amos|internamente|para|com|a|ao|equipe|
        equipa)~ (internamente|equipa|equipe|time|colega*|setor|quem de direito|area)~
    (falo|falarei|vou falar|falaremos|conversarei|vou conversar|comento) … (equipe|equipa|socio*|chefe|time|diretoria|
        direcao|intern*|marido|esposa)
    (dou|daremos|darei|dar) … (retorno|resposta|noticias|feedback)
    (qualquer coisa|se for o caso|se houver interesse|havendo interesse) … (aviso|avisamos|contat*|contact*|procur*|
        retorn*|entramos)
    (fica|ficou|vou) … (guardad*|registad*|anotad*|guardar|em arquivo)
    (pensar|pensarei|vou pensar|ponderar|em consideracao|em mente)
"""
DECLINED = r"""
    <not> … (interess*|interessad*|necessit*|precis*|necessidade|faz sentido|relevante|se aplica|aplica*|encaix*|util|
        serve|conven*|compensa|procur*|enquadr*|viavel|previsto|vejo utilidade|usamos|pra nos|para nos)
    (nao|nops) (obrigad*|muito obrigad*|lamento|por agora|por enquanto|de momento|valeu|brigad*)
    (obrigad*|agradec*|grat*|valeu) (mas|pelo contato mas|pelo contacto mas)? (nao|passo|por enquanto nao|preferimos|
        dispens*|ja temos)
    ^ (nao|nao obrigado|nao obrigada|nao tenho interesse|nao temos interesse|sem interesse|obrigado mas nao|passo|
        dispenso|agora nao|por enquanto nao|nao agora|negativo|nao quero|melhor nao|acho que nao|hoje nao) (obrigado|
        obrigada|abraco|att|grato|grata)? $
    (ja)? (temos|tenho|contamos|trabalhamos|trabalho|usamos|utilizamos|dispomos|contratamos) (ja|com)? … (fornecedor*|
        soluc*|sistema*|ferramenta*|parceir*|agencia|software|contrato|um|uma|com outr*|resolvid*|equip* intern*)
    ja (temos|tenho|contamos|trabalhamos|usamos|estamos|dispomos) …
    (estamos|estou|muito) (muito|bem)? (satisfeit*|content*|bem assim|servid*|bem servid*|atendid*|bem atendid*|
        feliz*) …
    (declin*|recus*|descart*|dispens*|abdic*|agradecemos mas|desist*) …
    <not> … (avancar|prosseguir|continuar|dar seguimento|seguir|contratar|adquirir|comprar|investir|mudar|trocar|
        aderir|participar|dar continuidade)
    (demasiado|muito|fora de|fora do|acima do) … (car*|pequen*|grande*|orcamento|alcance|nosso)
    (fazemos|tratamos|desenvolvemos|resolvemos|gerimos|e feito) … (intern*|nos mesmos|nos proprios|casa|sozinh*)
    (sucesso|boa sorte|bons negocios|felicidades|boas vendas)
    (acabamos|acabei|recentemente|ja|fechamos|assinamos|optamos|escolhemos|decidimos) … (fechar|assinar|contrat*|
        outr*|concorren*|renov*|nao|por)
    (prefir*|preferimos|preferia) … (nao|continuar|ficar|outr*|deixar)
    (perd*) (de|do seu|o seu|seu)? tempo
    (fechar|assinar|fechado|contratar|fechamos|assinamos) … (com)? (outr*|concorren*)
    (fica|ficamos|deixa|deixo) (para|pra) (uma)? (proxima|outra)
    (nao) (vejo|vemos|sinto|sentimos) …
    (nao) (sou|somos|e) … (publico|cliente|perfil|alvo|nosso)
    (empresa|negocio|loja) … (fechou|pequen*|encerrou|encerrad*)
"""
NO_ROOM = r"""
    (nao|sem|pouco|falta de) (temos|tenho|ha|tem|existe|dispomos de|dispoe de|sobra)? (o|a)? (orcamento|verba*|tempo|
        recursos|dinheiro|capacidade|prioridade|fundos|budget|caixa|cabeca|grana)
    (por enquanto|por agora|de momento|no momento|neste momento|atualmente|actualmente|este ano|hoje em dia|
        nesta fase|agora|no presente) … (nao|nenhum*|nada|congelad*|parad*) …
    (nao|nada|nenhum*) … (por enquanto|por agora|de momento|no momento|neste momento|atualmente|actualmente|este ano|
        nesta fase|agora)
    nao (e|seria|estamos|e uma|esta) … (momento|altura|prioridade|prioritari*|planos|oportun*)
    (ma|mau|pessima) (altura|momento|hora|timing)
    (escrev*|contact*|contat*|fal*|retom*|volt*|lig*|procur*|conversamos|falamos|vemos|entr*) … <later>
    (talvez|quem sabe|pode ser|porventura) … <later>
    <later> … (talvez|quem sabe|retom*|falamos|conversamos|voltamos|podemos|me procure)
    (orcamento*|investiment*|gasto*|contratac*|projeto*|verba*) … (congelad*|fechad*|esgotad*|comprometid*|parad*|
        suspens*|alocad*|cortad*|travad*)
"""
HESITANT = """
    (infelizmente|lamentavelmente|lamento|sinto muito|duvido|nao tenho certeza|cetic*|dificil|complicado|receio que)
"""
WANTS = r"""
    (pode*|podia*|poderia*|consegue*|conseguem|me|nos|tem|tens|teria*|ha|gostaria*|agradeco) … (<send>|receber|ter|
        ver|haver)? … <thing>
    (<send>|mande|manda|envie|envia|passe|passa|mandem|enviem|me manda|me envia|me passa) (me|nos|por favor|o|a|os|as|
        um|uma|mais|la|sim|pf|entao|ai|algo|algum|seu|sua|vosso)~ … <thing>
    (pode*|podia*|poderia*|consegue*|podem) (me|nos)? (mandar|enviar|passar|mostrar|explicar|apresentar|dizer|ligar|
        detalhar|contar|encaminhar|demonstrar) (me|nos|isso|mais|como|por|o|a|para)~
    (manda|mande|envia|envie|mandem|enviem|pode mandar|pode enviar|podem enviar|avanca|avancem|segue) (tudo|isso|la|
        ai|sim|por favor|por e ?mail|para|pra|a|o|ver|que|ver o que)~ …
    (quero|queria|queremos|gostaria|gostava|gostariamos|gostavamos|desejo|preciso|precisamos|adoraria|
        adorava) … (<thing>|saber|conhecer|ver|receber|testar|agendar|falar|entender|uma|mais|ouvir|perceber|
        experimentar|conversar|marcar)
    (me|nos)? (interessa|interessou|interessaria|interessam|interessante para|chamou a atencao|chamou atencao|
        parece interessante|faz sentido|da jeito|vem a calhar|seria util|serve|cai bem|agrada|pode ser util|agradou|
        veio em boa hora) (sim|me|nos|muito|saber|ver|pra|para|sobre)~ …
    (tenho|temos|ha|existe|tenho sim|temos sim) (muito|algum|sim|todo|bastante|todo o)? interesse (em|sim|na|no|nisso|
        e)~
    (estou|estamos|estaria|estariamos|fiquei|ficamos) (muito|bastante|bem)? (interessad*|abert*|dispost*|curios*|
        recetiv*|receptiv*)
    (quanto|qual|quais) … (cust*|preco*|valor*|custaria|fica|sai|investimento|mensalidade|orcamento|planos|cobram|vale)
    (preco*|custo*|valor*) … (por|mensa*|ao mes|anual*|aproximad*|para|praticad*|usuario*|utilizador*|tabela)
    ^ (sim|sim obrigado|sim obrigada|sim claro|claro|claro que sim|com certeza|com gosto|com prazer|tenho interesse|
        temos interesse|interessado|interessada|interessados|interesse sim|combinado|bora|pode ser|pode sim|perfeito|
        sim por favor|sim tenho interesse|otimo|sim pode|vamos la|fechado|quero|quero sim|aceito|topo|sim gostaria|
        me interessa|interessa sim|interessa me|avancamos) (obrigado|obrigada|abraco|aguardo|por favor|valeu)? $
    (sim|claro|ok|perfeito|gosto|combinado|otimo|bora|fechado|certo|beleza|maravilha|prazer) (vamos|podemos|manda*|
        mande*|envi*|lig*|agend*|marc*|me|nos|quando|fal*|por favor|para|com|pode*|que|sexta|amanha|aguardo|segue|
        tenho) … (<meet>|<thing>|<day>|quando|melhor)~
    (podemos|poderiamos|posso|poderia|queremos|quero|queria|seria|vamos|gostava|gostaria|pode|podia|consegue|
        consegues|conseguimos|da para|tem|teria|topo) … <meet>
    (vamos|bora|podemos) (conversar|falar|marcar|agendar|fazer|avancar|ver isso|nessa) …
    (falamos|conversemos|falemos|marcamos|agendamos|combinamos|marquemos|agendemos) (na|no|entao|amanha|<day>|por|ao|
        quando|uma|um|isso)~ …
    (agend*|marc*|combin*|reserv*|program*) … (<meet>|<day>|reuniao|chamada|horario|data|conversa|visita)
    (<day>) … (posso|pode ser|da|consigo|disponivel|livre|esta bem|esta otimo|perfeito|serve|funciona|tenho|fica bem|
        melhor|seria bom|ok|da jeito|dava)
    (disponivel|livre|posso|pode ser|fica bem|melhor|prefiro|seria|consigo|tenho|sugiro|proponho|serve|da|estou) … <day>
    (quando|que dia*|a que horas|que horas|qual horario) … (pode*|podemos|disponiv*|fal*|lig*|livre*|consegue*|tem|
        melhor|da)
    (conte|conta|explique|explica|diga|diz|mostre|mostra|detalhe|fale|fala) (me|nos|la|mais|la mais)~ (mais|sobre|
        como|melhor|o que|isso|disso)
    (estamos|estou|ando|andamos|justamente|exatamente|exactamente) … (procurando|avaliando|a procura|a procurar|
        a avaliar|buscando|comparando|precisando|a precisar|a ver|vendo|a estudar|cotando) … (um|uma|algo|opc*|
        alternativ*|soluc*|fornecedor*|ferramenta*|isso|isto|sistema*)
    (justamente|exatamente|exactamente|precisamente|mesmo) … (procur*|precis*|o que|isso|assunto)
    (fac*|prepar*|elabor*|mont*) (me|nos|m)? … (orcamento|proposta|cotacao|demo|simulacao)
    (teste|testar|experimentar|experiencia|trial) … (gratis|gratuit*|uns|dias|primeiro|antes|possivel|o|a)
    (avancemos|prossigamos|comecemos|avancamos|pode avancar|podem avancar)
    (aguardo|aguardamos) (o|a|seu|sua|pelo|pela)~ (contato|contacto|retorno|proposta|ligacao)
    (aguardo|aguardamos|espero|fico a espera|ficamos a espera) (o|a|seu|sua|pelo|pela|por|do|da|vosso|vossa|
        de)~ (contato|contacto|retorno|proposta|orcamento|ligacao|convite|material|informac*|resposta|envio|chamada)
    (topo|topamos|aceito|aceitamos) (sim|conversar|uma|ouvir|o|a|marcar|falar)~
"""
WARM = """
    (parece|soa|me pareceu|pareceu) (muito|bem|bastante)? (bem|interessante|bom|promissor|util|otimo)
    (interessante|boa ideia|otima ideia|excelente ideia|promissor|legal|bacana|curios*|excelente|show)
    (com gosto|com prazer|com todo o gosto)
"""
LEANS = """
    (talvez|quem sabe|pode ser|possivelmente|eventualmente|porventura)
"""
ASKS = r"""
    (quem|que|o que|como|onde|qual|quais|por que|porque|desde quando|de onde|quantos|quantas|aonde) (sao|e|es|fazem|
        faz|funciona|tem|se|esta|estao|consegui*|obtiver*|tirar*|significa|diferenca|oferecem|voces|a|o|ficam|arranj*|
        conseguiu) …
    (e|sao|tem|funciona|integra|oferecem|trabalham|suporta*|existe|ha|atendem|inclui|permite|usam|estao|da) (um|uma|
        compativel|voces|tambem|com|em|o|a|por|para|alguma|algum|integracao)? …
    (pergunta|perguntas|duvida|duvidas|questao|questoes) (rapida|sobre|previa|antes|tecnica)~
"""
ACKNOWLEDGED = """
    (obrigad*|muito obrigad*|recebido|recebi|ok|entendido|anotado|tomei nota|ciente|ola|oi|bom dia|boa tarde|grat[oa]|
        agradeco|valeu|certo|lido)
"""
RECEIPT = r"""
    (pedido|mensagem|e ?mail|email|solicitacao|ticket|chamado|contacto|contato) … (recebid*|regist*|numero|em analise|
        sera respondid*|encaminhad*|foi|abert*|protocol*)
    (ticket|numero de protocolo|aviso de rececao|protocolo|numero do chamado|acusamos) …
    (o mais breve possivel|assim que possivel|em breve|no prazo de|dentro de \d+) … (horas|uteis|contact*|respond*|
        retorn*)~
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
NEGATED_AFTER = re.compile(r" (?:\w+ ){0,1}(?:nao|nunca|jamais)\b(?! (?:so|mal|obstante|hesite|se preocupe|apenas))")
CONCEDED_BEFORE = re.compile(r"\b(?:embora|apesar de|ainda que|se bem que|por mais que|mesmo que)\b")
CAPABILITY = re.compile(
    r"^(?:e |mas )?(?:pode|da para|como|quem|qual|quais|onde|se|tem|funciona|permite|e possivel|aceita|ha|existe)\b"
    r"(?!.*\b(?:eu|me|meu|minha|meus|nos|nosso|nossa|posso|podemos|faco|fazemos|comigo)\b)"
)
TURNS = "mas|porem|contudo|todavia|no entanto|entretanto|infelizmente|so que|apesar disso"
GREETINGS = "ola|oi|bom dia|boa (?:tarde|noite)|car[oa]s?|prezad[oa]s?|estimad[oa]|exmos?|exma|viva|boas"
AUTOMATIC_SUBJECTS = (
    r"resposta automatica|fora do escritorio|ausen\w*|ferias|mensagem automatica|resposta de ausencia|recesso|"
    r"out of office"
)
OPT_OUT_SUBJECTS = "(?:quero |favor )?(?:descadastrar|descadastro|remover|remocao|cancelar subscricao|sair|exclusao)"
SIGN_OFFS = (
    r"(?:com os )?(?:melhores )?cumprimentos|atenciosamente|att|atte|cordialmente|abracos?|um abraco|abs|"
    r"obrigad[oa](?: desde ja)?|muito obrigad[oa]|grat[oa](?: desde ja)?|saudacoes|com estima|bem haja|"
    r"bom (?:trabalho|dia|fim de semana)|boa semana|fico a disposicao.{0,10}|aguardo.{0,20}|cpts|bjs|valeu"
)
AFTERTHOUGHTS = r"p\.? ?s\b|ps\b|por favor|alem disso|e |remov|retir|exclu|nao |favor "
DEVICES = (
    r"(?:enviado (?:do|a partir|de|pelo|com|via)|obter o? ?outlook|obtenha o outlook|baixar o? ?outlook|outlook para)"
    r".{0,80}\Z"
)
DISCLAIMERS = (
    r"(?:est[ae] (?:mensagem|e-?mail|comunicacao)|a informacao contida|as informacoes contidas|o conteudo dest[ae])\b"
    r".{0,200}\b(?:confidencia|destinatari|exclusiv|sigilos|privilegiad)|aviso (?:legal|de confidencialidade)|"
    r"disclaimer|"
    r"se (?:voce )?nao (?:e|for) o destinatario|antes de imprimir|pense no (?:ambiente|meio)|"
    r"para (?:cancelar|deixar de receber|descadastrar)"
)
SEE_BELOW = "abaixo|mais abaixo|a seguir|em vermelho|inline|no texto"
MONTHS = (
    "janeiro jan", "fevereiro fev", "marco mar", "abril abr", "maio mai", "junho jun", "julho jul", "agosto ago",
    "setembro set", "outubro out", "novembro nov", "dezembro dez",
)  # fmt: skip
WEEKDAYS = (
    "segunda segunda-feira", "terca terca-feira", "quarta quarta-feira", "quinta quinta-feira", "sexta sexta-feira",
    "sabado", "domingo",
)  # fmt: skip
TOMORROW = "amanha"
NEXT_WEEK = "proxima semana|semana que vem"
ENDS_BEFORE = (
    r"ate(?: ao| o| a)?(?: dia| proximo dia)?|(?:regresso|regressarei|regressamos|regressando|volto|voltarei|voltamos|"
    r"voltando|retorno|retornarei|retornamos|retornando|de volta|reabrimos|reabertura|"
    r"reabriremos)(?: ao escritorio| ao "
    r"trabalho| as atividades| previsto)?(?: em| no dia| a| ao| dia| a partir de| na| para)?(?: dia)?|"
    r"a partir de(?: dia)?"
)
ENDS_AFTER = r"(?:inclusive)\b"
