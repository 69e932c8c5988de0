"""`make isolation`: how long deliveries to a good endpoint take alone, and beside an endpoint that hangs.

Both in one run on the local AWS, which runs fifty invocations at a time; the ratio is what counts.
"""

import json
import statistics
import time
import uuid

from stack import receiver, signing
from stack.receiver import Receiver
from stack.stack import TTL_S, Stack, build, order_event

MESSAGES = 150
PAUSE_S = 0.2
"""Between two messages: about as many in a second as the local AWS delivers when nothing hangs."""


def main() -> None:
    stack = Stack()
    try:
        build()
        stack.start()
        stack.deploy()
        stack.put("keys/development", signing.public_key(), secure=True)
        good, hanging = Receiver(), Receiver()
        hanging.always = receiver.hangs
        stack.put("endpoints/good", f"{good.url}/hook")
        stack.put("endpoints/hanging", f"{hanging.url}/hook")
        stack.put("routes/good", "message: [Alone, Beside]\nendpoint: good\n")
        stack.put("routes/hanging", "message: Beside\nendpoint: hanging\n")
        time.sleep(TTL_S)
        run(stack, good, "Alone", 10)  # environments start
        alone = run(stack, good, "Alone", MESSAGES)
        beside = run(stack, good, "Beside", MESSAGES)
        print(f"{MESSAGES} messages of as many entities, one each {PAUSE_S} s, from the webhook to the good receiver\n")
        print("| seconds | alone | beside one that hangs | ratio |\n|---|---|---|---|")
        for name, of in (("median", statistics.median), ("95 %", p95), ("longest", max)):
            print(f"| {name} | {of(alone):.2f} | {of(beside):.2f} | {of(beside) / of(alone):.1f} |")
        print(f"\nattempts at the endpoint that hangs: {len(hanging.requests)} for {MESSAGES} messages")
    finally:
        stack.stop()


def run(stack: Stack, good: Receiver, name: str, count: int) -> list[float]:
    """Seconds from each webhook to its delivery."""
    sent = {}
    for _ in range(count):
        event = order_event(name, uuid.uuid4().hex)
        sent[event["id"]] = time.monotonic()
        assert stack.post_signed(event).status == 200
        time.sleep(PAUSE_S)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        got = {json.loads(request.body)["id"]: request.at for request in good.requests}
        if sent.keys() <= got.keys():
            break
        time.sleep(0.1)
    assert sum(json.loads(request.body)["id"] in sent for request in good.requests) == count, "each exactly once"
    return [got[event] - at for event, at in sent.items()]


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
