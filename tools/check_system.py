"""Say which system packages are missing, before anything is installed. Standard library only."""

import ctypes
import importlib.util
import shutil
import sys

# What OpenCV's wheel links, and the Debian package that holds it.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
}
PROGRAMS = {"git": "git", "make": "make"}
OLDEST_PYTHON = (3, 11)


def missing_packages() -> list[str]:
    """List the Debian packages that are needed and absent."""
    packages = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if importlib.util.find_spec("ensurepip") is None:
        packages.append("python3-venv")
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            packages.append(package)
    return packages


def main() -> int:
    """Print one line for whatever is missing; the status is 1 then."""
    if sys.version_info < OLDEST_PYTHON:
        wanted, found = (".".join(map(str, v)) for v in (OLDEST_PYTHON, sys.version_info[:3]))
        print(f"Python {wanted} or newer is needed; this is {found}", file=sys.stderr)
        return 1
    packages = missing_packages() if sys.platform == "linux" else []
    if packages:
        print(f"missing system packages: apt install {' '.join(packages)}", file=sys.stderr)
    return 1 if packages else 0


if __name__ == "__main__":
    raise SystemExit(main())
