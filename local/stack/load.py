"""A few minutes of traffic that shows something in every chart: what is sent, and what the receivers do with it.

Six endpoints: one takes everything, one is slow, one is down for a while, one refuses, one is paused and comes back,
and one is Fluent's API behind a webhook of Fynd. All on loopback.
"""

import hashlib
import hmac
import json
import math
import random
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from . import receiver, signing
from .fluent import FluentApi
from .receiver import Receiver
from .stack import TTL_S, Answer, Stack, order_event, seed_sources
from .tools import ROOT

LOAD_S = 170
FYND_SECRET = "development-secret-of-fynd"  # noqa: S105 - stands in shared/testkit/sources
RETRY = {"delays": ["3s", "6s", "12s", "20s"]}
ROUTES = {
    "order-to-shop": "message: [OrderCreated, FulfilmentShipped]\nendpoint: storefront\n",
    "order-to-erp": "message: OrderCreated\nendpoint: erp\n",
    "fulfilment-to-warehouse": "message: FulfilmentCreated\nendpoint: warehouse\n",
    "parcel-to-carrier": "message: ParcelReady\nendpoint: carrier\n",
    "consent-to-newsletter": "message: ConsentChanged\nendpoint: newsletter\n",
    "heartbeat": "schedule: { every: 1m }\nendpoint: storefront\npayload: '{\"at\": ${ event.requestedAt }}'\n",
    "fynd-order-to-fluent": "source: fynd\nendpoint: fluent\nprops: { account: FYND }\n",
}
MIX = {"OrderCreated": 6, "FulfilmentCreated": 3, "FulfilmentShipped": 3, "ParcelReady": 1, "ConsentChanged": 1}
"""How often each of Fluent's events comes, relative to the others."""

TEST_NOTIFICATION = {
    "notificationType": "ResourceCreated",
    "projectKey": "acme-shop",
    "resource": {"typeId": "subscription", "id": "7c1d2b60-0000-4000-8000-000000003008"},
    "version": 1,
    "modifiedAt": "2026-11-20T08:30:00.000Z",
}
"""What commercetools sends once, when its Subscription is made."""


class Load:
    """The configuration, the receivers and the senders; `told` hears of every answer of the API."""

    def __init__(self, stack: Stack, told: Callable[[Answer], None]) -> None:
        self.stack, self.told = stack, told
        self.random = random.Random(35)  # noqa: S311 - much the same traffic each time
        self.fluent = FluentApi()
        self.receivers = {name: Receiver() for name in ("storefront", "erp", "warehouse", "carrier", "newsletter")}
        self.receivers["storefront"].always = self.after(0.01, 0.05)
        self.receivers["erp"].always = self.after(0.4, 1.2)
        self.receivers["carrier"].always = receiver.content(422, b'{"error": "unknown parcel class"}')
        self.senders = ThreadPoolExecutor(8)

    def after(self, least: float, most: float) -> Callable:
        """Answers 200 after a while, in seconds."""

        def answer(handler) -> None:
            time.sleep(self.random.uniform(least, most))
            receiver.status(200)(handler)

        return answer

    def configure(self) -> None:
        self.stack.put("keys/development", signing.public_key(), secure=True)
        seed_sources(self.stack)
        for name, at in self.receivers.items():
            self.endpoint(name, url=f"{at.url}/events")
        self.endpoint("newsletter", url=f"{self.receivers['newsletter'].url}/events", paused=True)
        self.endpoint("fluent", url=self.fluent.url)
        self.stack.put("accounts/FYND", json.dumps(self.fluent.account), secure=True)
        for name, route in ROUTES.items():
            self.stack.put(f"routes/{name}", route)
        time.sleep(TTL_S)

    def endpoint(self, name: str, **document) -> None:
        self.stack.put(f"endpoints/{name}", json.dumps({"retry": RETRY} | document))

    # What is sent

    def run(self) -> None:
        """Sends for `LOAD_S` seconds: two to five webhooks a second in waves, and what happens once, in its time."""
        start, plan, sent = time.monotonic(), deque(self.plan()), []
        while (now := time.monotonic() - start) < LOAD_S:
            while plan and plan[0][0] <= now:
                sent.append(self.senders.submit(plan.popleft()[1]))
            sent.append(self.senders.submit(self.send, len(sent)))
            time.sleep(1 / (3 - 1.5 * math.cos(now / 13)))
        for each in sent:
            each.result()  # what failed here is told, not drawn
        self.senders.shutdown()

    def send(self, number: int) -> None:
        (name,) = self.random.choices(list(MIX), list(MIX.values()))
        event = self.event(name, number)
        self.told(self.stack.post_signed(event))
        if number % 15 == 0:
            self.told(self.stack.post_signed(event))  # SQS drops it
        if number % 20 == 0:
            self.told(self.stack.post_signed(self.event("LoyaltyTierChanged", number)))  # no route wants it
        if number % 25 == 0:
            self.told(self.stack.post(json.dumps(event).encode(), {"fluent-signature": "Zm9yZ2Vk"}))
        if number % 60 == 0:
            self.told(self.stack.post_signed(event | {"id": uuid.uuid4().hex, "accountId": "OTHER"}))
        if number % 18 == 0:
            self.fynd(number)

    def event(self, name: str, number: int) -> dict:
        return order_event(name, f"HD_{number % 150}", entityId=str(number))  # an order has several events

    def fynd(self, number: int) -> None:
        """Fynd's order of the sample, as one of its own."""
        batch = json.loads((ROOT / "events/router-shipped-fynd-order-to-fluent.json").read_text())
        event = json.loads(batch["Records"][0]["body"])["payload"]
        event["event"]["id"] = uuid.uuid4().hex
        body = json.dumps(event).replace("FYEXAMPLE3101", f"FY{number}").encode()
        signature = hmac.new(FYND_SECRET.encode(), body, hashlib.sha256).hexdigest()
        self.told(self.stack.post(body, {"x-fp-signature": signature}, self.stack.source_path("fynd")))

    # What happens once

    def plan(self) -> list[tuple[float, Callable[[], None]]]:
        """What happens, by the second from the start, in order."""
        warehouse, newsletter = self.receivers["warehouse"], self.receivers["newsletter"]
        return [
            (20, lambda: self.stack.put("routes/half-written", "message: [OrderCreated\n")),
            (30, lambda: self.stack.forget("routes/half-written")),
            (40, lambda: self.fluent.answers.extend([(503, {})] * 4)),
            (50, lambda: setattr(warehouse, "always", 503)),
            (60, self.confuse),
            (80, lambda: self.stack.notify(json.dumps(TEST_NOTIFICATION))),
            (95, lambda: setattr(warehouse, "always", None)),
            (100, lambda: self.stack.notify("this is no notification")),
            (115, lambda: self.endpoint("newsletter", url=f"{newsletter.url}/events")),
            (125, lambda: self.stack.replay(endpoint="newsletter", reason="paused", dryRun=False)),
        ]

    def confuse(self) -> None:
        """Puts what is no message on the event queue."""
        self.stack.queue_text("this is no message")
