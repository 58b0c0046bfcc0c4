"""What is forked ends with the tests that asked for it, however these end."""

import subprocess
import sys
import time
from pathlib import Path

from tests.faults.proc import taken
from tests.kafka.kafka_server import REPOSITORY

KILLED = """
import sys, time
from pathlib import Path
from tests.faults.forked import Forked
print(Forked("http.server", ["0", "--bind", "127.0.0.1"], {}, Path(sys.argv[1])).pid, flush=True)
time.sleep(120)
"""


def test_a_worker_ends_with_tests_that_are_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        worker = int(tests.stdout.readline())
        assert taken(worker) is not None
        tests.kill()
    deadline = time.monotonic() + 60
    while taken(worker) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
