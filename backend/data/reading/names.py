"""What columns are called, in English, Spanish, German and French. A name is evidence only; the values decide.

Names are compared without case, accents, spaces and `_-.`; words of a name also singly ("review_body": review, body).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAPS = re.compile(r"[\W_]+")


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a name: "Customer\u00a0Text " -> ("customer", "text"), "reviewBody" -> ("review", "body")."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", _CAMEL.sub(" ", name)) if not unicodedata.combining(c))
    return tuple(word for word in _GAPS.split(plain.casefold()) if word)


def key(name: str) -> str:
    """The name as it is compared whole: "Pregunta_Frecuente" -> "preguntafrecuente"."""
    return "".join(words(name))


def last_part(name: str) -> str:
    """The name of a nested value: "translation.en" -> "en"."""
    return name.rsplit(".", 1)[-1]


def _of(text: str) -> tuple[str, ...]:
    return tuple(text.split())


QUESTION = _of(
    "question query pregunta consulta frage duda questions preguntas fragetext problem problema ask userquery"
)
PROMPT = _of("prompt instruction instruccion instructions command comando orden anweisung task tarea")
USER = _of("user human usuario person client cliente customer humano benutzer utilisateur")
ASSISTANT = _of("assistant bot gpt ai model chatbot agent asistente assistent agente llm")
ANSWER = _of(
    "answer response reply respuesta antwort reponse completion output target tgt ideal solution solucion contestacion "
    "salida ausgabe expected gold expectedoutput referenceanswer modelresponse answers finalanswer respuestas bestanswer "
    "groundtruth groundtruths goldanswer goldenanswer idealanswer "
    "reference referencia resolution resolucion sql"
)
TEXT = _of(
    "text texto input entrada sentence frase oracion utterance message mensaje tweet post review resena opinion comment "
    "comentario remark statement content contenido document documento body cuerpo description descripcion request "
    "peticion solicitud src email mail correo kommentar nachricht beschreibung satz texte phrase commentaire verbatim feedback "
    "transcript transcripcion bewertung eingabe snippet noticia article articulo complaint queja reclamacion ticket "
    "anfrage bemerkung observacion rezension avis mensagem expresion enunciado source abstract poem code sms"
)
INPUT = QUESTION + PROMPT + TEXT + USER
TITLE = _of("title titulo subject asunto headline titular heading betreff titel sujet titre encabezado summaryline")
BODY = _of(
    "body cuerpo text texto description descripcion content contenido message mensaje beschreibung article articulo "
    "details detalle detalles review nachricht texte ticket email correo bodytext"
)
LABEL_FIRST = _of(
    "label labels target output y class gold etiqueta etiquetas clase salida expected klasse classlabel "
    "classe etiquette goldlabel"
)
"""The usual names of the column that a classifier learns: one of these wins over the others."""
LABEL = _of(
    "intent category sentiment topic tag tags intencion categoria sentimiento tema kategorie stimmung absicht categorie "
    "emotion emocion stars rating score verdict polarity polaridad toxicity toxic spam hate stance entailment relation "
    "puntuacion valoracion estrellas thema intention sentimentlabel categories department departamento abteilung gefuehl "
    "overall calificacion answer response respuesta antwort reply decision clasificacion classification diagnosis genre "
    "genero gravedad severity priority prioridad queue cola warteschlange "
    "urgency urgencia motivo reason sterne note humor ironia sarcasm"
)
SORTING = _of(
    "category categoria categorie kategorie topic tema thema tag tags genre genero priority prioridad department"
)
"""Labels that as often only sort the rows of another task."""
MINOR = _of("priority prioridad genre genero urgency urgencia note genero difficulty")
"""Labels that are rarely what is asked, where there is another."""
LABEL_NAMES = _of("name text names string str nombre texto title desc description")
CONTEXT = _of(
    "context contexto passage pasaje paragraph parrafo background kontext contexte evidence evidencia knowledge story article "
    "contexts contextos passages pasajes evidences supportingfacts retrievedcontexts retrieveddocuments documents"
)
HISTORY = _of("history historial verlauf historique chathistory dialoghistory historia")
SYSTEM = _of("system systemprompt sistema systemmessage instrucciondelsistema systeminstruction")
CHOSEN = _of("chosen preferred accepted elegida elegido preferida preferredoutput chosenresponse preferredresponse win")
REJECTED = _of(
    "rejected dispreferred nonpreferred rechazada rechazado nonpreferredoutput rejectedresponse dispreferredresponse lose"
)
SUMMARY = _of("summary highlights resumen abstract tldr zusammenfassung resume sumario headlines summarytext")
ARTICLE = _of(
    "article document dialogue dialog text articulo documento noticia body source maintext transcript conversation dialogo "
    "texto artikel content bill report informe input reviewtext review reviewbody conversacion transcripcion"
)
TOOLS = _of("tools functions herramientas availabletools toolsdefinitions")
MESSAGES = _of(
    "messages contents conversations conversation dialog dialogue chat turns mensajes conversacion prompt dialogo"
)
CONVERSATION_ID = _of(
    "conversationid dialogid dialogueid threadid chatid sessionid conversation dialog dialogue thread session ticketid convid "
    "conversacion idconversacion conversacionid hilo idhilo sesion chat messagetreeid gespraech gespraechid gespraechsid callid"
)
SPEAKER = _of(
    "role speaker sender author rol hablante remitente emisor from who turnrole participant sprecher rolle autor"
)
SPOKEN = TEXT + _of("value turn said")
CHOICES = _of("choices options opciones alternatives endings answers candidates alternativas candidatos auswahl")
KEY = _of(
    "answer answerkey label correct correctanswer respuesta correcta cop answeridx answerindex gold target solution key"
)
ASIDE = _of(
    "id ids uid uuid guid idx index nr no num number row rowid source fuente origen origin url link href language lang idioma "
    "locale sprache date fecha datum time hora timestamp author username userid dataset subset domain split version model "
    "annotator file filename path archivo hash created updated createdat updatedat channel canal country pais city ciudad "
    "region product producto brand marca comments notes notas observaciones annotation explanation rationale confidence weight "
    "votes likes helpful verified status estado langs license licencia meta metadata difficulty flags worker tokens length len "
    "reviewer anotador comentarios notizen bemerkungen amount betrag price precio wert internal internas annotatorcomments "
    "gender sexo age edad store tienda device platform plataforma"
)
"""Names of what travels with a row and is no part of the question, unless a person says so."""
LANGUAGES = {
    code: tongue
    for tongue, names in {
        "English": "en eng english ingles englisch anglais enus engb",
        "Spanish": "es spa spanish espanol spanisch espagnol castellano eses esmx",
        "German": "de deu ger german aleman deutsch allemand",
        "French": "fr fra fre french frances franzosisch francais",
        "Italian": "it ita italian italiano",
        "Portuguese": "pt por portuguese portugues ptbr",
        "Catalan": "ca cat catalan",
        "Galician": "gl glg galician gallego",
        "Basque": "eu eus basque euskera",
        "Dutch": "nl nld dutch",
        "Polish": "pl pol polish",
        "Russian": "ru rus russian",
        "Ukrainian": "uk ukr ukrainian",
        "Chinese": "zh zho chinese chino zhcn",
        "Japanese": "ja jpn japanese japones",
        "Korean": "ko kor korean",
        "Arabic": "ar ara arabic arabe",
        "Hebrew": "he heb hebrew",
        "Hindi": "hi hin hindi",
        "Romanian": "ro ron romanian rumano",
        "Swedish": "sv swe swedish",
        "Turkish": "tr tur turkish",
        "Greek": "el ell greek",
        "Czech": "cs ces czech",
        "Finnish": "fi fin finnish",
        "Hungarian": "hu hun hungarian",
        "Quechua": "qu que quechua",
    }.items()
    for code in names.split()
}
"""A language's code or name, as `key` writes it -> the language in English."""
SPLITS = {
    **dict.fromkeys(("train", "training", "tr", "entrenamiento", "entreno", "learn"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "devel", "development", "validacion", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "prueba", "holdout", "heldout"), "test"),
}
"""What a split is called in a file -> its name here."""
SPEAKERS = {
    **dict.fromkeys(
        ("user", "human", "prompter", "usuario", "customer", "client", "cliente", "caller", "visitor", "kunde"), "user"
    ),
    **dict.fromkeys(
        ("assistant", "gpt", "bot", "model", "agent", "agente", "asistente", "operator", "support", "chatbot", "ai"),
        "assistant",
    ),
    **dict.fromkeys(("system", "developer", "sistema"), "system"),
    **dict.fromkeys(("tool", "function", "observation"), "tool"),
}
"""Who speaks in a conversation, as files say it -> the role in OpenAI's format."""


def strength(name: str, known: tuple[str, ...]) -> float:
    """How well a name fits a list of names: 1 whole, 0.85 by a word of it, 0 not. Numbers at the end do not count."""
    whole = key(last_part(name)) or key(name)
    if whole in known or key(name) in known:
        return 1.0
    found = words(name)
    return 0.85 if any(word in known and len(word) > 1 for word in found) else 0.0


def aside(name: str) -> bool:
    """Whether the name says that the column describes the row and is not what a model reads or answers."""
    found = words(last_part(name)) or words(name)
    return key(last_part(name)) in ASIDE or bool(
        found and (found[-1] in ("id", "url", "date", "at") or found[0] in ("meta", "id"))
    )
