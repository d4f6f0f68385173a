"""The routes of the page Review: who may decide, what is refused, what comes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from backend.core.schemas import ArtifactView
from studio.webapp.access import COOKIE, TokenMiddleware
from studio.webapp.app import app
from studio.webapp.review import MAX_BODY_BYTES, review_routes
from tests.studio.builder import LABELS, StudioBuilder, doubted

OWN = {"x-slmops-upload": "1"}
ACCEPT: dict[str, Any] = {"row": "p0", "decision": "accept", "output": None, "rating": None, "note": ""}


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


@pytest.fixture
def view(builder: StudioBuilder) -> ArtifactView:
    return builder.answers()


@pytest.fixture
def client(builder: StudioBuilder) -> TestClient:
    return TestClient(Starlette(routes=[*review_routes(lambda: builder.studio)]))


def code(answer: Any) -> str:
    return str(answer.json()["problems"][0]["code"])


def test_a_decision_is_kept_and_everybody_gets_it(
    client: TestClient, builder: StudioBuilder, view: ArtifactView
) -> None:
    url = f"/api/reviews/{view.id}"
    page = client.get(f"{url}/rows").json()
    assert page["rows"][0]["id"] == "p0" and page["rows"][0]["said"] is None and page["next"] == 25
    assert page["rows"][0].keys() >= {"input", "context", "output", "gold", "confidence", "rationale"}
    answer = client.post(url, json=ACCEPT, headers=OWN)
    assert answer.status_code == 200 and answer.json()["counts"]["accepted"] == 1
    changes = client.get(f"{url}/changes?since={page['moment']}").json()
    assert changes["said"] == [ACCEPT] and changes["counts"]["accepted"] == 1
    assert client.get(f"{url}/rows").json()["rows"][0]["id"] == "p1"
    assert client.get(f"{url}/rows?show=accepted&label={LABELS[0]}").json()["rows"][0]["said"] == ACCEPT
    assert client.get(f"{url}/rows?show=accepted&label={LABELS[1]}").json()["rows"] == []
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{}, {**OWN, "origin": "http://evil.example"}, {**OWN, "origin": "null"}])
def test_a_decision_from_elsewhere_is_refused(
    client: TestClient, builder: StudioBuilder, view: ArtifactView, headers: dict[str, str]
) -> None:
    answer = client.post(f"/api/reviews/{view.id}", json=ACCEPT, headers=headers)
    assert (answer.status_code, code(answer)) == (403, "review.refused")
    assert builder.studio.reviews.counts(view.id).reviewed == 0


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{", 400, "review.unreadable"),
        (b"[]", 400, "review.unreadable"),
        (b"\xff", 400, "review.unreadable"),
        (b'{"row": "p0", "decision": "maybe"}', 400, "review.unreadable"),
        (b'{"row": "p0", "rating": 9}', 400, "review.unreadable"),
        (b'{"row": "p0", "decision": "accept", "output": "a\\u0000"}', 400, "review.unreadable"),
        (b'{"row": "' + b"x" * MAX_BODY_BYTES + b'"}', 400, "review.unreadable"),
        (b'{"row": "p99", "decision": "accept"}', 404, "review.row_unknown"),
        (b'{"row": "../p0", "decision": "accept"}', 404, "review.row_unknown"),
        (b'{"row": "p0", "decision": "accept", "output": "None"}', 400, "review.label_unknown"),
    ],
)
def test_what_can_not_be_kept_is_refused(
    client: TestClient, builder: StudioBuilder, view: ArtifactView, body: bytes, status: int, problem: str
) -> None:
    answer = client.post(f"/api/reviews/{view.id}", content=body, headers=OWN)
    assert (answer.status_code, code(answer)) == (status, problem)
    assert builder.studio.reviews.counts(view.id).reviewed == 0


@pytest.mark.parametrize(
    "path",
    ["rows?show=none", "rows?start=-1", "rows?start=1e3", "rows?start=9999999999", "changes", "changes?since=nan"],
)
def test_questions_without_sense_are_refused(client: TestClient, view: ArtifactView, path: str) -> None:
    answer = client.get(f"/api/reviews/{view.id}/{path}")
    assert (answer.status_code, code(answer)) == (400, "review.unreadable")


def test_unknown_datasets_are_problems(client: TestClient, builder: StudioBuilder) -> None:
    for path in ("rows", "changes?since=1", "download"):
        assert client.get(f"/api/reviews/none/{path}").status_code == 404
    plain = builder.dataset()
    assert code(client.get(f"/api/reviews/{plain.id}/rows")) == "review.no_teacher"
    assert client.post("/api/reviews/none", json=ACCEPT, headers=OWN).status_code == 404


def test_a_folder_that_is_gone_is_a_problem(client: TestClient, view: ArtifactView) -> None:
    assert client.get(f"/api/reviews/{view.id}/rows").status_code == 200
    shutil.rmtree(view.path)
    answer = client.get(f"/api/reviews/{view.id}/rows")
    assert (answer.status_code, code(answer)) == (410, "core.artifact_damaged")


def test_decisions_can_be_had_as_a_file(client: TestClient, view: ArtifactView) -> None:
    url = f"/api/reviews/{view.id}"
    client.post(url, json={**ACCEPT, "output": LABELS[1]}, headers=OWN)
    answer = client.get(f"{url}/download?format=jsonl")
    assert answer.headers["content-disposition"].endswith("answers-reviews.jsonl")
    (line,) = map(json.loads, answer.text.splitlines())
    assert (line["row"], line["output"], line["answer"]) == ("p0", LABELS[1], LABELS[0])
    assert client.get(f"{url}/download?format=csv").text.count("\r\n") == 2
    assert code(client.get(f"{url}/download?format=exe")) == "files.format"


def test_without_the_token_nothing_is_told_or_taken(builder: StudioBuilder, view: ArtifactView) -> None:
    gated = TestClient(TokenMiddleware(Starlette(routes=[*review_routes(lambda: builder.studio)]), "secret"))
    url = f"/api/reviews/{view.id}"
    assert gated.get(f"{url}/rows").status_code == 401
    assert gated.post(url, json=ACCEPT, headers=OWN).status_code == 401
    gated.cookies.set(COOKIE, "secret")
    assert gated.post(url, json=ACCEPT, headers=OWN).status_code == 200


def test_the_web_process_has_these_routes() -> None:
    assert "/api/reviews/{dataset}/rows" in {getattr(method, "path", "") for method in app._user_routes}


def test_rows_that_a_check_doubts_have_their_own_address(client: TestClient, builder: StudioBuilder) -> None:
    data = builder.dataset()
    report = doubted(builder, data, (("21", "validation"), ("3", "train"), ("35", "test")))
    base, asked = f"/api/reviews/{data.id}", f"report={report.id}"
    rows = client.get(f"{base}/rows?{asked}").json()["rows"]
    assert [(row["id"], row["split"]) for row in rows] == [("21", "validation"), ("3", "")]
    assert "→" in rows[0]["why"]
    said = {"row": "35", "decision": "reject"}
    assert code(client.post(f"{base}?{asked}", json=said, headers=OWN)) == "review.row_unknown"
    counts = client.post(f"{base}?{asked}&test=1", json=said, headers=OWN).json()["counts"]
    assert (counts["total"], counts["rejected"]) == (3, 1)
    assert client.get(f"{base}/changes?since=0&{asked}").json()["counts"]["rejected"] == 0
    assert '"row": "35"' in client.get(f"{base}/download?{asked}&test=1").text
    other = builder.dataset("other")
    assert code(client.get(f"/api/reviews/{other.id}/rows?{asked}")) == "review.report_other"
