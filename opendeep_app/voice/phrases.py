"""The sentences that the agent must get exactly right, in the languages they are written for.

`{name}` is the principal, on whose behalf it calls. In other languages the model is given the
English sentence and told to say it in theirs.
"""

from dataclasses import dataclass

DEFAULT = "en"


@dataclass(frozen=True)
class Phrases:
    """One language's sentences."""

    #: Who calls, for whom, and that it is an AI; says nothing of why.
    greeting: str
    #: The same to somebody who rings back.
    welcome: str
    #: Asks for a sign of life, so that a person gives one and a machine does not.
    moment: str
    #: Why: only a person hears this.
    purpose: str
    #: Why, to somebody who rings back.
    called: str
    #: Why, when the answer to the recipient's question has come.
    again: str
    #: That question and its answer.
    answered: str
    #: To a machine that asks who calls and why.
    screening: str
    #: To a voicemail.
    message: str
    #: How the message ends while there are attempts left, and on the last.
    later: str
    call_back: str
    #: Into silence.
    anybody: str
    #: When hold has lasted too long.
    held_too_long: str
    goodbye: str


PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        greeting="Hello, this is an AI assistant calling on behalf of {name}.",
        welcome="Hello, thank you for calling back. This is an AI assistant calling on behalf of {name}.",
        moment="Do you have a moment?",
        purpose="I am calling about this: {goal}. Can you help me with that?",
        called="I called about this: {goal}. Can you help me with that?",
        again="I called earlier about this: {goal}. I have the answer now.",
        answered="You asked: {question} It is: {answer}.",
        screening="This is an AI assistant calling on behalf of {name}, with a short request in person.",
        message="Hello, this is an AI assistant calling on behalf of {name}.",
        later="I will try again later. Goodbye.",
        call_back="If you like, call this number back. Goodbye.",
        anybody="Hello, can you hear me?",
        held_too_long="I am sorry, I cannot hold any longer. I will call again.",
        goodbye="Goodbye.",
    ),
    "de": Phrases(
        greeting="Guten Tag, hier ist ein KI-Assistent, ich rufe im Auftrag von {name} an.",
        welcome="Guten Tag, danke für Ihren Rückruf. Hier ist ein KI-Assistent, ich rufe im Auftrag von {name} an.",
        moment="Haben Sie einen Moment Zeit?",
        purpose="Es geht um Folgendes: {goal}. Können Sie mir dabei helfen?",
        called="Ich hatte wegen Folgendem angerufen: {goal}. Können Sie mir dabei helfen?",
        again="Ich hatte schon einmal angerufen, es ging um Folgendes: {goal}. Jetzt habe ich die Antwort.",
        answered="Sie hatten gefragt: {question} Die Antwort ist: {answer}.",
        screening="Hier ist ein KI-Assistent im Auftrag von {name}, mit einem kurzen persönlichen Anliegen.",
        message="Guten Tag, hier ist ein KI-Assistent, ich rufe im Auftrag von {name} an.",
        later="Ich versuche es später noch einmal. Auf Wiederhören.",
        call_back="Sie können gerne unter dieser Nummer zurückrufen. Auf Wiederhören.",
        anybody="Hallo, können Sie mich hören?",
        held_too_long="Es tut mir leid, ich kann nicht länger warten. Ich rufe noch einmal an.",
        goodbye="Auf Wiederhören.",
    ),
    "fr": Phrases(
        greeting="Bonjour, je suis un assistant IA et j'appelle de la part de {name}.",
        welcome="Bonjour, merci de rappeler. Je suis un assistant IA et j'appelle de la part de {name}.",
        moment="Avez-vous un instant ?",
        purpose="J'appelle à ce sujet : {goal}. Pouvez-vous m'aider ?",
        called="J'ai appelé à ce sujet : {goal}. Pouvez-vous m'aider ?",
        again="J'ai déjà appelé à ce sujet : {goal}. J'ai maintenant la réponse.",
        answered="Vous aviez demandé : {question} La réponse est : {answer}.",
        screening="Je suis un assistant IA, j'appelle de la part de {name} pour une courte demande en personne.",
        message="Bonjour, je suis un assistant IA et j'appelle de la part de {name}.",
        later="Je rappellerai plus tard. Au revoir.",
        call_back="Vous pouvez rappeler ce numéro si vous le souhaitez. Au revoir.",
        anybody="Allô, m'entendez-vous ?",
        held_too_long="Je suis désolé, je ne peux pas attendre plus longtemps. Je rappellerai.",
        goodbye="Au revoir.",
    ),
    "es": Phrases(
        greeting="Hola, soy un asistente de IA y llamo de parte de {name}.",
        welcome="Hola, gracias por devolver la llamada. Soy un asistente de IA y llamo de parte de {name}.",
        moment="¿Tiene un momento?",
        purpose="Llamo por lo siguiente: {goal}. ¿Me puede ayudar?",
        called="Llamé por lo siguiente: {goal}. ¿Me puede ayudar?",
        again="Llamé antes por lo siguiente: {goal}. Ya tengo la respuesta.",
        answered="Usted preguntó: {question} La respuesta es: {answer}.",
        screening="Soy un asistente de IA y llamo de parte de {name}, con una breve petición en persona.",
        message="Hola, soy un asistente de IA y llamo de parte de {name}.",
        later="Volveré a intentarlo más tarde. Adiós.",
        call_back="Si lo desea, puede devolver la llamada a este número. Adiós.",
        anybody="Hola, ¿me oye?",
        held_too_long="Lo siento, no puedo esperar más. Volveré a llamar.",
        goodbye="Adiós.",
    ),
    "it": Phrases(
        greeting="Buongiorno, sono un assistente IA e chiamo per conto di {name}.",
        welcome="Buongiorno, grazie di aver richiamato. Sono un assistente IA e chiamo per conto di {name}.",
        moment="Ha un momento?",
        purpose="Chiamo per questo: {goal}. Può aiutarmi?",
        called="Avevo chiamato per questo: {goal}. Può aiutarmi?",
        again="Ho già chiamato per questo: {goal}. Ora ho la risposta.",
        answered="Aveva chiesto: {question} La risposta è: {answer}.",
        screening="Sono un assistente IA e chiamo per conto di {name}, per una breve richiesta di persona.",
        message="Buongiorno, sono un assistente IA e chiamo per conto di {name}.",
        later="Riproverò più tardi. Arrivederci.",
        call_back="Se vuole, può richiamare questo numero. Arrivederci.",
        anybody="Pronto, mi sente?",
        held_too_long="Mi dispiace, non posso più attendere. Richiamerò.",
        goodbye="Arrivederci.",
    ),
    "nl": Phrases(
        greeting="Goedendag, dit is een AI-assistent, ik bel namens {name}.",
        welcome="Goedendag, bedankt voor het terugbellen. Dit is een AI-assistent, ik bel namens {name}.",
        moment="Heeft u een moment?",
        purpose="Ik bel hierover: {goal}. Kunt u mij daarmee helpen?",
        called="Ik belde hierover: {goal}. Kunt u mij daarmee helpen?",
        again="Ik heb hier eerder over gebeld: {goal}. Ik heb nu het antwoord.",
        answered="U vroeg: {question} Het antwoord is: {answer}.",
        screening="Dit is een AI-assistent namens {name}, met een kort verzoek dat ik graag zelf doe.",
        message="Goedendag, dit is een AI-assistent, ik bel namens {name}.",
        later="Ik probeer het later opnieuw. Tot ziens.",
        call_back="U kunt dit nummer terugbellen als u wilt. Tot ziens.",
        anybody="Hallo, kunt u mij horen?",
        held_too_long="Het spijt me, ik kan niet langer wachten. Ik bel opnieuw.",
        goodbye="Tot ziens.",
    ),
    "pt": Phrases(
        greeting="Olá, sou um assistente de IA e ligo em nome de {name}.",
        welcome="Olá, obrigado por ligar de volta. Sou um assistente de IA e ligo em nome de {name}.",
        moment="Tem um momento?",
        purpose="Ligo por causa disto: {goal}. Pode ajudar-me?",
        called="Liguei por causa disto: {goal}. Pode ajudar-me?",
        again="Liguei antes por causa disto: {goal}. Já tenho a resposta.",
        answered="Perguntou: {question} A resposta é: {answer}.",
        screening="Sou um assistente de IA e ligo em nome de {name}, com um breve pedido em pessoa.",
        message="Olá, sou um assistente de IA e ligo em nome de {name}.",
        later="Volto a tentar mais tarde. Adeus.",
        call_back="Se quiser, pode ligar de volta para este número. Adeus.",
        anybody="Estou, consegue ouvir-me?",
        held_too_long="Peço desculpa, não posso esperar mais. Volto a ligar.",
        goodbye="Adeus.",
    ),
    "pl": Phrases(
        greeting="Dzień dobry, tu asystent AI, dzwonię w imieniu: {name}.",
        welcome="Dzień dobry, dziękuję za oddzwonienie. Tu asystent AI, dzwonię w imieniu: {name}.",
        moment="Czy ma Pan lub Pani chwilę?",
        purpose="Dzwonię w tej sprawie: {goal}. Czy może mi Pan lub Pani pomóc?",
        called="Dzwoniłem w tej sprawie: {goal}. Czy może mi Pan lub Pani pomóc?",
        again="Dzwoniłem już wcześniej w tej sprawie: {goal}. Mam teraz odpowiedź.",
        answered="Pytanie brzmiało: {question} Odpowiedź: {answer}.",
        screening="Tu asystent AI, dzwonię w imieniu: {name}, z krótką prośbą, którą przekażę osobiście.",
        message="Dzień dobry, tu asystent AI, dzwonię w imieniu: {name}.",
        later="Spróbuję ponownie później. Do widzenia.",
        call_back="Można oddzwonić na ten numer. Do widzenia.",
        anybody="Halo, czy mnie słychać?",
        held_too_long="Przepraszam, nie mogę dłużej czekać. Zadzwonię ponownie.",
        goodbye="Do widzenia.",
    ),
}


def known(language: str) -> bool:
    """Whether there are sentences in this language (a BCP 47 tag)."""
    return _primary(language) in PHRASES


def phrases(language: str) -> Phrases:
    """The sentences of a language; English for one that has none."""
    return PHRASES.get(_primary(language), PHRASES[DEFAULT])


def say_exactly(words: str, language: str) -> str:
    """Instructions for one response that says just this."""
    if known(language):
        return f"Say exactly this and nothing else: “{words}”"
    return (
        f"Say just this in the language with the code {language[:16]}, and nothing else: “{words}”"
    )


def _primary(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]
