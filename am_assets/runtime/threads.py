"""How threads of this process share the machine's cores with the model server."""

import os


def share_cores() -> None:
    """Before torch loads: else its threads and those of the model server spin at each other while they wait."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
