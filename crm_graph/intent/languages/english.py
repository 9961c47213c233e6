"""English phrases by what they say, in the notation of phrases.py. cues.py says in which order the kinds are tried
and what each weighs.

The file is long because it is one word list: if it were split, a phrase would be hard to find.

Longer than other modules: a vocabulary is looked through from end to end, and reads better in one piece.
"""

import re

FUNCTION_WORDS = (
    "the and you your yours we our us is are was be been have has had this that these those it its with for from "
    "not but if would could should will can do does did dont i my me they them there what when which who how to of "
    "please thanks hi on at"
)
CLASSES = {
    "not": (
        "not|no|never|dont|do not|doesnt|does not|didnt|did not|isnt|arent|wasnt|werent|wont|wouldnt|cant|cannot|"
        "couldnt|aint|without|nor|neither|hardly|barely|nobody|none|zero|havent|hasnt|shouldnt|no longer|not any|"
        "far from|lost|lack of"
    ),
    "me": "me|us|my|our|him|her|them|this address|this mailbox|this inbox|everyone|anyone|anybody|it",
    "write": (
        "e?mail*|messag*|writ*|contact*|spam*|send*|bother*|pester*|harass*|texting|text me|call*|ping*|"
        "follow* up|reach* out|approach*|solicit*|chas*|hound*|disturb*|prospect*|outreach|communicat*|"
        "correspondence|newsletter*|bug|bugging|mailing*|sequence*|cadence*|reminder*|drip*|marketing|nagging|"
        "invit*|cold"
    ),
    "day": (
        "(mon|tues|wednes|thurs|fri|satur|sun)days?|mon|tue|wed|thu|thurs|fri|tomorrow|today|tonight|next week|"
        "this week|next month|(this |tomorrow )?(morning|afternoon|evening)|weekend|noon|lunch*|(january|"
        r"february|march|april|may|june|july|august|september|october|november|december) \d+|\d+ ?(am|pm)|"
        r"\d\d? \d\d|\d+(st|nd|rd|th)"
    ),
    "meet": (
        "talk*|chat*|meet*|discuss*|connect*|speak*|call|see|hear*|learn*|know more|find out|explor*|try*|test*|"
        "demo|take|look|have|get|set|schedule|book|jump|hop|arrange|do|show|start|move|proceed|catch up|sync|"
        "find|compare|evaluat*|review|understand|read|join|attend|receiv*|dig|view|run|give|walk|coffee|"
        "go (ahead|forward|over|through|further|deeper)"
    ),
    "papers": (
        "deck|brochure|case stud*|one ?pager|demo*|slot*|time|minutes|availability|pric*|presentation|catalog*|"
        "trial|quote*|proposal|info*|details|sample*|look|call|meeting|video|recording|number"
    ),
    "talk": (
        "talk*|chat*|meet*|discuss*|connect*|speak*|call|schedule|book|arrange|set (up|something)|jump|hop|"
        "catch up|sync|explor*|try|test|do (a|it|<day>)|have (a|the|another) (call|chat|demo|look|meeting|talk|"
        "quick)|get (on|a) (call|quote|demo|price)|see (it|a|the)|move|start|learn more|know more|hear more|"
        "look at (it|this)|go (ahead|forward|over)|proceed|make it|push"
    ),
    "matter": (
        "info*|details?|decks?|slides?|pric*|quot*|proposals?|brochures?|materials?|one ?pagers?|case stud*|"
        "examples?|samples?|links?|videos?|demos?|slots?|calendar*|calendly|invit*|something|overview|"
        "documentation|docs|catalog*|rates?|presentation|pdf|options|availability|numbers|costs?|specs?|"
        "references|whitepaper|white paper|trial|more|offer|packages?|plans?|breakdown|contract|agenda|loom|"
        "recording|times?|literature|data ?sheet|figures|estimate|agreement|flyer|tariffs?"
    ),
    "price": "price*|pricing|cost|costs|costing|rates?|fees?|quote|quotation|charge|charges|tariff*|budgetary",
    "yes": (
        "yes|yeah|yep|yup|yea|ya|aye|sure|absolutely|definitely|of course|ofc|certainly|gladly|totally|surely|"
        "by all means|with pleasure|affirmative|you bet|hell yes|hell yeah|deal|for sure"
    ),
    "no": (
        "no|nope|nah|naw|noo+|no way|no chance|not really|never|negative|no dice|no go|no can do|hell no|god no|"
        "not a chance|absolutely not|certainly not|definitely not|of course not|not today|not happening|no ty|"
        "nty|hard no|hard pass|pass|decline*|not for (me|us)|thumbsdown|rejected|not now"
    ),
    "thanks": "thanks|thank you|thank u|thx|ty|tks|tnx|cheers|thankyou",
    "please": "please|pls|plz|plse|kindly",
    "colleague": (
        "colleagues?|boss|managers?|successor|replacement|partner|husband|wife|director|head of|vp|cto|ceo|cfo|"
        "coo|cmo|cio|cpo|it team|team|department|procurement|purchasing|marketing|sales|hr|finance|operations|"
        r"legal|head office|(\w+ )?office|branch|hq|headquarters|parent company|holding|buyer|founder|co ?founder|"
        "owner|support|engineering|assistant|secretary|pa|lead|counterpart|teammates?|president|office manager|"
        "mailaddress|it (department|manager|director|guy|lead|dept)"
    ),
    "list": (
        "lists?|mailings?|database|distribution|crm|sequence|cadence|newsletter|campaign|thread|records?|system|"
        "outreach|contacts?|systems|files|drip|funnel|spreadsheet|mailout|audience|recipients|rotation|"
        "address book"
    ),
    "later": (
        r"next (year|quarter|season|fiscal|budget|spring|summer|autumn|fall|winter|time|cycle)|q[1-4]|20\d\d|"
        r"h[12]|in (a few|a couple|six|three|four|two|several|few|some|\d+) (of )?(weeks|months|quarters|years)|"
        "in a (year|while|quarter)|in (the )?(new year|future|spring|summer|fall|autumn|second half|"
        "fourth quarter|third quarter|coming)|in (january|february|march|april|may|june|july|august|september|"
        "october|november|december)|later (on )?(this|in the) (year|quarter)|later on|(another|some other) time|"
        "down the (line|road)|some ?day|one day|after (the )?(summer|holidays|year end|budget|christmas|new year|"
        "season|busy season)|when (things|it|we|the dust) (calm*|settle*|slow*|quiet*|are calmer|have time|"
        "have budget|grow|scale)"
    ),
    # Phrases that a negation before them turns into a refusal: "isn't a fit", "don't really see a need", "no appetite".
    "attitude": (
        "interest*|keen|curious|tempted|excited|convinced|intrigued|need*|requir*|use for|use of this|any use|"
        "much use|(a )?(good |great |right |real )?(fit|match) (for|with)?|fit|suitable|suit|suits|relevant|"
        "applicable|apply|applies|appropriate|make (any |much )?sense|looking (for|to|at|into)|in the market|"
        "intend*|intention*|appetite|demand|desire|match|have (this|that|the|such a) (problem|issue|need)|"
        "for (me|us)|work for (me|us|our)|considering|evaluating|pursu*|outsourc*|move forward|moving forward|"
        "proceed*|buying|value in|see (the |any )?(value|point|benefit|how|why)|shopping|going forward|"
        "something (we|i|id|wed)|what (we|i|were|im)|our thing|cup of tea|aligned|in scope|worth (it|our|my|the)|"
        "engage|open to|accept*|entertain*|believer|fan of|willing|work with (outside|external|third|agenc*|"
        "vendors)|use (this|it|these|those|such|outside|external)|care|sold on|inclined|tak(e|ing) (on )?(this|"
        "it|anything|any|a|on)|want (it|this|that|any|to buy|to talk|to meet)|(take|do|accept|want|book|"
        r"have) (\w+ )?(meetings|calls|demos|pitches|vendors)|switch*|sign up|taking (a|any|this|it|on) …?|"
        "convince*|persuade*|buy (it|this|that|anything|from)|impressed|bite|partake|participat*"
    ),
    # What people may lack for now although they are interested: "no budget", "not the right time".
    "room": (
        "budget*|funds|funding|bandwidth|money|resources|capacity|afford|justify|pay|paying|priority|plan*|"
        "headcount|approval|(good|great|right|best|ideal) (time|timing|moment|now)|time|on (our|the|my) (roadmap|"
        "radar|list|agenda)|chang*|spend"
    ),
}

