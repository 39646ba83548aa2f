"""The tables of the policy assets: one section of one recipe each."""

import dataframely as dy


class PolicySettings(dy.Schema):
    """One section of a recipe: its settings and their JSON values."""

    setting = dy.String(primary_key=True)
    value = dy.String()
