"""What commercetools does to its resources: drafts and update actions, and what it refuses of them."""

import re
import uuid
from collections.abc import Callable

ORDER_STATES = ("Open", "Confirmed", "Complete", "Cancelled")
SHIPMENT_STATES = ("Shipped", "Delivered", "Ready", "Pending", "Delayed", "Partial", "Backorder", "Canceled")
PAYMENT_STATES = ("BalanceDue", "Failed", "Pending", "CreditOwed", "Paid")
ROLES = ("InventorySupply", "ProductDistribution", "OrderExport", "OrderImport", "Primary")
KEY = re.compile(r"[A-Za-z0-9_-]{2,256}")
"""What user-defined keys look like (API reference, `key`)."""


class RefusedError(Exception):
    """What commercetools answers to what it does not do."""

    def __init__(self, code: str, message: str, status: int = 400, **extra) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "statusCode": status,
            "message": message,
            "errors": [{"code": code, "message": message} | extra],
        }


def malformed(detail: str) -> RefusedError:
    message = "Request body does not contain valid JSON."
    return RefusedError("InvalidJsonInput", message, detailedErrorMessage=detail)


def required(fields: dict, name: str, kind: type | tuple):
    """A field that has to be there, and of this kind."""
    value = fields.get(name)
    if value is None:
        raise malformed(f"{name}: Missing required value")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise malformed(f"{name}: Unexpected type")
    return value


def key(fields: dict, name: str = "key") -> dict:
    """The field `key`, of a user-defined key that is told under this name; nothing where it is not."""
    if fields.get(name) is None:
        return {}
    value = required(fields, name, str)
    if not KEY.fullmatch(value):
        raise RefusedError("InvalidField", f"The value '\"{value}\"' is not valid for field '{name}'.", field=name)
    return {"key": value}


def address(value: dict) -> dict:
    if not re.fullmatch("[A-Z]{2}", required(value, "country", str)):
        raise malformed("country: two letters of ISO 3166-1 were expected")
    return value


def localized(value: dict) -> dict:
    if not all(re.fullmatch("[a-z]{2,3}(-[A-Za-z0-9]+)*", locale) for locale in value):
        raise malformed("LocalizedString: a locale was expected")
    if not all(isinstance(text, str) for text in value.values()):
        raise malformed("LocalizedString: texts were expected")
    return value


def point(value: dict) -> dict:
    """A GeoJSON point: longitude before latitude (RFC 7946)."""
    one_of(value, "type", ("Point",))
    longitude, latitude = (float(degrees) for degrees in required(value, "coordinates", list))
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise malformed("coordinates: degrees were expected")
    return value


def one_of(fields: dict, name: str, words: tuple) -> str:
    if (value := required(fields, name, str)) not in words:
        raise malformed(f"{name}: Invalid enum value: {value!r}. Expected one of: {', '.join(words)}")
    return value


def reference(stored: dict[str, dict], type_id: str, identifier: dict) -> dict:
    """The resource that an identifier names, by id or by key."""
    if identifier.get("typeId", type_id) != type_id:
        raise malformed(f"typeId: expected {type_id}")
    for resource in stored.values():
        if resource["id"] == identifier.get("id") or resource.get("key", "") == identifier.get("key"):
            return resource
    name = identifier.get("id") or identifier.get("key")
    message = f"The referenced object of type '{type_id}' with identifier '{name}' was not found."
    raise RefusedError("ReferencedResourceNotFound", message, typeId=type_id)


# Drafts


def new_inventory_entry(stored: dict[str, dict[str, dict]], draft: dict) -> dict:
    entry = {name: draft[name] for name in ("restockableInDays", "expectedDelivery") if draft.get(name)}
    entry |= key(draft)
    entry |= {"sku": required(draft, "sku", str), "quantityOnStock": required(draft, "quantityOnStock", int)}
    entry["availableQuantity"] = entry["quantityOnStock"]
    if draft.get("supplyChannel"):
        channel = reference(stored["channels"], "channel", draft["supplyChannel"])
        entry["supplyChannel"] = {"typeId": "channel", "id": channel["id"]}
    for other in stored["inventory"].values():
        if (other["sku"], other.get("supplyChannel")) == (entry["sku"], entry.get("supplyChannel")):
            raise duplicate("sku", entry["sku"])
        if entry.get("key") and other.get("key") == entry["key"]:
            raise duplicate("key", entry["key"])
    return entry


