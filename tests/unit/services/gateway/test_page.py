"""The page beside the API: strict headers, fresh files, and nothing that is not part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.settings import Settings
from services.gateway.app import create_app
from tests.unit.services.gateway.conftest import Api, Start, problem


@pytest.fixture
def page(start: Start, tmp_path: Path) -> Api:
    folder = tmp_path / "frontend"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>facekit</title>")
    (folder / "js" / "main.js").write_text("export const answer = 42;\n")
    (folder / "js" / "main.test.js").write_text("a test")
    (folder / ".env").write_text("SECRET=1")
    (folder / "package.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    return start(frontend=folder)


def test_the_page_has_strict_headers(page: Api) -> None:
    for path, kind in (("/", "text/html"), ("/js/main.js", "text/javascript")):
        response = page.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(kind)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


def test_files_are_asked_for_again_but_sent_once(page: Api) -> None:
    first = page.get("/js/main.js")
    assert first.headers["cache-control"] == "no-cache"
    again = page.client.get("/js/main.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert "content-security-policy" in again.headers


@pytest.mark.parametrize(
    "path", ["/nothing", "/.env", "/package.json", "/js/main.test.js", "/..%2Fsecret.txt", "/js/..%2F..%2Fsecret.txt"]
)
def test_what_is_no_part_of_the_page(page: Api, path: str) -> None:
    problem(page.get(path), 404, "not_found")


def test_the_api_goes_before_the_page(page: Api) -> None:
    assert page.get("/v1/jobs").json() == {"jobs": [], "next_cursor": None}
    problem(page.get("/v1/nothing"), 404, "not_found")
    problem(page.post("/v1/nothing"), 404, "not_found")
    assert page.get("/readyz").status_code == 200


def test_without_a_page_there_is_only_the_api(api: Api) -> None:
    problem(api.get("/"), 404, "not_found")


def test_a_folder_without_a_page_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"index\.html"):
        create_app(Settings(home=tmp_path, frontend=tmp_path))
