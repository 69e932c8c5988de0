"""The way of a commercetools notification: ct-queue, listener, event queue, router, receiver. Faults on the way."""

import json
import time
import uuid

import pytest

from stack import faults
from stack.stack import TTL_S

CREATED = "commercetools.connect.order.create"
SHIPPED = "routes/commercetools-order-create"


def order(resource: str | None = None, sequence: int = 1, **changes) -> dict:
    return {
        "notificationType": "Message",
        "projectKey": "acme-shop",
        "id": str(uuid.uuid4()),
        "version": 1,
        "sequenceNumber": sequence,
        "resource": {"typeId": "order", "id": resource or str(uuid.uuid4())},
        "resourceVersion": 1,
        "resourceUserProvidedIdentifiers": {"orderNumber": "CT_1"},
        "type": "OrderCreated",
        "order": {"totalPrice": {"currencyCode": "EUR", "centAmount": 4250, "fractionDigits": 2}},
    } | changes


def message_id(body: dict) -> str:
    return f"{body['resource']['id']}.{body['sequenceNumber']}"


def cloud_event(body: dict) -> dict:
    return {
        "specversion": "1.0",
        "id": body["id"],
        "type": "com.commercetools.order.message.OrderCreated",
        "source": "/acme-shop/orders",
        "data": body,
    }


@pytest.fixture
def orders(stack, line):
    """The line, with a plain route for orders that were created, and without the shipped one, which wants them too."""
    stack.put(SHIPPED, "enabled: false\n")
    stack.put(f"routes/{line.name}-orders", f"message: {CREATED}\nendpoint: {line.name}\n")
    time.sleep(TTL_S)
    yield line
    stack.forget(f"routes/{line.name}-orders")
    stack.forget(SHIPPED)
    time.sleep(TTL_S)


def received(line, count: int, timeout: float = 30.0) -> list[str]:
    """The message numbers of what the receiver got."""
    return [message_id(json.loads(request.body)) for request in line.received(count, timeout)]


def waits_for_nothing(stack) -> bool:
    deadline = time.monotonic() + 20
    while (stack.queue_depth("CtQueueUrl") or stack.queue_depth("EventQueueUrl")) and time.monotonic() < deadline:
        time.sleep(0.2)
    return stack.queue_depth("CtQueueUrl") == stack.queue_depth("EventQueueUrl") == 0


def told(stack, sent: str) -> list[tuple[str, str | None]]:
    """What the listener's log says of a record, once it says something."""
    stack.wait_for_lines("ct-queue-listener", sent, timeout=60)
    entries = [json.loads(text) for text in stack.all_logs() if f'"sqs.message_id":"{sent}"' in text]
    return [(entry["type"], entry.get("code")) for entry in sorted(entries, key=lambda entry: entry["time"])]


def dead_letter(stack, body: str) -> dict:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for message in stack.take_all("CtDeadLetterQueueUrl"):
            if message["Body"] == body:
                return message
        time.sleep(0.3)
    raise AssertionError("it is not in the dead-letter queue")


def test_notifications_of_both_formats_are_delivered_as_they_came(stack, orders):
    platform, wrapped = order(), order()
    stack.notify(json.dumps(platform))
    stack.notify(json.dumps(cloud_event(wrapped)))
    bodies = {request.body.decode() for request in orders.received(2)}
    assert bodies == {json.dumps(platform), json.dumps(wrapped)}, "of a CloudEvent its data, byte for byte"
    (entry,) = stack.wait_for_entries(message_id(platform), "outbound.attempt")
    assert (entry["message.name"], entry["message.source"]) == (CREATED, "commercetools")
    assert (entry["entity.type"], entry["entity.ref"], entry["account.id"]) == ("order", "CT_1", "acme-shop")
    assert stack.wait_for_lines("ct-queue-listener", message_id(platform))
    assert waits_for_nothing(stack)


def test_a_notification_that_comes_twice_is_delivered_once(stack, orders):
    body = order()
    for again in (json.dumps(body), json.dumps(body), json.dumps(cloud_event(body))):
        stack.notify(again)
    another = order(body["resource"]["id"], sequence=2)
    stack.notify(json.dumps(another))
    assert sorted(received(orders, 2)) == [message_id(body), message_id(another)]
    assert waits_for_nothing(stack)
    assert len(orders.received(3, timeout=1)) == 2


def test_the_test_notification_is_dropped_and_told(stack, orders):
    resource = str(uuid.uuid4())
    test = {
        "notificationType": "ResourceCreated",
        "projectKey": "acme-shop",
        "resource": {"typeId": "subscription", "id": resource},
        "version": 1,
    }
    stack.notify(json.dumps(test))
    assert stack.wait_for_lines("ct-queue-listener", resource)
    (told,) = [json.loads(text) for text in stack.all_logs() if resource in text]
    assert (told["type"], told["message.name"]) == ("inbound.dropped", "commercetools.subscription.ResourceCreated")
    assert waits_for_nothing(stack)
    assert not stack.event_log(f"{resource}.1.ResourceCreated"), "the router never saw it"


