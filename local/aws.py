"""Runs the local AWS (ministack) in this process, bound to loopback.

Lifts one limit of it: a FIFO event source runs one batch at a time there, while AWS gives each free group its own
invocation. Its queue locks groups by itself, so that order is kept all the same.
"""

from ministack import app
from ministack.services import lambda_svc

FIFO_CONCURRENCY = 50


def concurrency(*_args, **_kwargs) -> int:
    return FIFO_CONCURRENCY


if __name__ == "__main__":
    if not hasattr(lambda_svc, "_sqs_esm_concurrency"):
        raise SystemExit("this ministack is not the pinned one: run local/setup.sh")
    lambda_svc._sqs_esm_concurrency = concurrency
    app.main()
