#!/usr/bin/env python3
"""Prints requests of other systems, signed by implementations that we did not write: see README.md."""

import base64
import datetime
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

import standardwebhooks
import stripe
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

HERE = Path(__file__).resolve().parent
NOW = 1795163400
BODY = '{"id":"evt_1","type":"order.paid","total":12345678901234567890.10,"note":"Ünïcode 📦"}'.encode()
vectors = []


def vector(maker: str, document: str, headers: dict, body: bytes = BODY, now: int = NOW) -> None:
    text = base64.b64encode(body).decode()
    vectors.append({"maker": maker, "document": document, "headers": headers, "body": text, "now": now})


def openssl(*arguments: str, body: bytes = BODY) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        return subprocess.run(["openssl", *arguments, file.name], check=True, capture_output=True).stdout


def mac(algorithm: str, key: str, body: bytes = BODY) -> bytes:
    return openssl("dgst", f"-{algorithm}", "-hmac", key, "-binary", body=body)


def spelled(auth: dict) -> str:
    return json.dumps({"auth": auth, "name": "/type", "id": "/id"})


def published() -> None:
    """GitHub's and the standard's own examples."""
    github = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    document = """{ preset: github, secrets: ["It's a Secret to Everybody"] }"""
    vector("GitHub's documentation", document, github, b"Hello, World!")
    for secret, number, time, body, signature in (
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1649367553,
            b'{"email":"test@example.com","username":"test_user"}',
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ):
        headers = {"webhook-id": number, "webhook-timestamp": str(time), "webhook-signature": signature}
        document = f"{{ preset: standard-webhooks, secrets: [{secret}] }}"
        vector("the standard's own", document, headers, body, time)


def libraries() -> None:
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    time = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    signature = standardwebhooks.Webhook(key).sign("msg_1", time, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": f"v1,AAAA {signature}"}
    rotating = f"{{ preset: standard-webhooks, secrets: [whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD, {key}] }}"
    vector("standardwebhooks for Python", rotating, headers)
    signature = stripe.WebhookSignature.generate_signature_header(BODY.decode(), "whsec_test", timestamp=NOW)
    headers = {"stripe-signature": signature.replace(",v1=", f",v1={'0' * 64},v0=00,v1=")}
    vector("stripe for Python", "{ preset: stripe, secrets: [whsec_other, whsec_test] }", headers)


def macs() -> None:
    headers = {"x-shopify-hmac-sha256": base64.b64encode(mac("sha256", "hush")).decode(), "x-shopify-topic": "a/b"}
    vector("OpenSSL", "{ preset: shopify, secrets: [hush] }", headers)
    vector("OpenSSL", "{ preset: fynd, secrets: [hush] }", {"x-fp-signature": mac("sha256", "hush").hex()})
    for algorithm in ("sha1", "sha256", "sha512"):
        for encoding, text in (("hex", bytes.hex), ("base64", lambda raw: base64.b64encode(raw).decode())):
            auth = {"type": "hmac", "algorithm": algorithm, "header": "x-mac", "encoding": encoding}
            vector("OpenSSL", spelled(auth | {"secrets": ["hush"]}), {"x-mac": text(mac(algorithm, "hush"))})
    timed = {"type": "hmac", "header": "x-mac", "prefix": "v0=", "signed": "v0:{timestamp}:{body}"}
    timed |= {"timestamp": "header:x-time", "secrets": ["hush"]}
    for time in (NOW, NOW * 1000):
        signature = mac("sha256", "hush", f"v0:{time}:".encode() + BODY).hex()
        vector("OpenSSL", spelled(timed), {"x-mac": f"v0={signature}", "x-time": str(time)})


def public_keys() -> None:
    for bits in (1024, 2048, 4096):
        path = HERE / f"rsa-{bits}.private.pem"
        pem = subprocess.run(["openssl", "pkey", "-in", path, "-pubout"], check=True, capture_output=True).stdout
        for algorithm in ("sha256", "sha512"):
            auth = {"type": "rsa", "algorithm": algorithm, "header": "x-signature", "keys": [pem.decode()]}
            signature = openssl("dgst", f"-{algorithm}", "-sign", str(path))
            vector("OpenSSL", spelled(auth), {"x-signature": base64.b64encode(signature).decode()})
    # Keys that are the same each time; ECDSA signatures are not, and need not be.
    for curve, bytes_ in ((ec.SECP256R1(), 32), (ec.SECP384R1(), 48)):
        key = ec.derive_private_key(int.from_bytes(hashlib.sha256(curve.name.encode()).digest()), curve)
        spki = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        fixed_with = "sha256" if bytes_ == 32 else "sha384"
        for algorithm in ("sha256", "sha384", "sha512"):
            signature = key.sign(BODY, ec.ECDSA(getattr(hashes, algorithm.upper())()))
            auth = {"type": "ecdsa", "algorithm": algorithm, "header": "x-signature"}
            auth |= {"keys": [base64.b64encode(spki).decode()]}
            vector("cryptography", spelled(auth), {"x-signature": base64.b64encode(signature).decode()})
            if algorithm == fixed_with:
                fixed = b"".join(part.to_bytes(bytes_) for part in utils.decode_dss_signature(signature))
                auth |= {"form": "fixed", "encoding": "hex"}
                vector("cryptography", spelled(auth), {"x-signature": fixed.hex()})
    key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"ed25519").digest())
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signature = key.sign(f"msg_1.{NOW}.".encode() + BODY)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW)}
    headers |= {"webhook-signature": f"v1a,{base64.b64encode(signature).decode()}"}
    document = f"{{ preset: standard-webhooks, keys: [whpk_{base64.b64encode(raw).decode()}] }}"
    vector("cryptography", document, headers)


def unsigned() -> None:
    credentials = base64.b64encode(b"shop:hush").decode()
    basic = spelled({"type": "basic", "username": "shop", "secrets": ["other", "hush"]})
    vector("RFC 7617", basic, {"authorization": f"Basic {credentials}"})
    bearer = spelled({"type": "bearer", "secrets": ["other", "hush"]})
    vector("RFC 6750", bearer, {"authorization": "bearer hush"})
    vector("by hand", spelled({"type": "api-key", "header": "X-Key", "secrets": ["hush"]}), {"x-key": "hush"})


if __name__ == "__main__":
    for make in (published, libraries, macs, public_keys, unsigned):
        make()
    print(json.dumps(vectors, indent=1))
