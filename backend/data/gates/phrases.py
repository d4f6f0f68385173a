"""Phrases that command a model, and answers in which an assistant declines or speaks of itself; English and Spanish."""

from __future__ import annotations

import re

from backend.data.gates.patterns import Looking
from backend.data.row_blocks import RowBlock


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
_INJECTION_MARKS = (
    "ignor|disreg|forget|overrid|bypass|olvid|descart|omit|desobed|prompt|developer mode|DAN|anything now|jailbr|restric|system"
    "|sistema|initial|hidden|instruc"
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


class Injection(Looking):
    code = "gates.injection"
    may_hold = f"(?i){_INJECTION_MARKS}"

    def look_at(self, split: str, row: str, text: str) -> None:
        if match := INJECTION.search(text):
            self.add(split, row, [" ".join(match[0].casefold().split())[:60]], text, match.start())


class Declining(Looking):
    """Answers only, and no labels: a class may well be called `refusal`."""

    code = "gates.declining"

    def see_block(self, block: RowBlock) -> None:
        self.seen += len(block)
        if self.options.template.answer == "label":
            return
        for at, answer in enumerate(block.outputs.to_pylist()):
            if answer and (match := DECLINES.search(answer)):
                phrase = " ".join(match[0].casefold().split())[:60]
                self.add(block.split, block.ids[at].as_py(), [phrase], answer)
