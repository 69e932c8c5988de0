#!/usr/bin/env python3
"""Writes the sample events of this folder, signed by openssl with the labelled development key; always the same."""

import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEVELOPMENT_KEY = HERE.parent / "shared" / "testkit" / "keys" / "development.private.pem"
OTHER_KEY = HERE.parent / "shared" / "connector" / "tests" / "vectors" / "rsa-1024.private.pem"
PATH = "/api/v1/fluent-connect/webhook"
EXTERNAL = "/api/v1/fluent-connect/external-system/webhook"
TIME = "2026-11-20T08:30:00.000Z"


def fluent_event(number: int, name: str = "OrderStatusChange", order: int | None = None, **changes) -> dict:
    """An event on an order, by default on one of its own; a change to None leaves the field out."""
    order = order or number
    event = {
        "id": f"5f0c9c1e-8d4e-4b6e-9d5f-{number:012d}",
        "name": name,
        "accountId": "ACME",
        "retailerId": "1",
        "entityId": str(order),
        "entityRef": f"HD_{order}",
        "entityType": "ORDER",
        "entitySubtype": "HD",
        "entityStatus": "SHIPPED",
        "rootEntityId": str(order),
        "rootEntityRef": f"HD_{order}",
        "rootEntityType": "ORDER",
        "type": "NORMAL",
        "attributes": {
            "shippingPartner": "Example Parcel",
            "trackingNumber": f"EX{number}",
            "trackingUrl": f"https://parcel.example/{number}",
        },
    }
    event.update(changes)
    return {key: value for key, value in event.items() if value is not None}


def text(event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def sign(body: bytes, digest: str, key: Path = DEVELOPMENT_KEY) -> str:
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = ["openssl", "dgst", f"-{digest}", "-sign", str(key), file.name]
        return base64.b64encode(subprocess.run(command, check=True, capture_output=True).stdout).decode()


def both(body: bytes) -> dict:
    """Both headers, as Fluent sends them."""
    return {"fluent-signature": sign(body, "sha512"), "flex.signature": sign(body, "md5")}


def webhook(name: str, body: bytes, headers: dict, binary: bool = False) -> None:
    save(f"webhook-{name}", request(PATH, PATH, body, headers, binary))


def external(name: str, source: str, body: bytes, headers: dict, binary: bool = False) -> None:
    asked = request(f"{EXTERNAL}/{{source}}", f"{EXTERNAL}/{source}", body, headers, binary)
    save(f"external-{name}", asked | {"pathParameters": {"source": source}})


def request(route: str, path: str, body: bytes, headers: dict, binary: bool) -> dict:
    return {
        "version": "2.0",
        "routeKey": f"POST {route}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-length": str(len(body)),
            "content-type": "application/json",
            "host": "example.execute-api.eu-west-1.amazonaws.com",
            **headers,
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "example",
            "domainName": "example.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "example",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "example",
            },
            "requestId": "example-request",
            "routeKey": f"POST {route}",
            "stage": "$default",
            "time": "20/Nov/2026:08:30:00 +0000",
            "timeEpoch": 1795163400000,
        },
        "body": base64.b64encode(body).decode() if binary else body.decode(),
        "isBase64Encoded": binary,
    }


def record(number: int, body: str, group: str, deduplication: str) -> dict:
    return {
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "receiptHandle": f"receipt-{number}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795163400000",
            "SequenceNumber": str(18850000000000000000 + number),
            "MessageGroupId": group,
            "SenderId": "AROAEXAMPLE:webhook-receiver",
            "MessageDeduplicationId": deduplication,
            "ApproximateFirstReceiveTimestamp": "1795163400100",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode()).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:fluent-connect-event-queue.fifo",
        "awsRegion": "eu-west-1",
    }


def message(event: dict, **changes) -> str:
    envelope = {
        "version": 1,
        "id": event["id"],
        "name": event["name"],
        "source": "fluent",
        "receivedAt": TIME,
        "payload": event,
    }
    return text({**envelope, **changes}).decode()


def queued(number: int, body: str | None = None, **changes) -> dict:
    event = fluent_event(number, **changes)
    group = f"fluent/{event['accountId']}/{event['rootEntityType']}/{event['rootEntityRef']}"
    return record(number, body or message(event), group, f"fluent/{event['id']}")


def router(name: str, *records: dict) -> None:
    save(f"router-{name}", {"Records": list(records)})


