"""X-Ray's daemon as functions see it: takes datagrams, and knows what X-Ray takes for a subsegment."""

import json
import re
import socket
import threading
import time

HEADER = {"format": "json", "version": 1}
LARGEST = 64_000
"""Bytes of a document (X-Ray developer guide, "AWS X-Ray segment documents", as all the rules below)."""
ID = re.compile(r"[0-9a-f]{16}")
TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
NAME = re.compile(r"[\w\s.:/%&#=+\\@-]{1,200}")
KEY = re.compile(r"[A-Za-z0-9_]{1,500}")
REQUIRED = {"name", "id", "start_time", "end_time", "trace_id", "parent_id", "type"}
OPTIONAL = {"namespace", "http", "error", "throttle", "fault", "annotations"}


class Daemon:
    """Listens on loopback and keeps what comes, until `stop`."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def documents(self) -> list[dict]:
        return [json.loads(datagram.split(b"\n", 1)[1]) for datagram in list(self.datagrams)]

    def of(self, message_id: str, count: int, timeout: float = 45.0) -> list[dict]:
        """A message's documents by time, once there are this many."""
        deadline = time.monotonic() + timeout
        while True:
            chosen = [each for each in self.documents if each["annotations"].get("message_id") == message_id]
            if len(chosen) >= count or time.monotonic() > deadline:
                return sorted(chosen, key=lambda document: document["start_time"])
            time.sleep(0.1)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                self.datagrams.append(self._socket.recv(65_536))
            except TimeoutError:
                continue


def problems(datagram: bytes) -> list[str]:
    """What X-Ray would not take of a datagram with one subsegment."""
    header, _, text = datagram.partition(b"\n")
    document = json.loads(text)
    http = document.get("http", {})
    status = http.get("response", {}).get("status", 200)
    annotations = document.get("annotations", {})
    rules = {
        "header": json.loads(header) == HEADER,
        "size": len(text) <= LARGEST,
        "required": document.keys() >= REQUIRED,
        "unknown": document.keys() <= REQUIRED | OPTIONAL,
        "type": document["type"] == "subsegment",
        "id": bool(ID.fullmatch(document["id"])),
        "parent_id": bool(ID.fullmatch(document["parent_id"])) and document["parent_id"] != document["id"],
        "trace_id": bool(TRACE.fullmatch(document["trace_id"])),
        "name": bool(NAME.fullmatch(document["name"])),
        "time": 0 < document["start_time"] <= document["end_time"] < time.time() + 60,
        "namespace": document.get("namespace") in (None, "remote"),
        "http": not http or ("request" in http and document["namespace"] == "remote"),
        "request": all(isinstance(value, str) and len(value) <= 250 for value in http.get("request", {}).values()),
        "status": isinstance(status, int) and 100 <= status <= 599,
        "marks": all(document.get(mark) in (None, True) for mark in ("error", "throttle", "fault")),
        "throttle": document.get("throttle", False) == (status == 429),
        "fault": status < 500 or document.get("fault") is True,
        "keys": all(KEY.fullmatch(key) for key in annotations),
        "values": all(isinstance(value, (str, int, float, bool)) for value in annotations.values()),
        "count": len(annotations) <= 50,
    }
    return [rule for rule, kept in rules.items() if not kept]