# Phrases that look like a request, interest or refusal but are not.
NOT_A_REQUEST = r"""
    (click|click here|tap|visit|reply|text|type|link|button|wish|want|here) (stop|here|below)? to (unsubscribe|
        opt out|stop receiving)
    ^ to (unsubscribe|opt out|stop (these|this|receiving|getting|such|further|future))
    (to|here to) (unsubscribe|opt out) … (here|below|link)
    (do|does|did) (you|they|it|the system|your \w+) (also|really|actually)? (delete|remove|erase|stop) (it|them|data|
        everything|old|the|our|customer)
    (if|as|when) (needed|necessary|required|applicable)
    (sorry|apolog*) (for|about) (the|my)? (late|delay*|slow|belated|silence|confusion)
    (did|have|havent|didnt) we (already)? (meet|met|speak|spoken|talk|talked)
    (spam|junk) (folder|box|filter)
    if you … (unsubscribe|opt out|stop receiving)
    if you (want|wish|prefer|would like|no longer want|no longer wish) … (receiving|unsubscribe|opt out|emails|
        notices|replies)
    unsubscribe from (our|this newsletter)
    unsubscribe (link|button|footer|rate|page|header)*
    (reply|respond|text) (with)? stop
    (remove|take|drop|delete) (me|us|my name) (from|off) (the|this|that|your|our)? … (calendar|invit*|meeting|cc|
        slack|channel|group|call|doc|event|booking)
    (about|going|ready|tempted|inclined) to (say no|decline|delete|unsubscribe|pass|ignore)
    <not> stop (thinking|laughing|smiling|talking)
    if (you|anyone|anybody|someone|the team|they|he|she|there|its|this is|it is) … interest*
    if (we|i) (are|am|were|become|get|ever|would be|do get)? (are)? interest*
    (should|in case) you (be|are) interested
    you* (are|would|might|may|were|be|will)? (also|maybe|still)? (be)? interested
    <not> hesitate
    feel free
    (im|i am) (the|also the)? (one|right person|person|decision maker|owner|right contact) (who|to|for|that) …
    interested in (what|whom|which) …
    (if|when) i say yes
    (out of office|ooo|vacation|absence) (replies|messages|detection|handling|responders?)
    no (worries|problem|probs|rush|hurry|pressure|doubt|trouble|offense|offence|prob|need to (apologi*|worry|rush))
    (cant|can not|cannot) wait
    (gdpr|kvkk|ccpa|hipaa|soc ?2|iso ?\d+) (compliant|compliance|certified|ready|status|certificat*|questions?)
    (comply|complies|compliant|compliance) (with)? … (gdpr|kvkk|ccpa|hipaa|soc ?2|iso)
    how are you (doing)? (today)?
    (hope|trust) (you|this|all|everything|your|that)
    <thanks> … for your (interest|patience)
    ^ (hi|hello|hey|dear|good (morning|afternoon|evening)|greetings) $
    (good|great|nice) to (hear|e ?meet|meet) …
    (off|out of) the (top|record|cuff|wall|box)
    looking for the right (person|contact)
    i (will|ll)? stop (by|in)
    (unsubscribed|opted out) (users|contacts|leads|people|rates?)
"""

# A "no" that means yes.
DOUBLE_NEGATION = """
    <not> (very|really|too|so|exactly|that|entirely)? (happy|satisfied|impressed|thrilled) with … (them|it|current|
        existing|present|vendor|provider|supplier|tool|what|how|our|the)
    (current|existing|present|our|old) … <not> (really)? (work*|cutting it|great|ideal|good enough|keep* up|deliver*|
        scal*)
    ^ (sure|ok|well|yeah|hmm|and|yes|honestly|you know what)? why (on earth|the hell)? not … $
    why not (give|try|have|lets|take|see|do|hop|chat|meet|talk|book|set|send)
    not (such|at all|entirely)? (a|an)? (bad|terrible|stupid|horrible|awful|crazy|opposed|against|averse|unwelcome|
        unreasonable|uninterested) (idea|thought|at all|to)?
    (wouldnt|would not|dont|do not|wont) (actually|really|at all)? mind … (chat*|call|talk*|see*|hear*|look*|hav*|
        try*|learn*|meet*|know*|demo|take|taking|a|getting|receiv*)
    (wouldnt|would not|cant|couldnt|doesnt|does not) (really)? hurt
    (no|dont have any|without) (objections?|reason not to|harm in)
    (cant|couldnt|wont|wouldnt|cannot|would not|could not|will not) (really|exactly)? (say no|refuse|complain|
        turn … down|resist|ignore)
    nothing to lose
    (crazy|silly|stupid|foolish|mad) not to
    (whats|what is) not to (like|love)
    not (just|only) (interested|curious)
    (couldnt|could not) (be|have come|have been|have written|have reached) (more timely|better timed|at a better)
    (couldnt|could not) agree more
    (dont|do not) see why not
    <not> (too late|dead|off the table)
    <not> want to (miss|wait|lose)
    (cant|cannot|wont|couldnt) say (im|i am|we are|were|that|i|it|this) … (not|isnt|dont|doesnt)
"""

# Reads like a referral but is an invitation.
INVITED = r"""
    (add|added|adding|loop*|copy*|copied|bring*|includ*|cc|cced|ccing|ccd|introduc*|tagging|involve|involving|
        invit*) (in|you (to|with)|also|here|him|her)? (my|our|the|with)? … (in|on|to|into|who|here|so|cc|join|
        <colleague>|as well|too|for|and|thread|call|meeting|loop|conversation|discussion)
    (cc|ccing|cc ing|cced|looping|loop|copying|adding) (in)? \w+ (here|in|now)? $
    (contact|email|call|write to|ask) my (pa|assistant|secretary)
    (in|on|to|into) (cc|copy|the loop|the thread|the conversation)
    (reach|call|contact|email|write to|text|ring|ping) (me|us|my (pa|assistant|secretary|cell|mobile|office)) (on|at|
        directly|via|any ?time|to|tomorrow|next|after|before|phonenumber|mailaddress)
"""

# The person left the company; automatic replies say it too.
LEFT = r"""
    not (working|employed) (with|at|for|here|by|in)
    no longer (working|employed|works?)? (with|at|part of|employed|for|in) (the|this|that|our|my|us|
        <me>)? … (company|firm|organi?ation|organization|organisation|team|business|role|position|group)
    no longer (working|employed|works?|with|part of|here|there|at|active)
    (dont|doesnt|do not|does not) work (here|there|at|for|with) … (anymore|any more|any longer|now)
    (dont|doesnt|do not|does not) work (here|there)
    (has|have|ive|hes|shes|had|recently|just|already|i|he|she) left (the|our|this|that|us|my)? … (company|firm|
        organization|organisation|business|team|role|position|us)
    (has|ive|hes|shes|have) (recently|since|now|just|already)? left
    left us
    ^ i left \w+
    (i|he|she|they) left (in|back in|last|months|years|a while|some time|on|at)
    left … (last|in) (year|month|week|spring|summer|january|february|march|april|may|june|july|august|september|
        october|november|december|20*)
    (i|he|she) (used to|formerly) work (there|at|for|here)
    (has|have|ive|hes|shes|im|am|is|was|he|she|i) (recently|now|since)? (retired|resigned|passed away|deceased|
        moved on|been let go|laid off|quit|died)
    (quit|resigned|retired) (last|in|from|on)
    (moved|switched|transferred) to (a|an)? (different|new|another) (role|department|company|team|job|position|
        division|employer)
    (changed|switched) (jobs|companies|employers|roles|careers)
    (new|different) (job|employer|role) (now|since|and)
    (mailbox|inbox|address|account|email) is (no longer|not) (monitored|in use|active|valid|used|checked)
    parted ways
    (passed away|deceased|died)
    (sold|exited) (the|my|our) (company|business|firm)
    (my|his|her) last day (at|with|here|was)
"""