@pytest.mark.parametrize("body", ["{not json", '{"hello": "world"}', "hello"])
def test_what_is_no_notification_is_kept_and_harms_no_neighbour(stack, orders, body):
    neighbour = order()
    stack.notify(body)
    stack.notify(json.dumps(neighbour))
    assert received(orders, 1) == [message_id(neighbour)]
    kept = dead_letter(stack, body)
    assert kept["MessageAttributes"]["code"]["StringValue"] == "E_PAYLOAD"
    assert waits_for_nothing(stack)


def test_what_no_table_names_has_a_predictable_name(stack, line):
    changed = order(type="OrderStateChanged")
    stack.put(f"routes/{line.name}-state", f"message: commercetools.order.OrderStateChanged\nendpoint: {line.name}\n")
    time.sleep(TTL_S)
    stack.notify(json.dumps(changed))
    assert received(line, 1) == [message_id(changed)]
    stack.forget(f"routes/{line.name}-state")


def test_an_unknown_notification_is_held_for_a_route_that_comes_later(stack, line):
    unknown = order(notificationType="OrderFolded", type=None)
    stack.notify(json.dumps(unknown))
    deadline = time.monotonic() + 30
    held = []
    while not held and time.monotonic() < deadline:
        held = [m for m in stack.take_all("UndeliveredQueueUrl") if json.loads(m["Body"])["payload"] == unknown]
    assert json.loads(held[0]["Body"])["name"] == "commercetools.order.OrderFolded"
    assert held[0]["MessageAttributes"]["reason"]["StringValue"] == "unrouted"


def test_the_names_change_without_a_deploy_and_a_broken_table_keeps_the_last(stack, line):
    for table in (f"names: {{ order.OrderCreated: {line.name} }}", "names: { order.OrderCreated: [broken] }"):
        stack.put("sources/commercetools", table)
        time.sleep(TTL_S)
        body = order()
        stack.notify(json.dumps(body))
        assert message_id(body) in received(line, 1 + len(line.receiver.requests))
    assert stack.wait_for_lines("ct-queue-listener", "sources/commercetools")
    stack.forget("sources/commercetools")
    time.sleep(TTL_S)


# Faults on the way


def test_nothing_is_lost_or_doubled_when_sqs_fails_half_of_a_batch(stack, aws, orders):
    fault = aws.fail("AmazonSQS.SendMessageBatch", faults.half_fail, times=1, holding=b'"commercetools')
    bodies = [order() for _ in range(6)]
    for body in bodies:
        stack.notify(json.dumps(body))
    assert sorted(received(orders, 6)) == sorted(map(message_id, bodies))
    aws.heal()
    assert fault.met == 1
    assert waits_for_nothing(stack)
    assert len(orders.received(7, timeout=1)) == 6


@pytest.mark.parametrize("fault", [faults.refusal(503, "ServiceUnavailable"), faults.throttle, faults.hang])
def test_a_notification_waits_in_the_ct_queue_while_sqs_fails(stack, aws, orders, fault):
    body = order()
    aws.fail("AmazonSQS.SendMessageBatch", fault)
    assert told(stack, stack.notify(json.dumps(body))) == [("message.fault", "E_QUEUE")]
    assert not orders.receiver.requests
    aws.heal()
    assert received(orders, 1, timeout=60) == [message_id(body)]
    assert waits_for_nothing(stack)
    assert len(orders.received(2, timeout=1)) == 1


def test_a_new_environment_waits_for_its_configuration(stack, aws, orders):
    body = order()
    stack.renew("CtQueueListener")
    aws.fail("AmazonSSM.GetParametersByPath", faults.throttle, holding=b"/sources")
    sent = stack.notify(json.dumps(body))
    assert told(stack, sent) == [("message.fault", "E_CONFIG")]
    aws.heal()
    assert received(orders, 1, timeout=60) == [message_id(body)]
    assert told(stack, sent) == [("message.fault", "E_CONFIG"), ("inbound.accepted", None)]


def test_a_listener_that_is_killed_loses_nothing(stack, aws, orders):
    body = order()
    with stack.visibility_timeout(6, "CtQueueUrl"):
        fault = aws.fail("AmazonSQS.SendMessageBatch", faults.hang)
        stack.notify(json.dumps(body))
        deadline = time.monotonic() + 30
        while not fault.met and time.monotonic() < deadline:
            time.sleep(0.1)
        assert stack.kill("CtQueueListener"), "it was running"
        aws.heal()
        assert received(orders, 1, timeout=60) == [message_id(body)]
        assert waits_for_nothing(stack)