def new_channel(stored: dict[str, dict[str, dict]], draft: dict) -> dict:
    channel = {name: check(draft[name]) for name, check in OF_CHANNEL.items() if draft.get(name) is not None}
    required(draft, "key", str)
    channel |= key(draft) | {"roles": roles(draft.get("roles") or ["InventorySupply"])}
    if any(other["key"] == channel["key"] for other in stored["channels"].values()):
        raise duplicate("key", channel["key"])
    return channel


def duplicate(field: str, value: str) -> RefusedError:
    message = f"A duplicate value '\"{value}\"' exists for field '{field}'."
    return RefusedError("DuplicateField", message, field=field, duplicateValue=value)


def roles(words: list) -> list:
    for word in words:
        one_of({"roles": word}, "roles", ROLES)
    return words


OF_CHANNEL = {"name": localized, "description": localized, "address": address, "geoLocation": point}
DRAFTS = {"inventory": new_inventory_entry, "channels": new_channel}


# Update actions: each changes the resource, given all that is stored


def set_state(name: str, words: tuple) -> Callable:
    def change(_stored: dict, order: dict, action: dict) -> None:
        order[name] = one_of(action, name, words)

    return change


def transition_state(_stored: dict, order: dict, action: dict) -> None:
    state = required(action, "state", dict)
    order["state"] = {"typeId": "state", "id": state.get("id") or f"id-of-{state.get('key')}"}


def add_delivery(_stored: dict, order: dict, action: dict) -> None:
    deliveries = deliveries_of(order, action.get("shippingKey"))
    if action.get("deliveryKey") and any(known.get("key") == action["deliveryKey"] for known in deliveries):
        raise duplicate("deliveryKey", action["deliveryKey"])
    delivery = {"id": str(uuid.uuid4()), "items": items(order, action), "parcels": []}
    delivery |= key(action, "deliveryKey")
    delivery |= {"address": action["address"]} if action.get("address") else {}
    delivery["parcels"] = [parcel(order, draft, "key") for draft in action.get("parcels") or []]
    deliveries.append(delivery)


def add_parcel(_stored: dict, order: dict, action: dict) -> None:
    wanted = required(action, "deliveryId", str)
    for delivery in all_deliveries(order):
        if delivery["id"] == wanted:
            delivery["parcels"].append(parcel(order, action, "parcelKey"))
            return
    raise RefusedError("InvalidOperation", f"The delivery with ID '{wanted}' was not found.")


def set_parcel_tracking_data(_stored: dict, order: dict, action: dict) -> None:
    wanted = required(action, "parcelId", str)
    for known in (known for delivery in all_deliveries(order) for known in delivery["parcels"]):
        if known["id"] == wanted:
            setting("trackingData")(_stored, known, action)
            return
    raise RefusedError("InvalidOperation", f"The parcel with ID '{wanted}' was not found.")


def all_deliveries(order: dict) -> list:
    """Of all ways that the order goes."""
    infos = [order.get("shippingInfo") or {}, *(shipping["shippingInfo"] for shipping in order.get("shipping") or [])]
    return [delivery for info in infos for delivery in info.get("deliveries") or []]


def deliveries_of(order: dict, shipping_key: str | None) -> list:
    if order.get("shippingMode") == "Multiple":
        for shipping in order["shipping"]:
            if shipping["shippingKey"] == shipping_key:
                return shipping["shippingInfo"].setdefault("deliveries", [])
        raise RefusedError("InvalidOperation", "A shippingKey of the order is needed in shipping mode 'Multiple'.")
    if not order.get("shippingInfo"):
        raise RefusedError("InvalidOperation", "The order has no shippingInfo.")
    return order["shippingInfo"].setdefault("deliveries", [])


