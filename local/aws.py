"""Runs the local AWS (ministack) in this process, bound to loopback.

Mends what it does otherwise than AWS. A FIFO event source runs one batch at a time there, while AWS gives each free
group its own invocation; its queue locks groups by itself, so that order is kept all the same. It forgets the trace
headers of messages that were sent as a batch. And what an event source takes from a parameter as a number stays a text,
which no AWS SDK reads.
"""

from contextvars import ContextVar

from ministack import app
from ministack.services import lambda_svc, sqs

FIFO_CONCURRENCY = 50
BATCH: ContextVar = ContextVar("BATCH", default=None)
"""The entries of the batch that is being sent, one after the other."""
ATTRIBUTES = "MessageSystemAttributes"


def concurrency(*_args, **_kwargs) -> int:
    return FIFO_CONCURRENCY


def with_numbers(answer):
    """The answer about an event source, its numbers as numbers."""

    def mended(event_source: dict) -> dict:
        told = answer(event_source)
        scaling = told.get("ScalingConfig") or {}
        return told | ({"ScalingConfig": {name: int(value) for name, value in scaling.items()}} if scaling else {})

    return mended


def mend() -> None:
    lambda_svc._sqs_esm_concurrency = concurrency
    lambda_svc._esm_response = with_numbers(lambda_svc._esm_response)
    send, send_batch = sqs._act_send_message, sqs._act_send_message_batch

    def sending(data: dict, url: str) -> dict:
        entries = BATCH.get()
        kept = {} if entries is None else {ATTRIBUTES: next(entries).get(ATTRIBUTES)}
        return send(data | kept, url)

    def sending_batch(data: dict, url: str) -> dict:
        token = BATCH.set(iter(data.get("Entries", [])))
        try:
            return send_batch(data, url)
        finally:
            BATCH.reset(token)

    sqs._act_send_message = sending
    sqs._HANDLERS["SendMessageBatch"] = sending_batch


if __name__ == "__main__":
    known = all(hasattr(lambda_svc, name) for name in ("_sqs_esm_concurrency", "_esm_response"))
    if not known or "SendMessageBatch" not in sqs._HANDLERS:
        raise SystemExit("this ministack is not the pinned one: run local/setup.sh")
    mend()
    app.main()