ABSENT = r"""
    out of (the|my)? office
    (out|away) of (the)? country
    ^ (ooo|oof) …
    (im|am|is|be|are|was|currently|were) (ooo|oof)
    ^ (out|away|off) $
    (my|our) wedding
    (getting|get|got) married
    (not|isnt) (being)? (checked|monitored|read|attended)
    (office|we|offices) (will)? reopen*
    unattended
    not working (today|tomorrow|this|until|on|at the moment)
    (on|taking|start*|began|during) (my|a|an|our|some|his|her)? (\w+)? (leave|vacation|holidays?|pto|sabbatical|
        honeymoon|long weekend|time off|staycation)
    (annual|parental|maternity|paternity|sick|medical|compassionate|bereavement|family|study|mat|pat) leave
    (away|absent) (from (the|my)? (office|desk|email|work|keyboard|computer|inbox)|until|till|til|through|this week|
        next week|all week|today|on (business|holiday|vacation|leave)|at a|for (the|a)|from)
    (im|i am|i will be|ill be|we are|were|we will be|well be|currently|is|will be) (currently|now|still|both|
        all)? (away|absent|off (sick|work|until|till|today|this|next|for|from)|unavailable|out (sick|ill|until|till|
        for|this|all|today|on|from|next)|in hospital)
    ^ (away|out|off|back) (until|till|til|from|on|sick|today|this|next) …
    ^ (hey|hi|hello)? (on|out on) (vacation|holiday|leave|pto)
    (out|off) (sick|ill)
    (will|ill|well|shall|due|expected|should|to) (be)? (back|return*) (to work|in the office|at my desk|online|
        at work|to the office|to my desk)? (on|in|by|until|next|<day>|after|from|the|around|mid|early|late)
    back (in (the)? office|at my desk|at work|online) …
    (be|am|im|are|were|getting|is|ill|return*|and) back (on|in|by)? (<day>|the \d*|january|february|march|april|may|
        june|july|august|september|october|november|december)
    gone (fishing|skiing|hiking|camping|sailing|home)
    (gone|away|off|out) … back (on)? <day>
    (when|once|after|until|till|upon|as soon as) (i|we|im|were|he|she) (am|are|get|will be)? (return*|back|come back)
    (upon|on|until|after|following) (my|our|his|her) return
    (limited|no|sporadic|intermittent|restricted|little|infrequent|without|not have|wont have|dont have) … (access|
        connectivity) to (my|our|the|any)? (e ?mails?|inbox|internet|messages|wifi)
    (limited|no|sporadic|intermittent|without|patchy|spotty) (e ?mail|internet|inbox|wifi|phone) access
    (with|having) (limited|no|sporadic|intermittent|patchy|spotty) (e ?mail|internet|phone)? (access|wifi|signal|
        connectivity|coverage|reception)
    limited availability
    (for|if) (it is|anything|something|you need)? (urgent|immediate|emergenc*) …
    (not|wont be|infrequently|rarely|only|occasionally|sporadically) (be|occasionally)? (checking|monitoring|reading|
        responding to|replying to) (my|our|the)? (e ?mails?|inbox|messages)
    (office|offices|we|company|business|shop|factory|plant|we are|clinic|school) (is|are|will be|be|has)? (now|
        currently)? (closed|shut) (down)? (for|until|till|from|between|on|over|during|due|today|this)
    closed (for|until|over|between) (the)? (holidays?|summer|christmas|new year|season|january|easter|eid|bayram)
    (automatic*|automated|auto) (generated)? (reply|response|responder|answer|message)
    autorepl*|autorespon*
    (replies|responses) will be (slow|delayed|late|limited)
    (slow|delayed|late|slower) (to|in|with|than usual)? (respond*|reply*|responses?|replies)
    (for|if) … urgent … (contact|call|write|e ?mail|reach|text)
    (in|during) (my|our|his|her|their) absence
    while (i am|im|we are|were) away
    recovering from (surgery|an? operation)
    ^ (im|i am|currently)? (hiking|backpacking|sailing|skiing|camping|honeymooning|at the beach|on (the|a) beach|
        in the mountains|off (the)? grid)
    jury duty
    business trip
    (shutdown|shut down|recess|closure|hiatus) (until|till|from|between|for)
    (without|away from) (my)? (laptop|computer|phone)
    (expect|you will get|you will have) a (reply|response|answer)
    my (father|mother|dad|mum|mom|wife|husband|brother|sister|son|daughter|grandmother|grandfather|
        partner) … (passed away|died|in hospital|funeral)
    (at|for|attending|to) (a|the|my)? funeral(?! home)
    returning (to (the)? office|to work)? (on|in|next|<day>)
    had a baby
    ^ (sabbatical|vacation|holiday|leave|pto|maternity|paternity) (until|till|til|from|this|next)
    not (checking|reading|monitoring) (my)? (e ?)?mails?
"""

# An absence only if nothing else is said: people who travel may agree to talk.
AWAY = """
    (travelling|traveling|on the road|on a plane|abroad|overseas|in transit)
    (at|attending) (a|an|the) … (conference|event|trade show|fair|expo|offsite|training)
"""

REMOVAL = r"""
    never (hear|heard|hearing|see|seeing|saw) (from you|about|of|this|it|these|anything|another) … (again|anymore|
        any more)
    ^ (please|pls|plz|just|ok|no|hey|hi|and|so)? stop (now|please|pls|it|this|that|here|all|thanks|thank you|already|
        immediately|at once|thx)? (please|now|thanks|it|that)? $
    stop $
    stop … (<write>|this|these|it now|it please|trying|selling|already)
    (quit|cease*|cut out|knock off|refrain from|discontinue|no more|no further|end|halt|enough with|enough of|
        suspend|kill|cancel) (with|the|these|this|your|all|of|any|future|further|and desist)? (the|these|your|of|
        such|all)? … <write>
    cease and desist
    unsu[bscr]*[ie]b*|unsub|unsubs|unsubscrib*|unsuscrib*|unsubcri*
    (opt|opting|opted) (me|us|my address)? out
    (remov*|delet*|drop|eras*|scrub|strik*|purg*|wip*|exclud*|scratch|cross|eliminat*|clear|delist*|
        forget) (of)? (<me>|this|that|all|everything|every|both) … (<list>|e?mail*|address*|data|details|name|
        information|domain|company|off|from|out|immediately|asap|please|now|permanently|entry|profile|number)
    (remov*|delet*|eras*|exclud*|forget|drop) (<me>) $
    (remov*|delet*|drop|exclud*) <me> (from|off|please|immediately|asap|now|thanks|and|or)
    (e?mail*|address*|name|data|details|info*|record|account|company|domain) (to be|be|should be|is|are|gets?|
        must be)? (removed|deleted|erased|purged|wiped|taken off|unsubscribed|dropped|scrubbed)
    (be|been|get|being|us|me|want) (removed|deleted|unsubscribed|erased|taken off|dropped|opted out)
    (dont|do not|never|stop) (put|putting|add|adding|includ*|sign*|subscrib*|regist*) <me>
    removal request
    (cancel|end|terminate|stop) (my|our|this|the) … (subscription|membership|mailings?|account|registration)
    (sick|tired|fed up) (and tired)? (of|with) … <write>
    <not> … (be|stay|remain|appear|belong) (on|in) (this|your|that|any|a|the) … <list>
    request* … (removal|deletion|erasure)
    ^ (<please>|just)? (remove|delete|unsubscribe|take off|erase|unsub|opt out|removal) (<please>|<thanks>|now|asap|
        immediately)? $
    (take|get|keep|cross|pull|knock|have|want|leave) (<me>) (\w+)? (\w+)? (off|out of) (<me>|your|this|the|that|any|
        all|these|whatever|it)
    (take|get) (me|us) off
    (off|from|out of) (of)? (your|this|the|that|any|all|these|whatever|every) … <list>
    (dont|do not|never|not to|nor|wont|cannot|should not|shouldnt|must not|cease to|not) (ever|you|try to|please|
        dare|you dare)? (be)? <write> (to)? (<me>|anymore|any more|any longer|again|ever|further|back|here|in future)
    (dont|do not|never) (ever)? (e?mail|write|contact|bother|message|reach out|follow up|disturb|spam) … $
    (dont|do not|never|no longer|not) (ever)? (want|wish|care|like|expect) … (<write>|(hear|anything|more) from|
        receiv* (any|more|these|this|your|such|further)|e?mails?|mails|contacted|newsletters?|promotions?)
    (not|never|dont|do not) (to|wish to|want to)? be (contacted|emailed|approached|solicited|bothered|messaged|
        written)
    (rather|prefer*|appreciate it if|grateful if) (you|if you)? (not|didnt|did not|would not|wouldnt|to not|not to|
        never) (be|to)? <write>
    (rather|prefer*|appreciate*|grateful|like|ask*|request*|want|please) … not (to)? (be)? (<write>|hear*|receiv*|
        get*|email*|mailed|contacted)
    (rather|prefer) not (to)? (hear|receive|get|be)
    (leave|let) (me|us) (alone|be|in peace)
    lose (my|our|this) (e?mail|number|address|contact|details|info)
    forget (my|our|this|you) (e?mail|address|contact|ever)
    (this is|for) (the|my)? (last|final) (time|warning|notice) … (<write>|report|ask*|tell*)
    (blacklist*|suppression list|do not contact list|do not email|dnc|block ?list)
    (delete|erase|destroy|wipe|remove) … (personal)? (data|information|details|record*)
    right to (be forgotten|erasure)
    (article|art|section|art*) 17
    data (deletion|erasure|removal)
    (withdraw|revoke|object to|do not consent|dont consent|did not consent|not given|no consent) … (consent|
        processing|permission|marketing|contact|data|<write>)
    (violat*|breach*|against) (of)? (the)? (gdpr|kvkk|can ?spam|ccpa|casl|pecr|privacy|data protection|law)
    (gdpr|kvkk|can ?spam|ccpa|casl|pecr) (violation|breach|complaint|removal|deletion|erasure)
    (report*|complain*|complaint|mark*|flag*) … (spam|junk|phishing|abuse|ico|authorit*|regulator|dpa|ftc)
    (now|been|are|is|youre|getting|get|consider yourself) (blocked|reported|blacklisted)
    (dont|do not|never|not|no longer|without) … (get*|receiv*|see*|want|need|hear*) … (more|another) (of (these|this|
        them|those|your)|e?mails?|messages?|from you)
    (like|want|need|get|be) (me|us)? (off|out) (of)? (it|this|the|your|that) (list|thread|\w+)? $
    (block*|report*) (you|your|this (sender|domain|address)|the sender)
    (no more|no further) (of these|e?mails|messages|contact|follow ups|communications?|of this|mail|from you|calls|
        please)
    clean (up)? your (mailing|email|contact)? list
    unsolicited
    (dont|do not) (write|email|contact|mail) (to)? (here|this address|anyone at|anybody at|us|me)
    no longer (want|wish|like|interested in) (to)? (receiv*|hear*|get*|be)
    (off|out of) (my|our) (inbox|back)
    ^ (just|please|now)? (go|stay) away
    (never|not) (again)? (receiving|getting|hearing|hear|see|seeing|receive) …
    (final|last) warning
    (was|be|is) (the|your) (last|final) (message|e?mail|one|time)
    enough (already|is enough|with the)
"""

