"""What machines say on the phone, in the languages that the agent opens in.

The phrases are how phone companies, exchanges and telephones word these announcements; a
person hardly ever does. Where one fits several states, the first of the table counts.
"""

import re

from opendeep_app.models import AnswerState

_PHRASES: dict[AnswerState, str] = {
    AnswerState.MAILBOX_FULL: r"""
        (mailbox|voice ?mail)\W.{0,30}\bfull | can(no|')t (accept|take) (any )?(new |more )*messages
        | (mailbox|speicher) .{0,40}voll | (messagerie|bo[iî]te vocale) .{0,40}(pleine|satur[ée]e)
        | (buz[oó]n) .{0,40}lleno | (casella|segreteria) .{0,40}piena | (voicemail|mailbox) .{0,10}vol\b
        | caixa .{0,40}(cheia|lotada) | skrzynka .{0,40}(pe[lł]na|przepe[lł]niona)
    """,
    AnswerState.SCREENING: r"""
        (say|state|record|give|tell (me|us)) your name .{0,40}\b(reason|why|call) | call screening
        | screening (service|your call) | record your name | see if (this person|they|he|she) (is|are) available
        | (in a few words|briefly) .{0,30}(why|reason|calling)
        | nennen sie .{0,20}namen .{0,40}(grund|anruf) | (dites|indiquez) .{0,20}nom .{0,40}(motif|raison|appel)
        | (diga|indique) .{0,10}nombre .{0,40}(motivo|llamada) | dica il .{0,10}nome .{0,40}(motivo|chiama)
        | noem .{0,10}naam .{0,40}(reden|belt) | diga o seu nome .{0,40}(motivo|liga)
        | podaj .{0,20}(imi[eę]|nazwisko) .{0,40}(pow[oó]d|dzwoni)
    """,
    AnswerState.VOICEMAIL: r"""
        (leave|record) (me |us )?(a|your) (short |brief |detailed )?(message|name and)
        | (after|at|hear|following) the (tone|beep|signal) | you('ve| have) reached the (voice ?mail|mailbox)
        | forwarded to (an automat\w+ |the )?(voice ?mail|voice messag) | is not available\b.{0,60}\b(message|tone|beep)
        | (can't|cannot|can not|unable to|not able to) (take|answer) your call | (can't|cannot) come to the phone
        | nach dem (signal|piep)?ton | hinterlassen sie .{0,30}nachricht | mailbox von | anrufbeantworter
        | apr[eè]s le (bip|signal) | laisse[zr] (un|votre) message | messagerie (vocale )?de | r[ée]pondeur
        | despu[eé]s de (la se[nñ]al|o[ií]r) | (deje|dejar) (un|su) mensaje | buz[oó]n de voz
        | dopo il (segnale|bip) | lasciat?e (un|il) (vostro )?messaggio | segreteria telefonica
        | na de (piep|toon) | (laat|spreek) .{0,20}(bericht|boodschap) .{0,10}(achter|in)\b
        | (ap[oó]s|depois d)o? ?o? ?(sinal|bipe?) | deixe (a sua|uma|sua) mensagem | caixa postal
        | po (sygnale|us[lł]yszeniu) | zostaw(i[cć])? .{0,20}wiadomo[sś][cć] | poczta g[lł]osowa
    """,
    AnswerState.MENU: r"""
        \b(press|dial|push) (\d|star|pound|hash|zero|one|two|three|four|five|six|seven|eight|nine)\b
        | dr[uü]cken sie (bitte )?(die )?(\d|eins|zwei|drei|taste|stern|raute) | w[aä]hlen sie (bitte )?(die )?\d
        | (tapez|appuyez sur|faites le) .{0,20}(\d|un|deux|trois|touche|[eé]toile|di[eè]se)
        | (pulse|presione|marque|oprima) .{0,20}(\d|uno|dos|tres|asterisco)
        | (premere|prema|digiti|digitare) .{0,20}(\d|uno|due|tre|tasto|asterisco)
        | (toets|druk op|kies) .{0,20}(\d|een|twee|drie|sterretje)
        | (prima|pressione|digite|tecle|marque) .{0,20}(\d|um|dois|tr[eê]s|asterisco)
        | (naci[sś]nij|wybierz) .{0,20}(\d|jeden|dwa|trzy|gwiazdk)
    """,
    AnswerState.HOLD: r"""
        (your call is|calls are) (very )?important | (stay|remain|hold) (on )?the line
        | please (continue to )?hold\b | put(ting)? you (on hold|through) | plac(e|ing) you on hold
        | transferring (you|your call) | connecting you | next available | all (of )?our (agents|lines|staff|representatives|operators)
        | (number|position) .{0,20}in (the )?(queue|line) | answered in the order | (one|just a|a) moment,? please | hold,? please
        | bleiben sie (bitte )?(in der leitung|dran) | n[aä]chste freie | ich verbinde
        | (veuillez|merci de) (patienter|rester en ligne) | ne quittez pas | je vous passe
        | (permanezca|no cuelgue|espere) .{0,20}(l[ií]nea|por favor)? | le paso con
        | (resti|rimanga|attenda) (prego |pure )?in linea | la metto in attesa | le passo
        | (blijf|een moment) .{0,20}(lijn|alstublieft|geduld) | ik verbind
        | (aguarde|n[aã]o desligue) .{0,20}(linha|momento)? | vou passar
        | prosz[eę] (czeka[cć]|nie roz[lł][aą]cza[cć]) | [lł][aą]cz[eę] (pana|pani[aą])
    """,
}
_COMPILED = {
    state: re.compile("|".join(map(str.strip, re.split(r"\s\|\s", phrases))), re.IGNORECASE)
    for state, phrases in _PHRASES.items()
}
_GREETING_WORDS = 3
"""So few words are a person's: "Hello?", "Yes?", "Maria speaking"."""
_GO_ON = re.compile(
    r"\b(speaking|go ahead|who('s| is) (this|calling|there|speaking)|how (can|may) i help)\b",
    re.IGNORECASE,
)


def machine(words: str) -> AnswerState | None:
    """Which kind of machine talks like this; None when it may be a person."""
    text = " ".join(words.replace("’", "'").split())
    for state, phrases in _COMPILED.items():
        if phrases.search(text):
            # A person who asks something wants an answer, even if they said "one moment" before.
            asks = state is AnswerState.HOLD and text.endswith("?")
            return None if asks else state
    return None


def expects_reply(words: str) -> bool:
    """Whether this is how people answer the phone, and not the beginning of an announcement."""
    text = words.strip()
    return (
        text.endswith("?")
        or len(text.split()) <= _GREETING_WORDS
        or _GO_ON.search(text) is not None
    )
