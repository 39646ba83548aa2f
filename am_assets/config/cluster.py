"""Several machines that work on one project folder: `data/cluster.yaml`. Without the file a project is one machine's.

Nothing here is part of what is measured: the same project has the same tables on any number of machines.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from am_assets.config.files import ConfigError, Section, parse, read_yaml

SCHEME = "postgresql+psycopg2://"
FILE = "cluster.yaml"


class Cluster(Section):
    """What machines share beside the folder of the project."""

    # the environment variable with the address of Postgres: postgresql+psycopg2://user:password@host:5432/name
    database_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "AM_DATABASE_URL"
    # dollars that all machines together may spend on models, from the first on; raise it to go on. Null: no such limit
    budget_usd: Annotated[float, Field(ge=0)] | None = None

    def address(self) -> str:
        """The address of Postgres, which the environment names; `ConfigError` where it does not, or in another form."""
        address = os.environ.get(self.database_env, "")
        if not address:
            raise ConfigError(
                f"{FILE}: database_env: the environment variable {self.database_env} is not set: export it on every"
                f" machine, as {SCHEME}user:password@host:5432/name"
            )
        if not address.startswith(SCHEME):
            raise ConfigError(f"{FILE}: database_env: {self.database_env} has to begin with {SCHEME}")
        return address


def load_cluster(path: Path) -> Cluster | None:
    """The file's content; None where there is no file. `ConfigError` names the file and the field."""
    return parse(Cluster, read_yaml(path), str(path)) if path.exists() else None