# Signs of annoyance: one proves nothing, two are a request to stop.
ANNOYED = r"""
    who (gave|sold) you
    (where|how) (did|do|have) you (even|people)? (get|got|find|obtain*)
    (never|didnt|did not|dont) (signed|sign|subscrib*|opted|opt|consent*|asked|ask|agreed|agree|gave|give) (up|in|to|
        for|you)?
    (this|the|your|my|its|is) (is|the)? (second|third|fourth|fifth|sixth|tenth|\d+(nd|rd|th)|umpteenth) (e?mail|
        message|time|follow)
    spam*
    (fed up|sick of|tired of|annoy*|nuisance|ridiculous|unacceptable|illegal*|pathetic)
    how many (times|more|emails)
    (without|have) (my|no) (consent|permission)
    take (a|the) hint
    (ended up|put (me|us)|got|am|are|be|being|added) (\w+)? (on|to) (this|your|the|a|some) (\w+)? list
"""

# Explicitly: not me, ask someone else.
ELSEWHERE = r"""
    (not|isnt|arent|wasnt|hardly|aint|never|doubt im|sure im) (really|actually|necessarily|quite|at all|even|
        probably)? (the|a|an|your|my|our|one of the)? (right|correct|best|appropriate|proper|ideal|relevant|
        good) (person|contact|one|guy|gal|woman|man|individual|department|team|point|address*|people|mailbox|inbox|
        email|company|office|stakeholder|someone|place to)
    (wrong|incorrect) (person|guy|gal|man|woman|contact|department|address|email|e mail|company|team|inbox|mailbox|
        individual|number|dude|place|tree|desk|door|people|recipient|office|\w+ (entirely|here|altogether|though|
        im afraid|mate|pal|buddy))
    (confused|mixing|mixed|mistaken|mistaking) me (up)? (for|with)
    (not|isnt|never|wasnt|no longer) (in|within|under|part of|really|actually|something|even|at all|a)? (in|within|
        part of)? (my|our) (\w+)? (area|department|remit|responsibilit*|role|job|call|decision|domain|field|purview|
        scope|wheelhouse|turf|lane|side|desk|division|thing to decide)
    (outside|beyond|above) (of)? my (area|remit|role|responsibilit*|scope|pay ?grade|department)
    (dont|do not|doesnt|no longer|not|never) (personally|really|actually|directly|usually)? (handle|deal with|manage|
        look after|own|take care of|handling|dealing with|managing|looking after|involved|responsible|in charge|
        decide*|make (these|those|that|the|this|such|any|purchas*|buying) decisions?|have anything to do|control|
        have a say|have any say)
    (not|isnt|arent) (the|a)? (\w+)? (decision ?maker|buyer|owner|budget holder|one who|one you|person you|person to|
        person who|contact for)
    (nothing|anything) to do with (me|this|that|it|procurement|purchasing|sales|marketing|our|my|\w+ (here|anymore))
    (someone|somebody) else (here|in the team|at \w+|in \w+|on the team)? (handles|deals|decides|manages|is|looks|
        takes|does|owns|runs)
    (was|is|are|were) (probably|perhaps|likely|clearly|obviously|surely)? (meant|intended) for (someone|somebody|
        another|a different|my|the other|our)
    (better|best) (off)? (directed|addressed|asked|placed|suited|sent|answered|handled) (to|by|at|with|for)
    (best|right|better|correct|appropriate|relevant) (person|contact|one|guy|point of contact|place|address) (is|
        would be|to|for|might be|will be|here)
    (should|need to|want to|would need to|may want to|might want to|will need to|must|have to|could try|
        be better off|better to|best to|suggest you|suggest|recommend) (\w+)? (speak*|talk*|ask*|contact*|reach*|
        writ*|email*|approach*|direct*|address*|try*|get in touch|go|forward*|send*|redirect*|message|ping|liaise|
        check) … (<colleague>|instead|someone else|him|her|them)
    (thats|that is|this is|it is|its|this would be|that would be|this falls|that falls|falls|sits|belongs|is|are|
        its all) (really|probably|all|mostly|entirely|more)? (handled|decided|managed|run|dealt with|taken care of|
        a question|a matter|one|a topic|a decision|something)? (for|by|with|under) (our|my|the|a|another|head|group|
        hq|someone|central|\w+ in)? … <colleague>
    (handles|decides on|looks after|is responsible for|is in charge of|takes care of|deals with|manages|owns|runs|
        leads|oversees|is the (right )?(person|one)) (this|that|these|those|such|all|it|things|for|to|here|
        purchasing|procurement|marketing|vendor*|our \w+)
    (i) (only|just) (do|work|handle|answer|clean|fix|drive|deal|manage)
    (im|i am|am|this is) (just|only) (a|an|the)? (\w+)? (intern|receptionist|student|dentist|nurse|teacher|driver|
        temp|janitor|cleaner|plumber|trainee|contractor|freelancer|developer)
    (im|i am|this is) (not|no) (him|her|them|that (person|guy|\w+)|the (same|one)|your (guy|man|person|gal))
    (im|i am) (a|an) (different|another)
    (this is|its|youve reached) (a|my|the)? (private|personal|general|shared|family) (e?mail|address|account|inbox|
        number)
    (no one|nobody|no \w+) (here)? (by|with|called|named|of) (that|this) name
    same name
    (employers?|jobs?|companies) ago
    (nobody|no one) (here|at \w+|in \w+)? (deals|handles|works|buys|does|uses|manages)
    (im|i am|am) (just|only)? the (?!owner|founder|ceo|right|decision|person|boss|buyer|one|head|manager|director|
        lead|same)\w+ $
    (never|havent|have not|didnt) work (ed)? (at|for|in|there)
    (person|one|guy|\w+) (youre|you are) (looking|after)
    (dont|do not|doesnt) work (on|in|with) (this|that|the|our) …
    (youd|youll|you would|you will|you) (have|need) to (ask|talk to|speak to|speak with|contact|check with) (?!me\b|
        us\b)\w+
    (im|i am|we are|were) in \w+ not \w+
    barking up
    (thats|its|this is|that is|is) (\w+) (world|area|job|department|domain|responsibility|baby|call|remit|territory|
        turf|patch|thing|shop)
    (take|bring|raise) (this|that|it) (up)? (to|with) …
    (redirect*|pointing|referring|refer) (you|this|your)
    (decisions?|purchas*|procurement) … (made|taken|handled|signed off) (by|at|in|from)
    (makes|make|takes) (these|those|all|that|such|the) (\w+)? decision*
    <not> … (say|voice|authority|influence) in (this|that|it|these)
    (handled|managed|decided|dealt with|run|taken care of|done) (by|at|from|through|centrally) (corporate|head|hq|
        group|another|the|<colleague>)
    <not> (really|exactly)? (my|our) (\w+)? (thing|beat|world|table|plate)
    you (\w+)? (want|need|mean|meant|are looking for) (our|the other|another|someone|somebody|a different) …
    (got|have|getting) me (mixed|confused) …
    another (person|anna|john|guy|company) (with|of|called|named)
    (this|that|it) (isnt|is not|aint) me
    (i think|guess|maybe|perhaps|sure) you (want|need|mean|meant|are looking for|were looking for|must mean)
    (confus*|mixing|mixed|mistak*) (me|us) … (with|for|someone)
    (moved|promoted|transferred) (in)?to (\w+)? (\w+)? (role|department|team|position|sales|finance|hr|engineering|
        product|operations)
    (taken|took|handed|taking) (it|this|that|everything)? over (by|from|to|my|this|that|it|the|for)
    replaced (by|me|him|her)
    (my|his|her|the) (successor|replacement|predecessor)
    (havent|have not|hasnt|has not) (been)? work* (in|at|for|on|there|with)
    you (need|want) (?!a\b|an\b|to\b|from|me\b|us\b|the\b|any|more|some|my|our|help|is\b|it\b|this|that)\w+ (\w+)? $
    ^ (sorry|oops|im afraid)? wrong (?!time|timing|moment|reason|idea|impression|way|place|about|approach|answer)\w+ $
    (belongs|belong) to (someone|somebody|my|the|another|a)
    used to be (my|mine)
"""

