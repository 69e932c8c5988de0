"""Signs as Fluent does, with the development key that stands in the repository."""

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from .tools import ROOT

KEYS = ROOT / "shared" / "testkit" / "keys"


def public_key() -> str:
    return (KEYS / "development.public.pem").read_text()


def signature(body: bytes) -> str:
    """The value of `fluent-signature` (SHA512withRSA) for this body."""
    pem = (KEYS / "development.private.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, password=None)
    return base64.b64encode(key.sign(body, padding.PKCS1v15(), hashes.SHA512())).decode()
