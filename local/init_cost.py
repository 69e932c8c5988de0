"""INIT and a warm request of each function under the Runtime Interface Emulator, beside a bare `lambda_http` function.

All in one run on one machine, so the ratios hold where the figures do not. The receiver verifies and refuses a forged
webhook, listener and router get an empty batch: none needs more of AWS than one read of the keys, which the local AWS
answers. Nothing here asserts a time.
"""

import json
import re
import statistics
from pathlib import Path

from stack.emulator import Emulator
from stack.stack import STATE, Stack, build, seed
from stack.tools import ROOT, environment, run

RUNS = 15
WARM = 200
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
            "bare lambda_http": (next((STATE / "bare").rglob("bootstrap")), webhook, {}),
            "webhook-receiver": subject(stack, "WebhookReceiver", webhook),
            "ct-queue-listener": subject(stack, "CtQueueListener", {"Records": []}),
            "message-router": subject(stack, "MessageRouter", {"Records": []}),
        }
        env = environment(stack.port)
        measured = {
            name: measure(bootstrap, event, env | variables) for name, (bootstrap, event, variables) in subjects.items()
        }
    finally:
        stack.stop()
    report(measured, subjects)


def subject(stack: Stack, logical_id: str, event: dict) -> tuple[Path, dict, dict[str, str]]:
    """A function, what it is asked, and its variables as deployed; it reads its configuration once."""
    return BUILT / logical_id / "bootstrap", event, stack.variables(logical_id) | {"CONFIG_TTL_SECONDS": "300"}


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
    body = json.dumps(event).encode()
    with Emulator(bootstrap, env) as emulator:
        answers = [emulator.invoke(body) for _ in range(1 + WARM // RUNS)]
    if any("E_CONFIG" in answer or "errorMessage" in answer for answer in answers):
        raise SystemExit(f"{bootstrap} did not answer as it should: {answers[0]}")
    text = emulator.log()
    durations = [float(ms) for ms in re.findall(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms\)", text)]
    return float(re.findall(r"INIT REPORT\(durationMs: ([\d.]+)\)", text)[0]), durations[1:]


def report(measured: dict, subjects: dict) -> None:
    bare_init, bare_warm = measured["bare lambda_http"]
    print("| function | binary | INIT | ratio | warm request | ratio |\n|---|---|---|---|---|---|")
    for name, (init, warm) in measured.items():
        size = subjects[name][0].stat().st_size / 1e6
        ratios = f"{init:.1f} ms | {init / bare_init:.1f} | {warm:.2f} ms | {warm / bare_warm:.1f}"
        print(f"| {name} | {size:.1f} MB | {ratios} |")


if __name__ == "__main__":
    main()
