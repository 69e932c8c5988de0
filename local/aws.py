"""Runs the local AWS (ministack) in this process, bound to loopback.

Lifts one limit of it: a FIFO event source runs one batch at a time there, while AWS gives each free group its own
invocation. Its queue locks groups by itself, so that order is kept all the same. And mends one answer: a number that
the template takes from a parameter stays a text there, which no AWS SDK reads.
"""

from ministack import app
from ministack.services import lambda_svc

FIFO_CONCURRENCY = 50


def concurrency(*_args, **_kwargs) -> int:
    return FIFO_CONCURRENCY


def with_numbers(answer):
    """The answer about an event source, its numbers as numbers."""

    def mended(event_source: dict) -> dict:
        told = answer(event_source)
        scaling = told.get("ScalingConfig") or {}
        return told | ({"ScalingConfig": {name: int(value) for name, value in scaling.items()}} if scaling else {})

    return mended


if __name__ == "__main__":
    if not all(hasattr(lambda_svc, name) for name in ("_sqs_esm_concurrency", "_esm_response")):
        raise SystemExit("this ministack is not the pinned one: run local/setup.sh")
    lambda_svc._sqs_esm_concurrency = concurrency
    lambda_svc._esm_response = with_numbers(lambda_svc._esm_response)
    app.main()
