"""AWS's Runtime Interface Emulator, which comes with the SAM CLI: one environment of a function, no container."""

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from .tools import SAM_BIN, free_port

RIE = next((SAM_BIN.parent / "lib").glob("python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"))


class Emulator:
    """Runs a bootstrap. Use it as a context: the process ends with it, the log stays readable."""

    def __init__(self, bootstrap: Path, env: dict[str, str]) -> None:
        self._port = free_port()
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        addresses += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
        self._command, self._env = [RIE, *addresses, bootstrap], env

    def __enter__(self) -> "Emulator":
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - read after the process has ended, too
        self._process = subprocess.Popen(self._command, env=self._env, stdout=self._log, stderr=self._log)
        return self

    def __exit__(self, *_failure) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def function(self) -> int:
        """The process id of the function, once it has been invoked."""
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        (child,) = (int(child) for thread in threads for child in (thread / "children").read_text().split())
        return child

    def invoke(self, event: bytes) -> str:
        """What the function answers."""
        url = f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations"
        for _ in range(100):
            try:
                with urllib.request.urlopen(url, event, timeout=30) as response:
                    return response.read().decode()
            except urllib.error.URLError:
                time.sleep(0.02)  # it is not listening yet
        raise SystemExit("the emulator did not listen within 2 s")

    def mark(self) -> int:
        """The place in the log where what comes next will stand."""
        return self._log.seek(0, 2)

    def log(self, since: int = 0) -> str:
        """What the emulator and the function wrote from a mark on."""
        self._log.seek(since)
        return self._log.read()
