"""All tables of the graph, in the order of the stages."""

from am_assets.distillation import assets as distillation
from am_assets.evaluation import assets as evaluation
from am_assets.policies import policy_tables
from am_assets.pool import assets as pool
from am_assets.selection import assets as selection
from am_assets.tables import declared_in
from am_assets.training import assets as training
from am_assets.verification import assets as verification

GRAPH = [*policy_tables, *declared_in(pool, selection, distillation, verification, training, evaluation)]
