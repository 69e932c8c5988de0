"""What a script does, told on the terminal while it is done."""

import time
from collections.abc import Callable

from .stack import Stack, build


def step(title: str, work: Callable[[], object]) -> None:
    """Tells what is done, does it, and tells how long it took."""
    print(f"{title} ... ", end="", flush=True)
    start = time.monotonic()
    work()
    print(f"{time.monotonic() - start:.1f} s", flush=True)


def deploy(stack: Stack) -> None:
    """From nothing to the deployed template."""
    step("building the functions (minutes the first time)", build)
    step("starting the local AWS", stack.start)
    step("deploying template.yaml with sam deploy", stack.deploy)
