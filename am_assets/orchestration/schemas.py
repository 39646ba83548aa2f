"""The schema of every table of the graph, by name."""

import dataframely as dy

from am_assets.storage import schemas
from am_assets.verification.verifiers import VERIFIERS

TABLES: dict[str, type[dy.Schema]] = schemas.TABLES | {
    verifier.table: verifier.columns for verifier in VERIFIERS.values()
}
