"""Answer one prompt in Foundry Local, offline: python foundry.py "your text". Needs only: pip install foundry-local-sdk"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from foundry_local_sdk import (
    CatalogType,
    ChatSession,
    Configuration,
    FoundryLocalManager,
    MessageItem,
    ModelInfoBuilder,
    Request,
    RequestOptions,
    SearchOptions,
)

MODEL_ID = "model:1"
MAX_NEW_TOKENS = 256

folder = Path(__file__).resolve().parent / "model"
task = json.loads((folder / "template.json").read_text("utf-8"))
question = " ".join(sys.argv[1:]) or sys.stdin.read().strip()
with TemporaryDirectory(ignore_cleanup_errors=True) as place:
    config = Configuration(
        "model-package", model_cache_dir=place, app_data_dir=place, disable_nonessential_telemetry=True
    )
    FoundryLocalManager.initialize(config)
    with ModelInfoBuilder() as about:
        about.set_string_property("task", "chat-completion")
        model = FoundryLocalManager.instance.get_catalog(CatalogType.LOCAL).register_model(folder, MODEL_ID, about)
    model.load()
    with ChatSession(model) as session, Request() as request:
        session.set_options(RequestOptions(search=SearchOptions(max_output_tokens=MAX_NEW_TOKENS)))
        if task["system"]:
            request.add_item(MessageItem.system(task["system"]))
        request.add_item(MessageItem.user(task["user"].replace("{input}", question)))
        with session.process_request(request) as response:
            answer = "".join(item.get_simple_text() for item in response)
    model.unload()
sys.stdout.buffer.write(answer.encode() + b"\n")
