"""INIT and a warm request of each function under the Runtime Interface Emulator, beside a bare `lambda_http` function.

All in one run on one machine, so the ratios hold where the figures do not. The receiver verifies and refuses a forged
webhook, listener and router get an empty batch: none needs more of AWS than one read of the keys, which the local AWS
answers. Nothing here asserts a time.
"""

import json
import re
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from stack.stack import STATE, Stack, build, seed
from stack.tools import ROOT, SAM_BIN, environment, free_port, run

RUNS = 15
WARM = 200
RIE = next((SAM_BIN.parent / "lib").glob("python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"))
BUILT = ROOT / ".aws-sam" / "build"


def main() -> None:
    build()
    command = ["cargo-lambda", "lambda", "build", "--release", "--package", "webhook-receiver", "--example", "bare"]
    run([*command, "--lambda-dir", str(STATE / "bare")], STATE / "bare.log", environment())
    stack = Stack()
    try:
        stack.start()
        stack.deploy()
        seed(stack, "http://127.0.0.1:9/")
        webhook = json.loads((ROOT / "events" / "webhook-401-forged.json").read_text())
        subjects = {
            "bare lambda_http": (next((STATE / "bare").rglob("bootstrap")), webhook),
            "webhook-receiver": (BUILT / "WebhookReceiver" / "bootstrap", webhook),
            "ct-queue-listener": (BUILT / "CtQueueListener" / "bootstrap", {"Records": []}),
            "message-router": (BUILT / "MessageRouter" / "bootstrap", {"Records": []}),
        }
        env = environment(stack.port) | variables(stack)
        measured = {name: measure(*subject, env) for name, subject in subjects.items()}
    finally:
        stack.stop()
    report(measured, subjects)


def variables(stack: Stack) -> dict[str, str]:
    return {
        "CONFIG_PREFIX": stack.outputs["ConfigPrefix"],
        "CONFIG_TTL_SECONDS": "300",
        "FLUENT_ACCOUNTS": "ACME",
        "ALLOW_MD5_SIGNATURE": "false",
        "EVENT_QUEUE_URL": stack.outputs["EventQueueUrl"],
        "UNDELIVERED_QUEUE_URL": stack.outputs["UndeliveredQueueUrl"],
        "DEAD_LETTER_QUEUE_URL": stack.outputs["DeadLetterQueueUrl"],
        "UNROUTED": "hold",
        "CT_QUEUE_URL": stack.outputs["CtQueueUrl"],
        "CT_DEAD_LETTER_QUEUE_URL": stack.outputs["CtDeadLetterQueueUrl"],
        "EVENT_LOG_GROUP": stack.outputs["EventLogGroup"],
    }


def measure(bootstrap: Path, event: dict, env: dict[str, str]) -> tuple[float, float]:
    """Medians in milliseconds: INIT over some starts, and a warm request over many."""
    inits, warm = [], []
    for _ in range(RUNS):
        init, requests = one_start(bootstrap, event, env)
        inits.append(init)
        warm.extend(requests)
    return statistics.median(inits), statistics.median(warm)


def one_start(bootstrap: Path, event: dict, env: dict[str, str]) -> tuple[float, list[float]]:
    """INIT, and the invocations after the first, as the emulator logs them."""
    port = free_port()
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
    body = json.dumps(event).encode()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([RIE, *addresses, bootstrap], env=env, stdout=log, stderr=log)
        try:
            answers = [invoke(port, body) for _ in range(1 + WARM // RUNS)]
        finally:
            process.terminate()
            process.wait()
        log.seek(0)
        text = log.read()
    if any("E_CONFIG" in answer or "errorMessage" in answer for answer in answers):
        raise SystemExit(f"{bootstrap} did not answer as it should: {answers[0]}")
    durations = [float(ms) for ms in re.findall(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms\)", text)]
    return float(re.findall(r"INIT REPORT\(durationMs: ([\d.]+)\)", text)[0]), durations[1:]


def invoke(port: int, body: bytes) -> str:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, body, timeout=30) as response:
                return response.read().decode()
        except urllib.error.URLError:
            time.sleep(0.02)  # the emulator is not listening yet
    raise SystemExit("the emulator did not listen within 2 s")


def report(measured: dict, subjects: dict) -> None:
    bare_init, bare_warm = measured["bare lambda_http"]
    print("| function | binary | INIT | ratio | warm request | ratio |\n|---|---|---|---|---|---|")
    for name, (init, warm) in measured.items():
        size = subjects[name][0].stat().st_size / 1e6
        ratios = f"{init:.1f} ms | {init / bare_init:.1f} | {warm:.2f} ms | {warm / bare_warm:.1f}"
        print(f"| {name} | {size:.1f} MB | {ratios} |")


if __name__ == "__main__":
    main()