# Wants and needs of the seller, not of the writer.
YOURS = """
    (you|youll|youd|u) (may|might|would|will|should|probably|just|can)? (want|need|like|wish) (to)?
"""

# Another person to write to. With a sign of interest it is a colleague to include.
REFERRED = r"""
    (contact|write to|e ?mail|reach out to|get in touch with|speak (to|with)|talk (to|with)|direct|address|forward|
        refer|reach|try|ask|redirect|message|connect with|approach|route) … (mailaddress|phonenumber|instead|
        department|<colleague>)
    (direct|address|redirect|route|send) (your|this|all|any|future|these)? … (to)? (<colleague>|instead)
    (reach|contact|email|try|copy|write) (him|her|them) (at|on|directly|via|instead|here|first)
    (his|her|their|\w+s) (e?mail|address|contact|number|details|extension) (is|are|address)
    ^ (please)? (try|ask|contact|email|speak to|talk to) (?!me\b|us\b|again|it\b|this\b)\w+ …
    (better luck|get further|better off|have better) (with|talking|speaking|contacting)
"""

DECLINED = r"""
    (ill|i will|well|we will|going to|gonna|have to|think ill|guess ill) (have to|probably)? pass (on (this|it|that)|
        this time|for now|<thanks>)? $
    (survive|do|manage|live|cope|get by|fine) (just fine)? without (it|this|one|you|your|that)
    (sooner|rather) (go|eat|watch|stick|use|keep|have|walk|set|pull|not)
    answer (is|hasnt|has not|remains|still|was) (still)? (no|changed|the same)
    (same answer|still no|still not)
    (leave it|leave that|leave this|let it|lets leave) (there|at that|be|it)
    ^ (hi|hello|hey)? (\w+)? (uh|um|err|well|sorry|lol|haha|ah|oh|still|again|thanks but|im afraid)? <no> (<thanks>|
        sorry|<please>|for now|at all|from (me|us)|but|im afraid|\w+)? (<thanks>|\w+)? $
    no <thanks>
    ^ (nah|nope|naw) …
    (were|we are|im) (ok|okay|fine|good) (mate|thanks|here|for|as|\w+)? $
    <not> … <attitude>
    uninterested|disinterested
    (hard|easy|respectfully|politely|gonna|going to|will|well|ill|have to|id|wed|must|should|gotta|kindly|to|i|
        we) (have to|gonna|going to|just|probably|likely|respectfully|politely|need to)? (pass|decline|say no|
        opt not|sit this one out|skip|refuse|turn (this|it|you) down|be passing)
    (pass|passing|passed) (on|for)
    (its|it is|thats|this is|be|im|i am|we are|were) (still|definitely|firm|going to be|gonna be)? (a)? (no|hard no|
        hard pass|pass) (from|for)? (me|us|now|our)?
    (decided|decision|choose|chose|chosen|opted|prefer|elected|rather) (\w+)? (not to|against|not|to go with|to stay|
        to stick|to keep|someone else|another|a different)
    <not> think (so|this|that|it|we|i|its|thats|there|you|our|youre)
    (not|dont|didnt|cant) … (buy|convince*|persuad*) (it|this|that|me|us|a word)
    (were|we are|im|i am|we|all|are|i) (all set|good (here|thanks|for now|as is|as we are|at the moment|with|thank|
        right now|on that)|sorted|covered|well (covered|served|looked)|taken care of|happy (with|where|as)|
        set for (now|the)|fine (as|with|for now|thanks|without)|locked in|committed (to|elsewhere)|under contract|
        tied (in|into|up with)|content|satisfied|pleased) (<not>)?
    all (set|good) (here|thanks|on|for now|thank|\w+)
    ^ (were|we are|im|i am|all) (all)? (good|set|fine|sorted|covered|okay|ok) $
    (good luck|best of luck|wish you (well|luck|all the best|every success|success|the best))
    (in your dreams|over my dead body|when (hell|pigs)|you wish|yeah right|as if|fat chance|nice try|good one|
        dream on|get lost|buzz off|bugger off|piss off|f off|fuck*|count (me|us) out|wast(e|ing) (of)? (my|our|your|
        of|any)? time|save your (breath|time|energy)|not in this)
    (oh|wow|great|yay|ah|lovely|fantastic|brilliant|joy|wonderful|awesome|perfect) (oh|wow|great|joy|yet|
        just)? (yet)? another
    (just|exactly|because) what (i|we) (\w+)? (needed|need is|need another|need one|wanted)
    (yeah|sure|right|yes|of course) (sure|right|yes)? because
    just what (i|we) (needed|wanted|always wanted)
    do i look like
    (would|id|wed|d|much) rather (not|eat|watch|chew|die|have|spend|stick|keep|gouge|pull|do|go|use|set|walk|lick|
        poke|wait|continue|stay)
    (unfortunately|sadly|afraid|sorry) … (not|no|we cant|cannot|cant|unable|wont|decline|pass)
    unable to (take|proceed|move|commit|accept|use|help|move)
    (closing|shutting|shut|wound|winding) (down)? (the|our|my|up|down|business|company|shop|operations)
    out of business
    (went|gone|going) (\w+)? (another|different|other) (way|route|direction)
    (went|gone|going|signed|stick*|sticking|staying|stay) with (another|someone|a|our|the|what|who|\w+) … (vendor|
        provider|supplier|competitor|option|current|have|else|one|tool|instead|already)?
    (looks|sounds|feels|seems|is|its|this) (like)? (a|total|pure|just|all|just a)? (overkill|snake oil|scam|hype|
        gimmick*|bullshit|bs|rubbish|garbage|nonsense|useless|pointless|crap|buzzword*|a waste|fluff)
    (do|handle|build|built|manage|run|keep|doing|make|developed|have|does|handled|handles|done|managed) … (in ?house|
        internally|ourselves)
    (have|use|got) (something|one|a tool|a system|a solution) … (in place|already|that works|working|for this|
        for that)
    (have|built|build|use|using|made|developed|developing|building|wrote) … our own
    (happy|pleased|satisfied|content|love|comfortable|good) with … (current|existing|vendor|provider|supplier|
        partner|solution|tool|setup|set up|have|got|agency|use|using|incumbent|process|system|them|it)
    (save|stop) you (there|right there|the time|the trouble|some time)
    (no reply needed|dont (call|ring) us)
    (call|try|talk|write) … (when (its|it is) free|in (10|ten|20|100|50) years)
    (lose|losing|lost) interest
    last thing (on (my|our) mind|i need|we need|i want)
    ^ (\w+)? (\w+)? (happy|satisfied|pleased|fine|content) with (?!that|this|the\b|a\b|an\b|your|mon|tue|wed|thu|
        fri)\w+
    (if|were) (it|this|that|you) (were|was|is) (free|cheaper|cheap)
    (call|talk to|write|email|ping) me when (you|pigs|hell|your)
    ^ (we|i) (dont|do not|cant|wont|wouldnt|havent|arent|didnt) $
    ^ no (not|never|we|i|dont|it|thats|but|just|sorry|im|were) …
    (board|team|boss|management|wife|husband|partner|partners|director|ceo|cfo|cto|he|she|they|everyone|
        committee) … (said no|declin*|reject*|turned … down|veto*|against it)
    (more|higher) than (we|i) (can|could|want|are|were|am) …
    (come|get|check) back (to (me|us))? when (you|it|your)
    <not> … (love|like|fancy|rate|dig) (it|this|the|your|what)
    looking for a problem
    (go|look|going|looking|shop*) elsewhere
    (if only|wish) (we|i) had … (money|budget|time|funds|resources)
    (we are|were|im|i am) (actually)? (a|your|their) (direct)? competitor*
    (our|company|corporate|internal) policy
    (have|got) (someone|somebody|a guy|people|a person|an internal|an in ?house|a dedicated|a team|staff) … (for|
        that|who|already|handling|doing|on)
    (tried|tested|used) … (before|already|didnt|did not|failed|without success|in the past|never)
    <not> work* (out|for (us|me|our)|in our)
    no longer (needed|required|relevant|necessary|looking|considering|in need|interested)
    (have|got|has) (it|this|that|everything|all of this) (all)? (covered|handled|sorted|under control|solved)
    (found|picked|hired) (a|another|someone|something|an) …
    (stick|sticking|stay|staying|remain|remaining) (with|to) …
    <not> … (benefit|help (us|me|our)|add (much|value|anything)|help you|something (that|which)|anything (for|that|
        to)|get us|move the needle|change (much|anything)|do (much|anything|it) for)
    (no|little|much) (point|value|benefit|reason|upside)
    nothing (for us|for me|here|to discuss|we need|i need|of interest|personal)
    (park|shelve|table|drop|skip) (this|it|that)
"""

