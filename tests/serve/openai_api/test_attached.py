"""Adapters that are attached to a served model: each answers under its own name, from one process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from shutil import copyfile, copytree

import pytest

from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine
from backend.models.quantization import ADAPTER_FILE
from tests.serve.harness import HELLO, HostHarness
from tests.serve.openai_api.conftest import Server

pytestmark = [pytest.mark.proc, pytest.mark.ml]
NAMES = ("shared", "red", "blue")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from backend.ml.compression.adapter_slots import write_adapter
    from tests.ml.shared import build_adapter, build_base, build_shared

    root = tmp_path_factory.mktemp("attached")
    base = build_base(root / "model")
    shared = build_shared(base, root / "shared")
    with HostHarness(root / "home") as harness:
        harness.add(shared, "shared", context=512)
        for seed, name in enumerate(NAMES[1:]):
            folder = copytree(build_adapter(base, root / name, seed=seed), root / f"on-{name}")
            copyfile(shared / "genai_config.json", folder / "genai_config.json")
            write_adapter(folder, shared, folder / ADAPTER_FILE)
            harness.add(folder, name, parents=["shared"], context=512, base="shared")
        with Server(harness, "shared") as made:
            yield made


def answer(server: Server, name: str) -> str:
    response = server.ask(model=name, max_tokens=12)
    assert response.status_code == 200, response.text
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


def test_each_answers_under_its_own_name_as_if_alone(server: Server) -> None:
    listed = [each["id"] for each in server.http.get("/v1/models").json()["data"]]
    assert listed[0] == "the shared" and set(listed[1:]) == {"the red", "the blue"}
    assert server.http.get("/v1/models/red").json()["id"] == "the red"
    store, alone = server.harness.store, {}
    for name in NAMES:
        engine = open_engine(store.artifact(name), store.artifact)
        alone[name] = engine.answer(engine.encode(HELLO), Sampling(max_new_tokens=12))
    assert len(set(alone.values())) == 3
    asked = [name for name in NAMES for _ in range(4)]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda name: answer(server, name), asked)) == [alone[name] for name in asked]
    assert server.engine().is_running()  # the only child: one process, one model in memory
    refused = server.ask(model="green")
    assert refused.status_code == 404 and "the red" in refused.json()["error"]["message"]
