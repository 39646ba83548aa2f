"""Thread settings: how this process shares the cores with the model server."""

import os


def share_cores() -> None:
    """Let OpenMP threads sleep while they wait instead of spinning. Must run before torch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
