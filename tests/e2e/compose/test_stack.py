"""What compose.yaml promises, tried on a Docker engine through nginx."""

from __future__ import annotations

import subprocess

import pytest
import requests

from services.gateway import page
from tests import photos
from tests.e2e.compose.compose_stack import ROOT, ComposeStack

PROBLEM = "application/problem+json"
OURS = ("gateway", "detector", "analyzer", "verifier", "nginx", "postgres", "redis")


def test_photo_to_faces_and_gone_again(stack: ComposeStack) -> None:
    job = stack.finished(stack.detect(photos.one_face(), analyze="age,gender,ethnicity,emotion"))
    assert job["status"] == "succeeded", job["error"]
    (face,) = job["result"]["faces"]
    assert set(face["attributes"]) == {"age", "gender", "ethnicity", "emotion"}
    for url in (job["result"]["image"]["url"], job["result"]["annotated_url"], face["crop_url"]):
        image = stack.call("GET", url)
        assert (image.status_code, image.headers["Content-Type"]) == (200, "image/jpeg")
    assert stack.call("DELETE", f"/v1/jobs/{job['id']}").status_code == 204
    assert stack.call("GET", job["result"]["image"]["url"]).json()["code"] == "no_such_job"


def test_verification(stack: ComposeStack) -> None:
    photo = ("photo.jpg", photos.one_face())
    answer = stack.call("POST", "/v1/verifications", files={"anchor": photo, "image": photo})
    job = stack.finished(answer.json()["id"])
    assert job["status"] == "succeeded", job["error"]
    (match,) = job["result"]["matches"]
    assert match["similarity"] > 0.99


def test_keys_are_on(stack: ComposeStack) -> None:
    wrong = requests.get(f"{stack.url}/v1/jobs", headers={"Authorization": "Bearer wrong"}, timeout=30)
    assert (wrong.status_code, wrong.headers["Content-Type"], wrong.json()["code"]) == (401, PROBLEM, "unauthorized")
    reader = stack.call("POST", "/v1/detections", role="read", files={"image": ("photo.jpg", photos.one_face())})
    assert (reader.status_code, reader.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/metrics", 404), ("GET", "/package.json", 404), ("POST", "/index.html", 405)],
)
def test_nginx_answers_with_problems(stack: ComposeStack, method: str, path: str, status: int) -> None:
    answer = requests.request(method, stack.url + path, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status


def test_upload_beyond_the_edge_is_a_problem(stack: ComposeStack) -> None:
    answer = stack.call("POST", "/v1/detections", data=bytes(43_000_001))  # nginx takes 41 MiB
    assert (answer.status_code, answer.headers["Content-Type"], answer.json()["code"]) == (
        413,
        PROBLEM,
        "image_too_large",
    )


def test_page_has_the_headers_of_the_embedded_one(stack: ComposeStack) -> None:
    answer = requests.get(f"{stack.url}/", timeout=30)
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in page.HEADERS} == page.HEADERS
    assert requests.get(f"{stack.url}/css/page.css", timeout=30).headers["Content-Encoding"] == "gzip"
    assert requests.get(f"{stack.url}/docs", timeout=30).status_code == 200


@pytest.mark.parametrize("service", OURS)
def test_containers_are_hardened(stack: ComposeStack, service: str) -> None:
    shown = stack.inspect(service)
    host = shown["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"] and host["Memory"] > 0
    assert shown["Config"]["User"] not in ("", "root", "0")
    published = {port for port, hosts in (shown["NetworkSettings"]["Ports"] or {}).items() if hosts}
    assert published == ({"8080/tcp"} if service == "nginx" else set())


def test_nginx_cannot_reach_what_is_behind_the_gateway(stack: ComposeStack) -> None:
    def reached(host: str, port: int) -> bool:
        script = f"exec 3<>/dev/tcp/{host}/{port}"
        command = ["docker", "exec", stack.container("nginx"), "timeout", "5", "bash", "-c", script]
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0

    assert reached("gateway", 8080)
    for service, port in (("postgres", 5432), ("redis", 6379), ("minio", 9000)):
        (network,) = stack.inspect(service)["NetworkSettings"]["Networks"].values()
        assert not reached(service, port)
        assert not reached(network["IPAddress"], port)


@pytest.mark.parametrize("service", ["detector", "analyzer", "redis", "gateway", "postgres", "minio"])
def test_what_is_killed_loses_no_job(stack: ComposeStack, service: str) -> None:
    restarts = stack.inspect(service)["RestartCount"]
    accepted = [stack.detect(photos.thirty_faces(), analyze="age") for _ in range(6)]
    stack.kill(service)
    jobs = [stack.finished(job_id, timeout_s=180) for job_id in accepted]
    assert [job["status"] for job in jobs] == ["succeeded"] * len(accepted), [job["error"] for job in jobs]
    assert all(len(job["result"]["faces"]) == 30 for job in jobs)
    assert stack.inspect(service)["RestartCount"] > restarts
    stack.wait_ready()


def test_compose_refuses_without_secrets(tmp_path_factory: pytest.TempPathFactory, stack: ComposeStack) -> None:
    empty = tmp_path_factory.mktemp("empty") / ".env"
    empty.touch()
    refused = subprocess.run(
        ["docker", "compose", "--env-file", str(empty), "config"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert refused.returncode
    assert "run `make up`" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1
