"""How models come in: the built-in ones are prepared once, others arrive as zip or GGUF files. All of it takes a while, so it
goes on in the background, and what is under way is shown to everybody."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from backend.api.projects import SUFFIX
from backend.core.errors import StudioError
from backend.files.uploads import Upload
from studio.ui.shared import api_cache
from studio.ui.shared.builtin import fetch_words
from studio.ui.shared.formatting import ago, escape_markdown, format_size, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.tasks import background, drop, failure, task
from studio.ui.shared.upload import upload_box

_EXTENSIONS = (".zip", ".gguf")


def import_box() -> None:
    """The drop zone, and every file that was sent and is not a model yet."""
    waiting = _waiting()
    # Decided once: a changed value would draw the expander anew, and end an upload in it.
    opened = st.session_state.setdefault("models_import_opened", bool(waiting))
    box = st.expander(
        _("Import a model"),
        expanded=opened,
        key="models_import",
        icon=":material/upload:",
        on_change="rerun",
    )
    if not box.open:
        return
    with box:
        st.caption(
            _(
                "Zip a folder with config.json, tokenizer.json and *.safetensors, as saved by "
                "transformers, or choose a GGUF file. Model code is never run."
            )
        )
        if upload_box("models_upload", list(_EXTENSIONS), _("Model folder as a zip file, or a GGUF file")):
            waiting = _waiting()
        for upload in waiting:
            _row(upload)


def _row(upload: Upload) -> None:
    key = _import_key(upload.id)
    going = task(key)
    with st.container(border=True, key=f"upload_{upload.id}", gap="small"):
        about = f"**{escape_markdown(upload.name)}** · {format_size(upload.bytes)} · {ago(upload.created)}"
        if going and not going.done:
            st.markdown(about)
            st.markdown(f":shimmer[{_('Unpacking and checking…')}]")
            return
        st.markdown(about)
        agreed = _accept_terms(upload)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input(
                _("Name of the model"),
                Path(upload.name).stem,
                key=f"name_{upload.id}",
                max_chars=100,
                placeholder=_("Name"),
                width=320,
            )
            _base_choice(upload)
            st.button(
                _("Import"), key=key, type="primary", disabled=not agreed, on_click=_import, args=(upload.id, agreed)
            )
            st.button(
                _("Discard the file"),
                key=f"discard_{upload.id}",
                on_click=api_cache.run_action,
                args=(lambda: api_cache.studio().delete_upload(upload.id),),
            )
        _failure(failure(going))


def _base_choice(upload: Upload) -> None:
    """Of an adapter: the model that it belongs to."""
    bases = api_cache.studio().adapter_bases(upload.path)
    if not bases:
        return
    names = {"": _("The one that the adapter names")} | {each.id: each.name for each in bases}
    alike = {name for name in names.values() if list(names.values()).count(name) > 1}
    st.selectbox(
        _("Base model"),
        list(names),
        format_func=lambda id_: f"{names[id_]} ({id_})" if names[id_] in alike else names[id_],
        key=f"base_{upload.id}",
        width=320,
    )


def _accept_terms(upload: Upload) -> bool:
    """Shows the terms of a GGUF file and asks for them where they restrict something; a zip file brings its license along."""
    if not upload.name.lower().endswith(".gguf"):
        return True
    try:
        terms = api_cache.studio().terms(upload.path)
    except StudioError as error:
        _failure(error.text(_))
        return False
    named = escape_markdown(terms.title) or _("license unknown")
    where = f" · {escape_markdown(terms.link)}" if terms.link else ""
    st.markdown(
        _("License of **{name}**: {license}").format(name=escape_markdown(terms.name), license=f"{named}{where}")
    )
    if not terms.ask:
        return True
    return st.checkbox(_("I have read these terms and accept them"), key=f"terms_{upload.id}")


def _import(upload_id: str, accepted: bool) -> None:
    key = _import_key(upload_id)
    drop(key)
    studio, name = api_cache.studio(), st.session_state[f"name_{upload_id}"]
    base, mine = st.session_state.get(f"base_{upload_id}", ""), project().id
    background(key, lambda: studio.import_upload(upload_id, name, accepted, mine, base))


def builtins() -> None:
    """A card for every model that comes with the studio and was not used yet."""
    for name in api_cache.missing_builtins():
        going = task(_builtin_key(name))
        failed, download = failure(going), fetch_words(name)
        with st.container(border=True, key=f"card_{name}", gap="small"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                with st.container(gap=None, width="stretch"):
                    st.markdown(f"**{escape_markdown(name)}**")
                    st.caption(download or _("Included, no download. Converted once, on first use or now."))
                if going and not going.done:
                    st.markdown(f":shimmer[{_('Preparing the built-in model (about 25 s)…')}]", width="content")
                else:
                    st.button(
                        _("Try again") if failed else _("Download now") if download else _("Prepare now"),
                        key=_builtin_key(name),
                        icon=":material/deployed_code:",
                        on_click=_prepare,
                        args=(name,),
                    )
            _failure(failed)


def _prepare(name: str) -> None:
    key = _builtin_key(name)
    drop(key)
    studio = api_cache.studio()
    background(key, lambda: studio.model(name, fetch=True))


def keys() -> list[str]:
    """Of what goes on in the background here."""
    names, files = api_cache.missing_builtins(), _waiting()
    return [*map(_builtin_key, names), *(_import_key(upload.id) for upload in files)]


def _failure(said: str) -> None:
    """It stays until somebody tries again."""
    if said:
        st.error(message_markdown(said), icon=":material/error:")


def _waiting() -> list[Upload]:
    return [upload for upload in api_cache.studio().uploads() if not upload.origin and _is_model(upload.name.lower())]


def _import_key(upload_id: str) -> str:
    return f"import_{upload_id}"


def _builtin_key(name: str) -> str:
    """The same as that of the forms, which offer it too: who asks second looks at the first one's work."""
    return f"builtin:{name}"


def _is_model(name: str) -> bool:
    return name.endswith(_EXTENSIONS) and not name.endswith(SUFFIX)
