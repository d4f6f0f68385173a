"""What a messenger itself writes into an exported chat: nobody said it, so it is no question and no answer."""

from __future__ import annotations

import re

MARK = "\u200e"
"""Begins such a message where a phone of Apple has exported it."""
_QUOTED = "[\"“«‘'].*[\"”»’']"
_MEDIA = "image|video|video note|audio|sticker|GIF|document|contact card|media|imagen|documento|multimedia|tarjeta de contacto"
_OWN = re.compile(
    "|".join(
        (
            r"(messages|calls)\b.* end-to-end encrypt.*",
            r"(los mensajes|las llamadas)\b.* (cifrad|encriptad).* extremo a extremo.*",
            rf"<?({_MEDIA}) (omitted|omitid[oa])>?",
            r"<(attached|adjunto): .*>",
            r"\S+\.\w{2,4} \((file attached|archivo adjunto)\)",
            r"(missed|silenced) (voice|video|group)( voice| video)? call.*",
            r"llamada( de voz| de video| de vídeo| grupal| de grupo)* perdida.*",
            r"this message was deleted\.?|you deleted this message\.?|null",
            r"(se eliminó|eliminaste) este mensaje\.?|este mensaje fue eliminado\.?",
            rf"(.{{1,60}} )?created (this group|(the )?group {_QUOTED})\.?",
            rf"(.{{1,60}} )?creó (este grupo|el grupo {_QUOTED})\.?",
            rf"(.{{1,60}} )?changed the (subject|group name)( from {_QUOTED})? to {_QUOTED}\.?",
            rf"(.{{1,60}} )?cambió el (asunto|nombre)( del grupo)?( de {_QUOTED})? (a|por) {_QUOTED}\.?",
            r"(.{1,60} )?changed (this|the) group(['’]s)? (icon|description|settings)\.?",
            r"(.{1,60} )?cambió (el ícono|el icono|la imagen|la descripción|los ajustes)( de este| del) grupo\.?",
        )
    ),
    re.IGNORECASE,
)
_EDITED = re.compile(r"\s*<(This message was edited|Se editó este mensaje\.?)>$", re.IGNORECASE)


def is_own(text: str) -> bool:
    """Whether a line of a message is the messenger's."""
    return text.startswith(MARK) or bool(_OWN.fullmatch(text.strip()))


def plain(text: str) -> str:
    """A message without the marks of the messenger."""
    return _EDITED.sub("", text.replace(MARK, "")).strip()
