"""Paths, the environment of every AWS call, and how tools are run."""

import os
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / "local"
SAM_BIN = LOCAL / ".venv-sam" / "bin"
AWS_PYTHON = LOCAL / ".venv-aws" / "bin" / "python"
REGION = "eu-west-1"


def environment(port: int | None = None) -> dict[str, str]:
    """Dummy credentials and, with a port, the local AWS: no call can reach a real account."""
    env = dict(os.environ)
    env.update(
        PATH=f"{SAM_BIN}{os.pathsep}{env['PATH']}",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        SAM_CLI_TELEMETRY="0",
        NO_PROXY="127.0.0.1,localhost",
    )
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        env.pop(name, None)
    if port is not None:
        env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    return env


def run(command: list[str], log: Path, env: dict[str, str]) -> None:
    """Runs a tool with its output in a log; a failure shows the end of it."""
    with log.open("w") as output:
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise SystemExit(f"{' '.join(command[:3])} failed ({log}):\n{tail}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
