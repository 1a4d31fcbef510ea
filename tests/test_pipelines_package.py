"""What importing the package does, and what it does not."""

import subprocess
import sys


def run_python(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_waiting_threads_sleep_unless_the_user_wants_them_to_spin():
    program = "import os, pipelines; print(os.environ['OMP_WAIT_POLICY'])"
    assert run_python(program) == "PASSIVE"
    assert run_python(program, OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"