def save(name: str, value: dict) -> None:
    (HERE / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")


def webhooks() -> None:
    body = text(fluent_event(1001))
    webhook("200-both-signatures", body, both(body))
    body = text(fluent_event(1002))
    webhook("200-fluent-signature", body, {"fluent-signature": sign(body, "sha512")})
    body = text(fluent_event(1003))
    md5 = {"flex.signature": sign(body, "md5")}
    webhook("200-flex-signature-md5-allowed", body, md5)
    webhook("401-flex-signature-md5-not-allowed", body, md5)
    webhook("401-empty-fluent-signature-md5-allowed", body, {"fluent-signature": "", **md5})
    body = text(fluent_event(1004))
    webhook("200-base64-body", body, both(body), binary=True)
    body = text(fluent_event(1005, name="NobodyWantsThis"))
    webhook("200-unknown-event", body, both(body))
    body = text(fluent_event(1006, entityId=1006, retailerId=1))
    webhook("200-numbers-for-ids", body, both(body))
    exact = {"long": 9007199254740993, "text": 'quote " back\\slash \ufffe\uffff \U0001f4e6'}
    body = text(fluent_event(1007, attributes=exact)).replace(
        b'"long":', b'"longer":12345678901234567890123.450,"long":'
    )
    webhook("200-exact-numbers", body, both(body))
    body = text(fluent_event(1008, name="OrderCreated", entityStatus="CREATED", attributes={}))
    webhook("200-order-created", body, both(body))
    fulfilment = {"entityId": "1013", "entityRef": "HD_1008-1", "entityType": "FULFILMENT", "entitySubtype": "HD_WH"}
    body = text(fluent_event(1013, name="FulfilmentShipped", order=1008, **fulfilment))
    webhook("200-fulfilment-shipped", body, both(body))
    body = text(fluent_event(1009))
    webhook("401-forged", body, {"fluent-signature": sign(body, "sha512", OTHER_KEY)})
    webhook("401-altered-body", body.replace(b"SHIPPED", b"BOOKED"), both(body))
    webhook("401-missing-signature", body, {})
    webhook("401-malformed-signature", body, {"fluent-signature": "not base64!"})
    signature = sign(body, "sha512")
    webhook("401-duplicate-signature", body, {"fluent-signature": f"{signature},{signature}"})
    body = b'{\n  "id": "5f0c9c1e",\n  "name": "OrderStatusChange"\n  "accountId": "ACME",\n}\n'
    webhook("400-documentation-sample", body, both(body))
    for number, name, changes in (
        (1010, "missing", {"entityRef": None}),
        (1014, "empty", {"name": ""}),
        (1015, "boolean", {"accountId": True}),
    ):
        body = text(fluent_event(number, **changes))
        webhook(f"400-{name}-field", body, both(body))
    body = text(list(fluent_event(1011).values()))
    webhook("400-not-an-object", body, both(body))
    body = text(fluent_event(1012, accountId="OTHER"))
    webhook("403-foreign-account", body, both(body))


def fynd(number: int, name: str = "order", type_: str = "placed", **changes) -> dict:
    """An event of Fynd on an order; a change to None leaves a field of `event` out."""
    event = {
        "category": "application",
        "name": name,
        "type": type_,
        "version": "1",
        "id": f"6f5e4d3c-0000-4000-8000-{number:012d}",
        "created_timestamp": 1795163400000,
        "trace_id": [f"trace-{number}"],
    }
    return {
        "company_id": 1,
        "application_id": "000000000000000000000001",
        "contains": ["order"],
        "event": {key: value for key, value in (event | changes).items() if value is not None},
        "payload": {"order": {"order_id": f"FY{number}", "total": 1499.50}},
    }


def digest(source: str, body: bytes) -> str:
    """HMAC-SHA256 with the development secret of a source, in hex."""
    return hmac.new(f"development-secret-of-{source}".encode(), body, "sha256").hexdigest()


def externals() -> None:
    def signed(body: bytes) -> dict:
        return {"x-fp-signature": digest("fynd", body)}

    body = text(fynd(4001))
    external("200-fynd-order-placed", "fynd", body, signed(body))
    external("401-fynd-altered-body", "fynd", body.replace(b"FY4001", b"FY4002"), signed(body))
    external("401-fynd-missing-signature", "fynd", body, {})
    external("401-fynd-malformed-signature", "fynd", body, {"x-fp-signature": "not hex"})
    external("404-unknown-source", "nobody", body, signed(body))
    external("404-commercetools", "commercetools", body, signed(body))
    external("404-fluent", "fluent", body, signed(body))
    body = text(fynd(4003, "shipment", "update", id=None))
    external("200-fynd-without-event-id", "fynd", body, signed(body))
    body = text(fynd(4004)).replace(b'"total":1499.5', b'"total":1499.500,"long":12345678901234567890123')
    external("200-fynd-base64-body", "fynd", body, signed(body), binary=True)
    body = text(fynd(4005, "ping"))
    external("200-fynd-ping-unsigned", "fynd", body, {})
    external("200-fynd-ping-signed", "fynd", body, signed(body))
    external("401-fynd-ping-forged", "fynd", body, {"x-fp-signature": digest("other", body)})
    body = text(fynd(4006, version=None))
    external("400-fynd-without-version", "fynd", body, signed(body))
    body = b'"application/order/placed/v1"'
    external("400-fynd-not-an-object", "fynd", body, signed(body))
    repository = {"repository": {"full_name": "example/shop"}}
    for number, event, changes in (
        (4007, "pull_request", {"action": "opened"}),
        (4008, "push", {}),
        (4009, "ping", {}),
    ):
        body = text(repository | changes)
        headers = {
            "x-github-delivery": f"5f0c9c1e-8d4e-4b6e-9d5f-{number:012d}",
            "x-github-event": event,
            "x-hub-signature-256": f"sha256={digest('github', body)}",
        }
        external(f"200-github-{event.replace('_', '-')}", "github", body, headers)
        if event == "ping":
            del headers["x-hub-signature-256"]
            external("401-github-ping-unsigned", "github", body, headers)
    # The standard's own vector: genuine, and years old.
    body = b'{"email":"test@example.com","username":"test_user"}'
    headers = {
        "webhook-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        "webhook-timestamp": "1649367553",
        "webhook-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    }
    external("401-standard-webhooks-too-old", "partner", body, headers)
    external("413-larger-than-its-source-may-send", "partner", text({"type": "x" * 4096}), headers)


def batches() -> None:
    router("one", queued(2001))
    event = fluent_event(2013)
    routed = message(event, route="order-status-to-storefront")
    group = f"fluent/ACME/{event['rootEntityType']}/{event['rootEntityRef']}#storefront"
    router("delivery", record(2013, routed, group, f"fluent/{event['id']}/order-status-to-storefront"))
    router("poison-record", queued(2002), queued(2003, body="{not json"), queued(2004))
    router("two-groups", *(queued(2005 + n, order=2005 + n % 2) for n in range(4)))
    router("unknown-version", queued(2010, body=message(fluent_event(2010), version=99)))
    router("empty-id", queued(2011, body=message(fluent_event(2011), id="")))
    router("unrouted", queued(2012, name="NobodyWantsThis"))


def shipped() -> None:
    """A message on its way by each of the shipped routes; what it fetches stands in `shared/testkit/fluent.json`."""
    order = {"entitySubtype": "CC", "attributes": {}}
    fulfilment = {"entityType": "FULFILMENT", "entitySubtype": "CC_PFS", "attributes": {}}
    consignment = {"entityType": "CONSIGNMENT", "entitySubtype": "DEFAULT", "attributes": {}}
    collectable = {"entityStatus": "AWAITING_CUSTOMER_COLLECTION"}
    shop = "commercetools"
    unrooted = {"entityStatus": "ACTIVE", "rootEntityType": None, "rootEntityId": None, "rootEntityRef": None}
    position = unrooted | {"entityType": "VIRTUAL_POSITION", "entityRef": "HAT-M:STORES", "attributes": {}}
    location = unrooted | {"entityType": "LOCATION", "entityRef": "STORE_1", "attributes": {}}
    for number, (route, endpoint, name, changes) in enumerate(
        (
            ("order-status-to-storefront", "storefront", "FulfilmentStatusChange", fulfilment | collectable),
            ("order-ready-email", "mail", "OrderReadyForCollection", order | collectable),
            ("order-ready-sms", "sms", "OrderReadyForCollection", order | collectable),
            ("wms-fulfilment-request", "wms", "FulfilmentRequested", fulfilment | {"entityStatus": "ASSIGNED"}),
            ("wms-fulfilment-request-xml", "wms", "FulfilmentRequested", fulfilment | {"entityStatus": "ASSIGNED"}),
            ("carrier-booking", "carrier", "CarrierBookingRequested", fulfilment | {"entityStatus": "FULFILLED"}),
            ("carrier-label", "carrier", "CarrierLabelRequested", consignment | {"entityStatus": "BOOKED"}),
            ("carrier-manifest", "carrier", "CarrierManifestRequested", consignment | {"entityStatus": "BOOKED"}),
            ("erp-sales-order", "erp", "SalesOrderRequested", order | {"entityStatus": "BOOKED"}),
            (f"{shop}-order-status", None, "OrderStatusChange", order | {"entityStatus": "BOOKED"}),
            (f"{shop}-fulfilment-status", None, "FulfilmentStatusChange", fulfilment),
            (f"{shop}-consignment-status", None, "ConsignmentStatusChange", consignment),
            (f"{shop}-inventory-upsert", None, "InventoryUpsert", position),
            (f"{shop}-location-upsert", None, "LocationUpsert", location),
        ),
        start=3001,
    ):
        suffix = {"FULFILMENT": "-1", "CONSIGNMENT": "-1-1"}.get(changes.get("entityType"), "")
        event = fluent_event(number, name, **changes)
        event["entityRef"] += suffix
        event["entityId"] += suffix.replace("-", "0")
        root = event.get("rootEntityRef")
        entity = f"ORDER/{root}" if root else f"{event['entityType']}/{event['entityRef']}"
        group = f"fluent/ACME/{entity}#{endpoint or f'route:{route}'}"
        body = message(event, route=route)
        router(f"shipped-{route}", record(number, body, group, f"fluent/{event['id']}/{route}"))


def fynd_webhook(number: int, topic: str, payload: dict) -> dict:
    """A webhook of Fynd: the envelope as it comes, of an invented company."""
    category, name, kind, version = topic.split("/")
    return {
        "company_id": 10,
        "application_id": "000000000000000000000010",
        "contains": list(payload),
        "event": {
            "category": category,
            "name": name,
            "type": kind,
            "version": version.removeprefix("v"),
            "id": f"fynd-event-{number}",
            "created_timestamp": 1795163400000,
            "trace_id": [f"example.{number}"],
        },
        "payload": payload,
    }


def fynd_order(number: int) -> dict:
    """An order of two shipments; amounts as numbers and as texts, as both are seen."""
    address = {
        "name": "Buyer One",
        "address": "1 Sample Street",
        "area": "Sample Park",
        "landmark": "",
        "city": "Mumbai",
        "state": "Maharashtra",
        "pincode": 400001,
        "country": "India",
        "country_iso_code": "IN",
        "phone": "0000000000",
        "email": "buyer@shop.example",
    }
    user = {"first_name": "Buyer", "last_name": "One", "email": "Buyer@shop.example", "mobile": "0000000000"}
    hats = {
        "bag_id": 501,
        "quantity": 2,
        "seller_identifier": "HAT-M",
        "prices": {"price_effective": 19.99, "amount_paid": 18.99},
        "financial_breakup": [{"identifiers": {"sku_code": "HAT-M"}, "gst_fee": "2.03"}],
    }
    jacket = {
        "bag_id": 502,
        "quantity": 1,
        "article": {"identifiers": {"sku_code": "JACKET-L"}},
        "financial_breakup": [{"price_effective": "250.00", "amount_paid": "250.00", "gst_fee": "26.79"}],
    }
    return {
        "fynd_order_id": f"FYEXAMPLE{number}",
        "currency": {"currency_code": "INR"},
        "prices": {"amount_paid": "287.98"},
        "user": user,
        "delivery_address": address,
        "shipments": [{"shipment_id": f"{number}01", "bags": [hats]}, {"shipment_id": f"{number}02", "bags": [jacket]}],
    }


def from_fynd() -> None:
    """A message on its way by each of the shipped routes of Fynd's webhooks."""
    shipment = {
        "shipment_id": "300201",
        "fynd_order_id": "FYEXAMPLE3101",
        "status": "update",
        "shipment_status": {"id": 1, "shipment_id": "300201", "status": "bag_picked", "bag_list": ["501"]},
        "fulfilling_store": {"id": 7, "code": "STORE_7"},
        "dp_details": {"name": "Example Parcel", "awb_no": "EX3102", "track_url": "https://parcel.example/3102"},
        "bags": [{"bag_id": 501, "quantity": 2, "seller_identifier": "HAT-M"}],
    }
    article = {
        "uid": "7_HAT-M",
        "size": "M",
        "seller_identifier": "HAT-M",
        "store": {"id": 7},
        "total_quantity": 12,
        "quantities": {"sellable": {"count": 11, "updated_at": TIME}, "damaged": {"count": 1, "updated_at": TIME}},
    }
    for number, (route, topic, payload) in enumerate(
        (
            ("fynd-order-to-fluent", "application/order/placed/v1", {"order": fynd_order(3101)}),
            ("fynd-shipment-to-fluent", "application/shipment/update/v1", {"shipment": shipment}),
            ("fynd-inventory-to-fluent", "company/article/update/v1", {"articles": [article]}),
        ),
        start=3101,
    ):
        event = fynd_webhook(number, topic, payload)
        about = {"id": event["event"]["id"], "name": topic, "source": "fynd", "payload": event, "route": route}
        body = message(about, **about)
        (held,) = payload.values()
        entity = held.get("fynd_order_id") if isinstance(held, dict) else None
        group = f"fynd/10/{entity}" if entity else f"fynd/{about['id']}"
        router(f"shipped-{route}", record(number, body, f"{group}#route:{route}", f"fynd/{about['id']}/{route}"))


def notification(number: int, type_id: str, kind: str = "Message", **changes) -> dict:
    """What commercetools tells of a resource; a change to None leaves the field out."""
    body = {
        "notificationType": kind,
        "projectKey": "acme-shop",
        "resource": {"typeId": type_id, "id": f"7c1d2b60-0000-4000-8000-{number:012d}"},
        "resourceUserProvidedIdentifiers": {},
    }
    if kind == "Message":
        body |= {
            "id": f"9e8f7a60-0000-4000-8000-{number:012d}",
            "version": 1,
            "sequenceNumber": 1,
            "resourceVersion": 1,
            "createdAt": TIME,
            "lastModifiedAt": TIME,
        }
    else:
        body |= {"version": 2, "modifiedAt": TIME}
    return {key: value for key, value in (body | changes).items() if value is not None}


def order(number: int, type_name: str = "OrderCreated") -> dict:
    price = {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 4250, "fractionDigits": 2}
    ids = {"orderNumber": f"CT_{number}"}
    body = notification(number, "order", type=type_name, resourceUserProvidedIdentifiers=ids)
    return body | {
        "order": {
            "id": body["resource"]["id"],
            "version": 1,
            "orderNumber": ids["orderNumber"],
            "totalPrice": price,
            "lineItems": [],
            "shippingMode": "Single",
        }
    }


def published(number: int, **changes) -> dict:
    """A product that customers now see, as the message tells of it."""
    body = notification(number, "product", type="ProductPublished", **changes)
    return body | {
        "removedImageUrls": [],
        "productProjection": {
            "id": body["resource"]["id"],
            "version": 1,
            "key": "jacket",
            "productType": {"typeId": "product-type", "id": "7c1d2b60-0000-4000-8000-000000000001"},
            "name": {"en": "Jacket"},
            "slug": {"en": "jacket"},
            "categories": [],
            "masterVariant": {"id": 1, "sku": "JACKET-M", "prices": [], "images": [], "attributes": []},
            "variants": [{"id": 2, "sku": "JACKET-L", "prices": [], "images": [], "attributes": []}],
            "published": True,
            "hasStagedChanges": False,
        },
        "scope": "All",
    }


def of_commercetools() -> None:
    """A notification on its way by each of the shipped routes that take it into Fluent."""
    updated = "ResourceUpdated"
    for number, (kind, action, body) in enumerate(
        (
            ("order", "create", order(3101)),
            ("customer", "upsert", notification(3102, "customer", updated, oldVersion=1)),
            ("category", "upsert", notification(3103, "category", updated, oldVersion=1)),
            ("product", "upsert", published(3104)),
        ),
        start=3101,
    ):
        route, resource = f"commercetools-{kind}-{action}", body["resource"]["id"]
        told = body.get("sequenceNumber") or f"{body['version']}.{updated}"
        name = f"commercetools.connect.{kind}.{action}"
        on_its_way = {"id": f"{resource}.{told}", "name": name, "source": "commercetools", "route": route}
        group = f"commercetools/acme-shop/{kind}/{resource}#route:{route}"
        queued_as = text({"version": 1, **on_its_way, "receivedAt": TIME, "payload": body}).decode()
        deduplication = f"commercetools/{on_its_way['id']}/{route}"
        router(f"shipped-{route}", record(number, queued_as, group, deduplication))


def cloud_event(body: dict, type_name: str) -> dict:
    """The same notification as a Subscription of format CloudEvents sends it."""
    kind = "message" if body["notificationType"] == "Message" else "change"
    type_id = body["resource"]["typeId"]
    return {
        "specversion": "1.0",
        "id": body.get("id", f"{body['resource']['id']}-{body['version']}"),
        "type": f"com.commercetools.{type_id}.{kind}.{type_name}",
        "source": f"/{body['projectKey']}/{type_id}s",
        "subject": body["resource"]["id"],
        "time": TIME,
        "data": body,
    }


def notified(number: int, body: dict | str) -> dict:
    """A record of the ct-queue: a standard queue has neither groups nor deduplication."""
    received = record(number, body if isinstance(body, str) else text(body).decode(), "", "")
    for name in ("SequenceNumber", "MessageGroupId", "MessageDeduplicationId"):
        del received["attributes"][name]
    received["attributes"]["SenderId"] = "AIDAEXAMPLE"
    return received | {"eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:fluent-connect-ct-queue"}


def ct(name: str, *bodies: dict | str) -> None:
    save(f"ct-{name}", {"Records": [notified(3000 + at, body) for at, body in enumerate(bodies, 1)]})


def notifications() -> None:
    ct("order-created", order(3001))
    ct("order-created-cloudevents", cloud_event(order(3002), "OrderCreated"))
    ct("order-imported", order(3003, "OrderImported"))
    ct("customer-updated", notification(3004, "customer", "ResourceUpdated", oldVersion=1))
    left_out = {"reason": "Payload too large.", "payloadType": "ProductPublished"}
    key = {"key": "jacket", "slug": {"en": "jacket"}}
    ct(
        "payload-not-included",
        notification(3005, "product", payloadNotIncluded=left_out, resourceUserProvidedIdentifiers=key),
    )
    ct("category-updated", notification(3012, "category", "ResourceUpdated", oldVersion=1))
    ct("product-published", published(3013, resourceUserProvidedIdentifiers=key))
    ct("category-deleted", notification(3006, "category", "ResourceDeleted", dataErasure=False))
    event = {
        "id": "9e8f7a60-0000-4000-8000-000000003007",
        "notificationType": "Event",
        "type": "ImportContainerCreated",
        "resourceType": "import-api",
        "data": {"version": 1, "key": "catalogue"},
        "createdAt": TIME,
    }
    ct("event", event)
    test = notification(3008, "subscription", "ResourceCreated", version=1)
    ct("test-notification", test)
    ct("test-notification-cloudevents", cloud_event(test, "ResourceCreated"))
    ct("unknown-notification", notification(3009, "order", "ResourceArchived"))
    ct("not-json", "{not json")
    ct("no-notification", {"hello": "world"})
    twice = order(3010)
    ct("mixed-batch", twice, "no notification", test, twice, notification(3011, "product", type="ProductPublished"))


def replays() -> None:
    paused = {"endpoint": "storefront", "route": None, "name": None, "entityRef": None, "reason": "paused"}
    save("replay-dry-run", {**paused, "from": None, "to": None, "dryRun": True, "limit": 100, "ratePerSecond": 50})


def jobs() -> None:
    """The event of EventBridge's rule, what somebody presses "Test" with, and a run by hand."""
    rule = "arn:aws:events:eu-west-1:123456789012:rule/fluent-connect-JobTicks"
    tick = {
        "version": "0",
        "id": "5f0c9c1e-8d4e-4b6e-9d5f-000000009001",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-20T08:30:00Z",
        "region": "eu-west-1",
        "resources": [rule],
        "detail": {},
    }
    save("job-scheduler-tick", tick)
    save("job-scheduler-list", {})
    save("job-scheduler-run", {"run": "inventory-sync", "from": "2026-11-20T00:00:00Z"})


if __name__ == "__main__":
    webhooks()
    externals()
    batches()
    shipped()
    of_commercetools()
    from_fynd()
    notifications()
    replays()
    jobs()
