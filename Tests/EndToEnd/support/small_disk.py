"""A disk so small that a test can fill it up."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of its own in memory; only root may make one, and tests of others are skipped."""

    def __init__(self, megabytes: int, folder: Path | None = None):
        self.folder = folder or Path(tempfile.mkdtemp(prefix="small-disk-"))
        self.folder.mkdir(exist_ok=True)
        self._ballast = self.folder / "ballast"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "small-disk", self.folder],
            capture_output=True, text=True) if os.geteuid() == 0 and Path("/proc/mounts").exists() else None
        if mounted is None or mounted.returncode != 0:
            self.folder.rmdir()
            pytest.skip(mounted.stderr.strip() if mounted else "only root on Linux can make a small disk")

    def fill(self) -> None:
        """Leaves not a byte free."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Takes back what was filled; does nothing where nothing was."""
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        # Whoever still has a file open there keeps nobody from it.
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self.folder.rmdir()
