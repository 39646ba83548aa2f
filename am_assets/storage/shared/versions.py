"""What a run was planned with, as tags: its code, which a machine has to have, and the snapshot of its config files."""

CODE_TAG, CONFIG_TAG = "am/code", "am/config"  # run tags
APPLY_TAG = "am/apply"  # run tag: the lease of the apply that submitted it, higher where that began later


def refusal(host: str, wanted: dict[str, str], here: str) -> str | None:
    """Why a machine with the code `here` may not carry out a run that was planned with `wanted`; None where it may."""
    if wanted.get(CODE_TAG, here) != here:
        return (
            f"{host} has the am-assets {here}, and the run was planned with {wanted[CODE_TAG]}: install the same on all"
            " machines, then apply again"
        )
    return None