# A no for lack of time or money: often temporary, and outweighed by a request.
NO_ROOM = r"""
    <not> … <room>
    until (i|we) saw the (price|pricing|cost)
    (way|far|well)? (out of|beyond|above) (our|my) (league|means|reach)
    not (right)? (now|currently|today|yet|just yet|this (year|month|quarter|week|time|season)|at present|presently|
        for now|any ?time soon)
    (timing|time|moment) (is|isnt|just|doesnt|wasnt|seems|couldnt be) (just|really|a bit|a little)? (off|bad|wrong|
        poor|terrible|not|great|good|ideal|right|work|worse)
    (bad|wrong|terrible|poor|worst) (timing|time|moment)
    (revisit|circle back|touch base|check (back|in)|reach out|try|come back|get back|reconnect|contact|ping|write|
        follow up|look at|bring this|speak|talk|discuss|chat|connect|pick this|reassess|think about|re ?evaluate|
        consider) … (<later>)
    (maybe|perhaps|possibly|might) … <later>
    <later> … (maybe|perhaps|possibly|might|would be better|is better|would work better|makes more sense)
    (keep|have) (you|your \w+|this|it|the) (details)? (in mind|on file|on record|for (the)? future)
    (budgets?|spending|headcount|hiring|purchas*|projects?|everything|funds) … (frozen|cut|on hold|tight|exhausted|
        allocated|spent|locked|gone|paused|committed|slashed|closed|limited|used up|freeze|zero)
    (out of|over|exceed*|beyond|outside|above|tiny|small|limited|not in) (our|my|the)? (budget|price range|means)
    (too|very|quite|really|rather|way|so|prohibitively|bit|little) (too)? (expensive|pricey|pricy|costly|steep|
        rich for|dear|high for|much (money|for us|for me))
    (prices?|pricing|cost|rates?) (is|are|seems?|looks?) … (too|way|crazy|ridiculous|high|insane|outrageous|above|
        over|out)
    (at capacity|fully booked|hands full|full plate|plate is full|maxed out|snowed under|stretched thin|
        enough on (our|my))
    (hands|plates?) (are|is)? full
    priorit* (lie|are|is) (elsewhere|other|different|else*)
    (other|different|higher|more urgent|bigger) priorit*
    hands (are)? tied
    until … (merger|audit|acquisition|restructuring|reorg*|sale|move|migration)
    contract … (runs|ends|expires|until|till|through)
    (on hold|on ice|paused|frozen|freeze|moratorium|back ?burner|shelved|shelving|low priority|other priorities|
        bigger fish|more pressing|different direction|another direction)
    (too|far too|way too) (early|late|small|soon|complicated|complex|big) (for)?
    (already|recently|just) (\w+)? (signed|renewed|bought|purchased|chose|chosen|picked|committed|implemented|
        rolled out|invested|settled|contracted|switched|built|solved)
"""

# Circumstances that usually mean no, but do not outweigh a request.
HESITANT = r"""
    (already|currently|presently|have been) (\w+)? (\w+)? (have|got|use|using|work|working|covered|partner*|sorted|
        engaged|in place|with|running)
    (have|got|use|using|work with|locked into) … (vendor|provider|supplier|partner|solution|agency|tool|in place|
        setup|incumbent|team for)
    (under|in|long term|annual|multi ?year|\w+ year) (a|an)? contract
    (sorry|unfortunately|im afraid|regret*|alas|sadly)
    (super|too|very|really|extremely|crazy|swamped|slammed) busy
    swamped|slammed
    (if|when) (anything|something|that|this|things|the need|our needs?|needs|a need|priorities|
        circumstances) … (changes?|arises?|comes? up|shifts?)
    (dont|doesnt|wont|cant|cannot|isnt|arent|wouldnt|couldnt|do not|does not|is not|are not|will not|
        would not) (?!know|underst|rememb|recall|recogn|see\b|open|read|mind|get\b|believe)\w+
    (disaster|hated|hate|awful|horrible|disappoint*|bad experience|burned|burnt|let down)
    (will|well|ill) (reach out|contact you|get in touch|let you know|be in touch|call you|come to you|
        come back to you) (if|when|should|in case) (we|i|interest*|anything|there|our|its|that|this|things|something)
    (small|tiny|one (man|person|woman)|two person|solo) (shop|business|team|company|operation|firm)
    <thanks> (max)? but
    not sure … (need|makes sense|fit|is for|use|benefit|help|work)
    (skeptical|sceptical|doubtful|doubt (it|we|this|that))
"""

