"""What makes a secret unfit: it is empty, short, a sample, used twice, or cannot stand in an address.

Each fault is a sentence that names the secret and never holds its value. Python's standard library is enough.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

SHORTEST = 16
# Airflow signs with HS512, whose key is at least as long as its hash, 64 bytes (RFC 7518, 3.2).
SHORTEST_SIGNING_KEY = 64
SIGNING_KEY = "JWT_SECRET"
FERNET_KEY = "FERNET_KEY"
FEWEST_CHARACTERS = 8
SAMPLES = (
    "admin airflow change changeit changeme daybook default demo dummy example fixme guest insert key letmein me my "
    "passwd password passw0rd placeholder postgres please qwerty replace replaceme root sample secret static "
    "temporary test this todo token user viewer welcome your here jwt with a strong random value to"
)
# `*+` never goes back, so that no value takes long. The longest word is tried first for that reason.
SAMPLE_TEXT = re.compile(f"(?:{'|'.join(sorted(SAMPLES.split(), key=len, reverse=True))}|[0-9_-])*+", re.IGNORECASE)


def faults(secrets: Mapping[str, str]) -> list[str]:
    """Return what is wrong with secrets, by name: a sentence for each unfit one, and for each two that are equal."""
    unfit = [f"{name} {fault}" for name, value in secrets.items() if (fault := _fault(name, value))]
    return [*unfit, *_equal(secrets)]


def _fault(name: str, value: str) -> str:
    if not value.strip():
        return "is empty"
    if SAMPLE_TEXT.fullmatch(value):
        return "is a sample or a default, which anybody would try"
    if name.upper().endswith(FERNET_KEY):
        return "" if _is_fernet_key(value) else "is no Fernet key: 32 random bytes in URL-safe base64, `=` included"
    if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        return "has a character that cannot stand in an address: letters, digits, `-` and `_` only"
    shortest = SHORTEST_SIGNING_KEY if name.upper().endswith(SIGNING_KEY) else SHORTEST
    if len(value) < shortest:
        return f"has {len(value)} characters: {shortest} or more"
    return "repeats a few characters" if len(set(value)) < FEWEST_CHARACTERS else ""


def _is_fernet_key(value: str) -> bool:
    # github.com/fernet/spec, "Key Format".
    try:
        key = base64.b64decode(value, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) == 32 and len(set(key)) >= FEWEST_CHARACTERS


def _equal(secrets: Mapping[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for name, value in secrets.items():
        if value.strip() and first.setdefault(value, name) != name:
            yield f"{name} is the same as {first[value]}: who knows one knows both"
