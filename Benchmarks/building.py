"""Compiles the C parts of the benchmark, when they are older than their sources."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD_FOLDER = HERE.parent / ".build" / "benchmarks"

FLAGS = ["-std=c17", "-O2", "-Wall", "-Wextra"]
PROGRAMS = {
    "oidcload": (["oidcload.c", *sorted(f"oidcload/{file.name}" for file in HERE.glob("oidcload/*.c"))], []),
    "limits": (["limits.c"], ["-lcrypto", "-lsqlite3", "-largon2"]),
}

# What the compiler or the linker says when a development package is not installed.
PACKAGES = {
    "openssl/": "libssl-dev",
    "-lcrypto": "libssl-dev",
    "sqlite3.h": "libsqlite3-dev",
    "-lsqlite3": "libsqlite3-dev",
    "argon2.h": "libargon2-dev",
    "-largon2": "libargon2-dev",
    "stdio.h": "libc6-dev",
}


class BenchmarkError(Exception):
    """The run cannot go on. The text says why and what helps."""


def build(name: str) -> Path:
    """The program's path, compiled if need be."""
    sources, libraries = PROGRAMS[name]
    program = BUILD_FOLDER / name
    inputs = [HERE / source for source in sources] + list(HERE.glob("oidcload/*.h"))
    if program.exists() and program.stat().st_mtime >= max(file.stat().st_mtime for file in inputs):
        return program
    if not shutil.which("cc"):
        raise BenchmarkError("there is no C compiler: apt-get install gcc libc6-dev")
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["cc", *FLAGS, "-o", str(program), *sources, *libraries]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    if result.returncode:
        missing = sorted({package for sign, package in PACKAGES.items() if _is_missing(sign, result.stderr)})
        advice = f"\na package is missing: apt-get install {' '.join(missing)}" if missing else ""
        raise BenchmarkError(f"{name} does not compile:\n{result.stderr}{advice}")
    return program


def _is_missing(sign: str, output: str) -> bool:
    phrases = ("No such file or directory", "cannot find")
    return any(sign in line and any(phrase in line for phrase in phrases) for line in output.splitlines())