WANTS = r"""
    ^ (that|this|it|<day>|yes)? (works|would work|will work|suits) (well|great|fine|perfectly)? (for)? (me|us)? $
    ^ (\w+)? (\w+)? (\w+)? <day> (at)? (<day>)? $
    (send|share|forward|e ?mail|shoot|pass|drop|give|provide|get|fire|show|supply|attach|see|receive|sending|sharing|
        ping|pop|resend|submit|prepare|have|had|got|need|want|request|like|love|find) (<me>|over|across|through|
        along|on|it|with)? … (of|on|for|about)? (<matter>)
    (send|share|forward|shoot|pass|fire|ping|get|drop) (it|them|that|those|this|these|stuff|away|one|
        everything) (over|along|through|across|on|my way|to (<me>|mailaddress)|<please>|when|and|asap|today|by|
        before|here)
    (send|share|forward|shoot|fire) (it|them|that|those|something|this|me|away|over)? (over|through|along|something|
        <please>)? $
    (got|have|spare|give you|quick|only|for) \d* (min|mins|minutes)
    \d* (min|mins|minutes) (\w+)? (<day>|call|chat|max|works|tops)
    (we|i|id|wed) (do|really|definitely|would)? want (it|this|in|to see|one)
    show (me|us)
    (set|setting) (me|us) back
    <please> (do|send|share|forward|proceed|go ahead|call|ring|elaborate|continue|book|schedule|arrange|set up|quote|
        advise)
    (tell|show|teach|walk|talk|fill|brief|enlighten) (<me>|my team|the team) … (more|in|through|about|how|what (you|
        its|it))
    (more|further|additional|extra|some) (info*|details?|context|materials?|about (it|this|your|the|that|what)|
        specifics|on (this|that|it))
    (learn|know|hear|find out|see|understand|read|discuss|explore) (a (bit|little|lot))? (more|further|about it|
        how it works)
    (can|could|would|will|may|might|shall) (you|u|ya|someone|somebody|your \w+) (maybe|also|please|pls|possibly|just|
        kindly)? (send|share|forward|e ?mail|show|provide|call|ring|phone|quote|do|give|walk|demo|demonstrate|set up|
        book|schedule|arrange|come|drop|make|meet|present|prepare|put together|get|jump|hop|join|resend|offer|
        propose|visit|suggest)
    (can|could|shall|may|should|might) (we|i|u|us) (maybe|also|please|perhaps|then)? (<talk>)
    (how about|what about|happy to|glad to|love to|like to|open to|keen to|eager to|willing to|ready to|want to|
        wanna|up for|down to|prepared to|pleased to|delighted to|great to|good to|nice to|fancy|excited to|
        interested to|id|need to) (we|i|u|us|be|definitely|certainly|also|at least|to|all|maybe|then|actually|really|
        very much|quickly|both)? (<meet>)
    (lets|let us) (<meet>|\w+ (it|up|forward|ahead|something|a))
    (open to|up for|down for|keen on|game for|happy with|fine with|ready for|time for|good for|good with|welcome) (a|
        an|it|this|that|having|the|some|doing|any|more|quick|short|chatting|talking|learning|hearing|seeing|trying|
        exploring|meeting|discussing|whatever)
    (id|i would|we would|wed|would|i|we|very|much) (be)? (definitely|certainly|absolutely|really|very|also|quite|
        totally)? (interested|keen|open to|curious|happy to (<meet>)|love to|love a|appreciate a|welcome a|eager|
        like a)
    (am|are|im|were|is|be|been|color me|colour me|consider me|you have|youve got|count) (definitely|certainly|
        absolutely|really|very|also|quite|always|potentially|possibly|super|extremely|indeed|actually|both|pretty|
        somewhat)? (interested|keen|intrigued|curious|eager|all ears|sold|our attention|my attention)
    ^ (yes|yeah|very|definitely|hi|hello|also|still|quite|could be|might be|potentially|super|absolutely|really|
        totally|most)? (we are|i am|very|im)? interested (in|to|and|<please>|<thanks>)?
    (interested|interest) (in|to) (learn*|hear*|see*|know*|a|an|the|your|this|that|it|what|discuss*|talk*|meet*|try*|
        how|having|more|chatting|buying|purchas*|exploring|get*)
    (peaked|piqued|caught|got|have|has|grabbed) (my|our) (interest|attention|eye|curiosity)
    how much (is|are|does|do|would|will|for|to|per|each|\w+ cost)? (it|this|that|you|your|the|one|we)? (cost|charge|
        set|run)?
    (what|whats|what is|what are|whats the|how) (do|does|would|is|are|will|s|about)? … <price>
    <price> (range|list|card|sheet|info*|details?|page|model|structure|options?|<please>|for|per|like|look*|based|on|
        work*|involved|to (get|start))
    (price|cost|pricing|costs|fees) … (per|for|each|month|year|user|seat|licen*)
    ballpark
    ^ (hi|hello|hey|and|so|ok|the|your|any)? (\w+)? (<price>|prices|demo|deck|brochure|details|more info|info|
        case studies|calendar link) (<please>|<thanks>|\w+)? $
    (get|have|book|schedule|want|do|arrange|need|set up|request|join|attend|for|try|watch|quick|live|short|a|like|
        run|see|the) (\w+)? demo*
    demo (<please>|on|next|for|this|tomorrow|would|call|sometime|at|account|session)
    (give|drop|shoot) (me|us) (a|an) (call|ring|shout|bell|buzz|line|text|email|holler)
    (call|ring|phone|dial|whatsapp|text|buzz|reach) (me|us|my (cell|mobile|phone|number|assistant|pa|secretary)) (on|
        at|up|<day>|back|any ?time|after|before|next|in the|phonenumber|<please>|now|whenever|between|around|when|
        via|if|here|directly|later|asap)?
    (call|ring|phone) (phonenumber|the office|reception)
    (my|our) (number|cell|mobile|phone|direct line|whatsapp|calendly|calendar|cal|booking link|availability|
        diary) (number|link)? (is|phonenumber|weblink|below|here|has|shows|looks)
    (cell|mobile|phone|tel|number|whatsapp|calendar|calendly|me|time|slot) (here)? (phonenumber|weblink)
    (book|grab|find|pick|propose|suggest|choose|hold|block|put|throw|stick|reserve|name) … (time|times|slot*|
        calendar|diary|day|invite|meeting|call|hour|date|dates)
    (set up|schedule|arrange|book|organi*|jump on|hop on|get on|plan|fix|coordinate|have|do) … (call|meeting|chat|
        zoom|session|teams|conversation|appointment|intro|walkthrough|coffee|visit|discussion|trial|pilot|poc)
    (send|shoot|need) … (invite|calendar|calendly|slot*|times|availability|teams link|zoom*)
    (what|which) (times?|days?|dates?|is your (availability|calendar|schedule)|does your (week|calendar|schedule))
    when (are|would|can|could|do|is|works|suits|might|should) … (free|available|time|chat|talk|meet|speak|start|call|
        demo|good|work|suit|best|connect|you|we|convenient)
    when works
    (works|work|suits?|good|fine|great|perfect|ok|okay|best|better|convenient|free|available|ideal) (for|with) (me|
        us|my|our|both)
    <day> … (works|work|suits?|is (good|fine|great|perfect|better|best|ok|open|free)|would (work|be|suit)|good|fine|
        perfect|sounds good|could work|looks good|at|around|after|before|between|ok|then|morning|afternoon)
    ^ (how about|what about|say|maybe|ok|sure|yes|perhaps|lets say) … <day>
    (im|i am|we are|were|be|available|free) (free|available|around|open) (on|at|next|all|most|any|from|after|this|
        between|in the|for a|early|late|to)? … <day>
    (free|available) (to (talk|chat|meet|speak|discuss)|for a (call|chat|meeting|talk)|<day>|on|after|from|between)
    (pencil|sign|count|put|pen|book) (me|us) (in|up|down)
    ^ (ok|yes|yep|sure|alright|well)? (im|were|i am|we are) (in|game|listening|all ears|on board|onboard) $
    (look|looking) forward (to)? (it|hear*|talk*|meet*|speak*|chat*|see*|call|demo|connect*|your|discuss*|learn*|
        receiv*|our|a|the)
    (we|i|weve|ive|been|were|am|im|are|actively|currently) (been|actually|actively|currently|just|also)? (looking|
        searching|hunting|shopping|on the lookout) (for|into|at|around)
    in the market for
    (exactly|just|precisely) (what|the (kind|sort|type|thing|problem)) (we|i|ive|weve|our|of|were|im)
    (perfect|good|great|right|excellent|impeccable|opportune|spot on) (time|timing|moment)
    (on|high on|top of) (my|our|the) (list|radar|mind|agenda|roadmap|to do)
    (we|i) (definitely|certainly|really|actually|do|desperately|urgently)? (need|could use|struggle|are struggling|
        have a) (this|that|something|it|help|exactly|such|some|with|a)
    (can|could) you (fit|squeeze|slot) (me|us) in
    (im|were|i am|we are) (in|game|on board) $
    (answers|answer is|its a|that is a|thats a|big|definite|definitely a) yes
    <day> it is
    (give|show) (me|us) (a|the) (\w+)? (walkthrough|tour|demo*|overview|presentation|quote|price)
    (like|want|need) (him|her|them|you|my \w+) (on|in|at|to join) (the|this|our|a)? (call|meeting|demo|invite|
        conversation)
    next steps?
    (tell|show|give) me … (<price>|<matter>)
    (want|need|take|order|buy|have|like) \d+ …
    order form
    (probably|would|might|likely|ll|id|wed|well) go for (\d+|the|a|it|your)
    who (do|can|should) (i|we) (talk|speak|write|call|sign) …
    let (me|us) know (when|what|your|how|the|a|which|where|some|<day>|if (<day>|that|this|it|you) (works?|suits?|can|
        could|have))
    (get|be) in touch (with (me|us))? (next|on|to|asap|soon|<day>|about|regarding|so)
    (can|may|could) (i|we) (get|see|have|try|receive|take) (it|this|(a|an|the|some|your|more) <papers>)
    (do you have|have you got|you got|got|any chance of) (a|an|any|some)? <papers>
    how (soon|quickly|fast) (can|could|would) (we|you)
    (when|how (soon|quickly|fast)) (can|could|would) (we|i|you) (start|begin|go live|be live|get|deliver|install|roll)
    in (favour|favor)
    (count|include|consider) (us|me) (in|for)
    (willing|prepared|ready) to (give|spare|<meet>)
    (get|getting) started
    (how|where) (do|can|would|could) (i|we|one) (start|sign up|proceed|order|buy|get|go about|book|register|try|begin)
    what do you need from (me|us)
    (start|begin|sign up for|try|get|run|request|set up|free) (a|an|the|your)? (\w+)? (trial|pilot|poc|
        proof of concept|test account|sandbox)
    (try|test) (it|this|that|your|the) (out|for|first|with|before|product|tool|ourselves|on)?
    (my|our) (\w+)? <colleague> … (should|will|would|wants?|needs?|can|could|ll|to|must) (also|like to|love to|
        want to|to)? (join|be|attend|see|hear|set|arrange|find|schedule|book|take part|sit in)
    where do (i|we) sign
    (take my money|say no more|tell me when|name (a|the|your) (time|price|place))
    worth (a|an|another|exploring|discussing|looking|talking|considering|it)
    (visit|come (by|over|in|to)|stop by|swing by|drop by) (our|my|the|to|us|and|for|<day>)
    (buy|purchase|order) … (seats?|licen*|units?|it|this|from you|one|some|immediately|today)
    (could|might|may|would|can) (be|prove)? (really|very|quite|super|actually|definitely)? (useful|helpful|handy|
        valuable|interesting|relevant|beneficial|great|lovely|perfect|appreciated|(a )?(good )?fit)
    (talk|speak|chat|meet) (on|<day>|then|next|at)
    (like|love|keen|happy) to (<meet>)
    (happy|glad|delighted|pleased) to (<meet>)
    (considering|evaluating|planning|exploring|comparing|reviewing) … (options|vendors|tools|solutions|switching|
        changing|replacing|alternatives|moving|providers)
    (think*|about|want|planning|time|ready) (of|about|to)? (switch*|chang*|replac*|moving|upgrading)
    (struggl*|pain point|headache|frustrat*) (with|for|to)?
"""

