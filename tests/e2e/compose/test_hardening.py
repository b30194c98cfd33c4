"""What a container may do should someone get into it: nothing it was not given, and nowhere it has no business."""

from __future__ import annotations

import pytest

from tests.e2e.compose.compose_stack import ComposeStack

OURS = ("gateway", "detector", "analyzer", "verifier", "nginx", "postgres", "redis")
WITHOUT_COMPILER = ("gateway", "detector", "analyzer", "verifier")
# minio's place may be taken by any S3 server, some of which change their user and the owner of their files.
S3_SERVER_MAY = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


@pytest.mark.parametrize("service", OURS)
def test_the_engine_holds_it_back(stack: ComposeStack, service: str) -> None:
    shown = stack.inspect(service)
    host = shown["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"] and host["Memory"] > 0
    assert not any("docker.sock" in mount["Source"] for mount in shown["Mounts"])
    assert shown["Config"]["User"] not in ("", "root", "0")
    published = {port: hosts for port, hosts in (shown["NetworkSettings"]["Ports"] or {}).items() if hosts}
    assert set(published) == ({"8080/tcp"} if service == "nginx" else set())
    assert {host["HostIp"] for hosts in published.values() for host in hosts} <= {"127.0.0.1"}


def test_the_object_store_has_what_it_asks_for_and_no_more(stack: ComposeStack) -> None:
    host = stack.inspect("minio")["HostConfig"]
    assert host["CapDrop"] == ["ALL"] and {name.removeprefix("CAP_") for name in host["CapAdd"]} == S3_SERVER_MAY
    assert "no-new-privileges:true" in host["SecurityOpt"] and not host["Privileged"] and host["Memory"] > 0


@pytest.mark.parametrize("service", OURS)
def test_the_kernel_holds_it_back(stack: ComposeStack, service: str) -> None:
    """The same from inside: no capability, no way to gain one, nothing of the image can be written."""

    def inside(script: str) -> str:
        return stack.compose("exec", "-T", service, "sh", "-c", script)

    status = dict(line.split(":\t") for line in inside("cat /proc/self/status").splitlines() if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert not status["Uid"].startswith("0\t")
    assert inside("for at in / /usr/bin /etc /opt; do touch $at/x 2>/dev/null && echo $at; done; true") == ""


@pytest.mark.parametrize("service", WITHOUT_COMPILER)
def test_images_hold_no_compiler_and_nothing_of_the_training_half(stack: ComposeStack, service: str) -> None:
    looked = "for name in gcc cc g++ ld make; do command -v $name; done; ls /opt/facekit/lib/python3*/site-packages"
    found = stack.compose("exec", "-T", service, "sh", "-c", looked).split()
    assert "celery" in found
    assert not {"torch", "ultralytics", "tensorflow"} & set(found)
    if service == "gateway":
        assert not {"onnxruntime", "deepface", "cv2"} & set(found)
    labels = stack.inspect(service)["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] in (stack.folder / "pyproject.toml").read_text(encoding="utf-8")
    revision = stack.done("git", "rev-parse", "--short", "HEAD").strip()
    assert labels["org.opencontainers.image.revision"] == revision


def reached(stack: ComposeStack, here: str, host: str, port: int) -> bool:
    """Whether a container can open a connection, by bash or by Python, whichever it has."""
    by_python = f"import socket; socket.create_connection(('{host}', {port}), 3)"
    script = f"python3 -c \"{by_python}\" || timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}'"
    return stack.run("docker", "compose", "exec", "-T", here, "sh", "-c", script).returncode == 0


def addresses(stack: ComposeStack, service: str) -> list[str]:
    return [network["IPAddress"] for network in stack.inspect(service)["NetworkSettings"]["Networks"].values()]


def test_nginx_cannot_reach_what_is_behind_the_gateway(stack: ComposeStack) -> None:
    assert reached(stack, "nginx", "gateway", 8080)
    for service, port in (("postgres", 5432), ("redis", 6379), ("minio", 9000)):
        assert reached(stack, "gateway", service, port)
        for host in (service, *addresses(stack, service)):
            assert not reached(stack, "nginx", host, port)


def test_what_is_behind_the_gateway_cannot_reach_out(stack: ComposeStack) -> None:
    (nginx,) = addresses(stack, "nginx")
    assert reached(stack, "gateway", nginx, 8080)
    assert not reached(stack, "detector", nginx, 8080)
    network = stack.done("docker", "network", "inspect", f"{stack.project}_back", "--format", "{{.Internal}}")
    assert network.strip() == "true"
