"""Phrases that command a model, and answers in which an assistant declines or speaks of itself; English and Spanish."""

from __future__ import annotations

import re

from backend.data.dataset import Row
from backend.data.gates.base import Gate, Options
from backend.data.gates.patterns import _Looking


def _any(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms), re.IGNORECASE)


_ORDERS = r"(?:instrucciones|[oó]rdenes|indicaciones|directrices|prompts?)"
INJECTION = _any(
    r"(?:ignore|disregard|forget|override|bypass) (?:all |any |the |of |your |my |these |everything )*"
    r"(?:previous|prior|above|preceding|earlier|original|system|initial)?\s*(?:instructions?|prompts?|directives?|guidelines)\b",
    r"(?:ignora|olvida|descarta|omite|desobedece)r?(?:te)? (?:de )?(?:todas? |todo )?(?:las |tus |los |el |sus |estas )?"
    rf"(?:anteriores )?{_ORDERS}\b",
    r"(?:reveal|show|print|repeat|output|tell me|leak|expose)\s+(?:me\s+)?(?:your|the)\s+"
    r"(?:system|initial|hidden|original)\s+(?:prompt|instructions|message)",
    r"(?:mu[eé]stra|revela|di|repite|ense[ñn]a)(?:me)?\s+(?:tu|el|las|tus)\s+(?:prompt|instrucciones|mensaje)"
    r"\s*(?:de(?:l)? sistema|inicial(?:es)?|oculto)?",
    r"you are now (?:DAN|in developer mode|unrestricted|jailbroken)|\bdo anything now\b|\bjailbreak(?:ed|ing)?\b",
    r"act[uú]a como (?:DAN|si no tuvieras (?:reglas|restricciones))|pretend (?:that )?you have no (?:rules|restrictions)",
    r"\bsystem prompt\b|\bprompt del? sistema\b",
)
_INJECTION_MARKS = _any(
    *(
        "ignor",
        "disreg",
        "forget",
        "overrid",
        "bypass",
        "olvid",
        "descart",
        "omit",
        "desobed",
        "prompt",
        "developer mode",
    ),
    *(r"\bDAN\b", "anything now", "jailbr", "restric", "system", "sistema", "initial", "hidden", "instruc"),
)
_UNABLE = r"i['’]m (?:unable|not able)"
DECLINES = _any(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b",
    r"\bcomo (?:una? )?(?:IA|inteligencia artificial|modelo de lenguaje|asistente virtual)\b",
    r"^\W*(?:(?:i['’]m|i am) (?:very |really |so )?sorry|sorry|lo siento|lo lamento|mis disculpas|my apologies)[,;.]?\s*"
    rf"(?:but |pero )?(?:i (?:can['’]?t|cannot|can not|am unable|won['’]t|don['’]t have)|{_UNABLE}|no puedo|no me es posible"
    r"|no tengo acceso|no estoy en)",
    rf"^\W*(?:i (?:cannot|can['’]?t|am unable to|am not able to|won['’]t|don['’]t have access)|{_UNABLE} to)\s+"
    r"(?:help|assist|provide|fulfill|comply|answer|do that|access|create|generate|support|engage|discuss)",
    r"^\W*(?:no puedo (?:ayudar|cumplir|proporcionar|responder|generar|asistir|acceder|hacer eso)|no me es posible"
    r"|no tengo acceso a)",
    r"\bmy (?:knowledge|training data) (?:cutoff|only goes)|\bOpenAI\b.{0,40}\b(?:trained|developed) me",
    r"\bdeveloped by (?:OpenAI|Anthropic)\b|\bmi fecha de corte de conocimiento\b",
    r"^\W*(?:certainly|sure|of course|por supuesto|claro)[!,.]? (?:here(?:['’]s| is| are)|aqu[ií] (?:tienes|est[aá]n?))\b",
)


class Injection(_Looking):
    code = "gates.injection"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        if _INJECTION_MARKS.search(text) and (match := INJECTION.search(text)):
            self.add(split, row, [" ".join(match[0].casefold().split())[:60]], text, match.start())


class Declining(_Looking):
    """Answers only, and no labels: a class may well be called `refusal`."""

    code = "gates.declining"

    def __init__(self, gate: Gate, options: Options) -> None:
        super().__init__(gate, options)
        self.labels = options.template.answer == "label"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        answer = None if self.labels else row.output
        if answer and (match := DECLINES.search(answer)):
            self.add(split, row, [" ".join(match[0].casefold().split())[:60]], answer)