WARM = r"""
    (sounds?|looks?|seems?|thats|this is|it is|its|is|are|found|very|quite|really|pretty|how) (like)? … (good|great|
        interesting|intriguing|fun|useful|promising|awesome|perfect|ideal|amazing|fantastic|excellent|cool|nice|
        impressive|relevant|neat|brilliant|compelling|super|exciting|timely|fascinating|wonderful|reasonable|helpful|
        a plan|what we need)
    ^ (very|quite|hmm|oh|really|ok|well|super|wow|this is|looks)? (good idea|great idea|i like it|love it|like it|
        intriguing) (\w+)? $
    ^ (hi|hello|ok|oh|well|hmm)? (\w+)? <yes> (<please>|<thanks>|thing|lets|i|we|that|it|sounds|send|why|do|go|would|
        im|works|can)
    ^ (hi|hello|hey|ok|okay|oh|well|um|hmm|hell|a big|big)? (\w+)? (<yes>|please do|go ahead|sounds good|lets go|
        agreed|go for it|fire away|shoot|im listening|yes yes|<please>) (<please>|<thanks>|thing|man|mate|indeed|do|
        of course|yes|sure|absolutely|sir|definitely|i am|we are|i would|we would|why not|go ahead|then|
        thumbsup)? (<please>|<thanks>|\w+)? $
    (im|i am|we are|were) (quite|very|a (bit|little))? (curious|keen|impressed|intrigued)
    (i|we|really|do|team|boss|would|quite|id|wed) (like|love) (what|the idea|the concept|this|your (idea|product|
        approach|site|work|message|pitch)|the (look|sound|pitch|approach))
    (will|ill|well|let me|going to|gonna) (take a|have a|definitely|take another|give it a) (look|read|try|
        closer look|quick look|shot|go)
    good (point|idea|thinking|stuff)
    (give|gave) (it|this|that|you) a (try|go|shot|whirl|spin|chance)
"""

# Too little for a deal; anything else outweighs it.
LEANS = r"""
    ^ (very|quite|hmm|oh|really|ok|well|super|wow|this is|looks)? (interesting|perfect|awesome|excellent|amazing|
        lovely|brilliant|impressive|fascinating|exciting|fantastic|wonderful|great|cool) …
    ^ <yes> \w+
    (maybe|perhaps|possibly|could be)
    interested|interest
    demo
    thumbsup
"""

ASKS = r"""
    ^ (and|but|so|hi|hello|hey|ok|sorry|um|well|also|max|first)? (quick question)? (who|what|whats|where|wheres|when|
        which|why|how|hows|whose|do|does|did|is|are|was|were|whos) \w+ \w+
    (what|whats|where|which|how) (are|r|is|do|does|did|exactly|company|kind|sort|about|this|your|you|many|long|often|
        would|can|was|were|it)
    (who|whos) (are you|is this|do you|is it|this|am i|r u|are u)
    (explain|clarify|elaborate|remind me)
    (tell|wondering|curious|wonder|understand|know|ask|asking|sure|confirm|clear|unclear|see|specify|advise|
        explain) … (who|what|whether|if|where|how|why|which)
    ^ (\w+)? (\w+)? (does|do|is|are|can|will|would|could) (it|you|this|your|they|the|there|these|that|we|i|u|ur) \w+
    questions? (for|about|is|first|before|regarding|on)
    ^ (huh|what|eh|pardon|who dis|who this|excuse me|come again|meaning|how so|how|why|who) $
"""

# Forwarded inside their company: they continue without us.
PASSED_ON = r"""
    (will|ill|shall|let me|let us|lets|going to|gonna) (definitely|certainly)? (have|take) (a|another) (\w+)? look
    (will|ill|shall|let me|going to|gonna) look (at|over|through|into) (it|this|that|them|your \w+)
    (ill|i will|i|well|we will|will|let me) (take|bring|raise|show|run|put) (this|it|that|your \w+) (up)? (to|with|
        past|by|before) (my|our|the|some)
    (will|ill|well|let me|shall|need to|going to|have to) (\w+)? (\w+)? (get back|come back|revert|respond|reply|
        be in touch|let you know|discuss|check (with|internally)|talk (to|with)|think (about|it|on)|consider|review|
        pass (it|this|that|on|along|your|the)|
        forward|circulate|share|run (it|this)|speak (to|with)|mull|sleep on|digest|look into|relay)
    (i|we|have|ive|weve|was|been|already|will|ill|well) (also|just|already)? (forward*|pass*|shared|sent|relay*|
        circulat*|handed|share) (it|this|that|your|the|along|on)? … (to|on|along|with|onto|over|internally|around)
"""

ACKNOWLEDGED = """
    (<thanks>|appreciate*|much obliged)
    ^ (ok|okay|k|kk|noted|received|got it|understood|seen|fine|roger|copy that|will do|done|acknowledged|fyi|
        see attached|hi|hello|hey|test|lol|haha|hmm|right|well noted|no problem|no worries|np|all good|cool|good|
        nice|sorry|welcome|ack) …
    (have a|enjoy) (good|nice|great|lovely|wonderful|your|the)
    (discuss|review|talk) (it|this)? (internally|with (my|the|our))
    under (review|consideration)
"""

# Automatic replies of help desks.
RECEIPT = r"""
    (happy|merry) (new year|holidays|christmas|birthday|easter|eid|thanksgiving)
    (has been|have been|was|is|were|been) (received|logged|registered|forwarded|created|assigned|opened)
    (ticket|case|reference|request) (number|id|no|\d*)
    thank you for (contacting|reaching out to|writing to|your (enquiry|inquiry|request|submission)) …
    (within|in) \d* (business|working)? (hours|days)
    (member of our team|our team|someone from our team|an agent|representative) will
    (do not|dont) reply to this (e?mail|message)
"""

NEGATED_BEFORE = re.compile(rf"\b(?:{CLASSES['not']})(?: \w+){{0,2}} $")
CONCEDED_BEFORE = re.compile(r"\b(?:while|although|though|even if)\b")
# "how do I leave?" is about the one who asks.
CAPABILITY = re.compile(
    r"^(?:and |so |but )?(?:do|does|is|are|how|who|what|which|where|if|did|you mention)\b"
    r"(?!.*\b(?:i|me|my|us|our|we|mine)\b)"
)
TURNS = (
    "but|however|though|although|nevertheless|nonetheless|that said|having said that|on the other hand|"
    "unfortunately|sadly"
)
GREETINGS = "hi|hello|hey|dear|good (?:morning|afternoon|evening)"
AUTOMATIC_SUBJECTS = "automatic reply|auto ?reply|auto ?response|out of (?:the )?office|ooo|away from|on leave"
OPT_OUT_SUBJECTS = "(?:please )?(?:unsubscribe(?: me)?|stop|remove(?: me)?|opt out)"
SIGN_OFFS = (
    "(?:with )?(?:best|kind|kindest|warm|warmest|many|sincere) ?(?:regards|wishes|thanks)?|regards|rgds|br|kr|"
    r"cheers|sincerely|yours(?: \w+){0,2}|all the best|thanks|thank you|many thanks|thx|take care|respectfully"
)
AFTERTHOUGHTS = r"p\.? ?s\b|ps\b|please|also|and |do not|dont|stop|remove|take|unsubscribe"
DEVICES = "sent (?:from|via|with) (?:my |outlook|yahoo|mail|samsung|proton|gmail|iphone|superhuman)|get outlook for"
DISCLAIMERS = (
    r"(?:this|the information in this|the contents of this) (?:e-?mail|message|communication)\b.{0,200}"
    r"\b(?:confidential|intended|privileged)|(?:confidentiality|privacy|legal) notice|disclaimer\b|caution:|"
    r"if you (?:are not the intended|have received this)|"
    r"(?:you (?:are receiving|received) this (?:e-?mail|message)|to unsubscribe)\b|please consider the environment"
)
SEE_BELOW = "below|inline"
MONTHS = (
    "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
    "september sept sep", "october oct", "november nov", "december dec",
)  # fmt: skip
WEEKDAYS = (
    "monday mon", "tuesday tues tue", "wednesday wed", "thursday thurs thu", "friday fri", "saturday sat", "sunday sun",
)  # fmt: skip
TOMORROW = "tomorrow"
ENDS_BEFORE = (
    r"until|till|til|through|thru|up to|back|back in|return(?:s|ing)?|reopen(?:s|ing)?|resum\w+|after|available again|"
    r"(?:be|back|return\w*) (?:in|at|to|at my) (?:the )?(?:office|work|desk)"
)