def parcel(order: dict, draft: dict, key_name: str) -> dict:
    made = {name: draft[name] for name in ("trackingData", "measurements") if draft.get(name)}
    made |= key(draft, key_name)
    known = [known.get("key") for delivery in all_deliveries(order) for known in delivery["parcels"]]
    if "key" in made and made["key"] in known:
        raise duplicate(key_name, made["key"])
    return {"id": str(uuid.uuid4()), "items": items(order, draft)} | made


def items(order: dict, draft: dict) -> list:
    known = {item["id"] for name in ("lineItems", "customLineItems") for item in order.get(name) or []}
    for item in draft.get("items") or []:
        required(item, "quantity", int)
        if required(item, "id", str) not in known:
            raise RefusedError("InvalidOperation", f"The line item with ID '{item['id']}' was not found.")
    return draft.get("items") or []


def update_sync_info(stored: dict, order: dict, action: dict) -> None:
    channel = reference(stored["channels"], "channel", required(action, "channel", dict))
    if not {"OrderExport", "OrderImport"} & set(channel["roles"]):
        message = f"The channel '{channel['id']}' misses one of the roles OrderExport, OrderImport."
        raise RefusedError("MissingRoleOnChannel", message)
    told = {"channel": {"typeId": "channel", "id": channel["id"]}, "externalId": action.get("externalId")}
    others = [sync for sync in order.get("syncInfo") or [] if sync["channel"]["id"] != channel["id"]]
    order["syncInfo"] = [*others, told | {"syncedAt": action.get("syncedAt", "2026-11-20T08:30:00.000Z")}]


def set_custom_field(_stored: dict, resource: dict, action: dict) -> None:
    name = required(action, "name", str)
    if not resource.get("custom"):
        raise RefusedError("InvalidOperation", "The resource has no custom type: set one first.")
    fields = resource["custom"].setdefault("fields", {})
    if action.get("value") is None:
        fields.pop(name, None)
    else:
        fields[name] = action["value"]


def quantity(change: Callable[[int, int], int]) -> Callable:
    def changed(_stored: dict, entry: dict, action: dict) -> None:
        before = entry["quantityOnStock"]
        entry["quantityOnStock"] = change(before, required(action, "quantity", int))
        entry["availableQuantity"] += entry["quantityOnStock"] - before

    return changed


def setting(name: str, check: Callable = lambda value: value, *, needed: bool = False) -> Callable:
    def change(_stored: dict, resource: dict, action: dict) -> None:
        if needed or action.get(name) is not None:
            resource[name] = check(required(action, name, (str, dict, list)))
        else:
            resource.pop(name, None)

    return change


def set_roles(_stored: dict, channel: dict, action: dict) -> None:
    channel["roles"] = roles(required(action, "roles", list))


def add_roles(_stored: dict, channel: dict, action: dict) -> None:
    added = roles(required(action, "roles", list))
    channel["roles"] += [role for role in added if role not in channel["roles"]]


ACTIONS = {
    "orders": {
        "changeOrderState": set_state("orderState", ORDER_STATES),
        "changeShipmentState": set_state("shipmentState", SHIPMENT_STATES),
        "changePaymentState": set_state("paymentState", PAYMENT_STATES),
        "transitionState": transition_state,
        "addDelivery": add_delivery,
        "addParcelToDelivery": add_parcel,
        "setParcelTrackingData": set_parcel_tracking_data,
        "updateSyncInfo": update_sync_info,
        "setCustomField": set_custom_field,
    },
    "inventory": {
        "changeQuantity": quantity(lambda _before, said: said),
        "addQuantity": quantity(lambda before, said: before + said),
        "removeQuantity": quantity(lambda before, said: before - said),
        "setExpectedDelivery": setting("expectedDelivery"),
        "setCustomField": set_custom_field,
    },
    "channels": {
        "setRoles": set_roles,
        "addRoles": add_roles,
        "changeName": setting("name", localized, needed=True),
        "changeDescription": setting("description", localized, needed=True),
        "setAddress": setting("address", address),
        "setGeoLocation": setting("geoLocation", point),
        "setCustomField": set_custom_field,
    },
}
