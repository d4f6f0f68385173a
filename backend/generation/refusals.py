"""Whether an answer declines the task, in English and Spanish.

Narrow on purpose: "I'm sorry to hear that" and "I can't find your order" are answers that a customer service gives.
"""

from __future__ import annotations

import re

_OPENING = 200
"""Characters in which a refusal shows itself."""
_REFUSES = re.compile(
    r"""
    \b(?:as\ an?\ (?:ai|artificial\ intelligence|(?:large\ )?language\ model))\b
    | \b(?:i\ (?:can(?:no|')t|can\ not|am\ unable\ to|am\ not\ able\ to|won't|will\ not|must\ decline\ to)
      |i'm\ (?:unable|not\ able)\ to)
      \ (?:\w+\ )?(?:assist|help(?:\ you)?\ with\ (?:that|this)|comply|fulfill?|engage|participate|
      (?:provide|create|generate|produce|write|classify|label|answer|discuss|respond\ to|support)
      \ (?:that|this|such|the\ requested|content|responses?|(?:an?\ )?(?:answer|label|classification)|any))
    | \bi\ (?:must|have\ to)\ decline\b | \bagainst\ my\ (?:guidelines|programming|policies)\b
    | \bcomo\ (?:una?\ )?(?:ia|inteligencia\ artificial|modelo\ de\ lenguaje|asistente\ de\ ia)\b
    | \bno\ (?:puedo|me\ es\ posible|estoy\ en\ condiciones\ de|se\ me\ permite)
      \ (?:ayudar(?:te|le|os|les)?\ con\ (?:eso|esto|esa|ese|esta|este)|asistir(?:te|le)?\b|cumplir|participar
      |(?:proporcionar|crear|generar|escribir|clasificar|etiquetar|responder\ a|atender|realizar|ofrecer)
      \ (?:eso|esto|es[ae]|est[ae]|dich[oa]|contenido|tal|una?\ (?:respuesta|etiqueta|clasificacion)|ningun))
    | \b(?:debo|tengo\ que)\ (?:declinar|rechazar|negarme)\b | \bva\ en\ contra\ de\ mis\ (?:normas|directrices|politicas)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN = re.compile(
    r"^(?:i'm|i\ am)?\s*sorry,?\ (?:but\ )?(?:i\ (?:can't|cannot|can\ not|am\ unable\ to|won't)|i'm\ unable\ to)"
    r"(?:\ (?:do|help\ with|assist\ with)\ (?:that|this))?\W*$"
    r"|^(?:lo\ siento|lo\ lamento|disculpa)\W+(?:pero\ )?no\ puedo(?:\ hacer(?:lo)?(?:\ eso)?)?\W*$",
    re.VERBOSE | re.IGNORECASE,
)
_ACCENTS = str.maketrans("áéíóúÁÉÍÓÚ’", "aeiouAEIOU'")


def is_refusal(answer: str) -> bool:
    """Whether its beginning says that the model will not or cannot do what was asked."""
    opening = " ".join(answer[:_OPENING].translate(_ACCENTS).split())
    return bool(_REFUSES.search(opening) or _PLAIN.match(opening))
