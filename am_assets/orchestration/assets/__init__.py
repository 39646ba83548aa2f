"""All tables of the graph in the order of the stages, as a list and by name. Each stage has a module of its own,
evaluation two."""

from am_assets.orchestration.assets import distillation as distillation
from am_assets.orchestration.assets import evaluation as evaluation
from am_assets.orchestration.assets import experiments as experiments
from am_assets.orchestration.assets import policies as policies
from am_assets.orchestration.assets import pool as pool
from am_assets.orchestration.assets import scores as scores
from am_assets.orchestration.assets import selection as selection
from am_assets.orchestration.assets import training as training
from am_assets.orchestration.assets import verification as verification
from am_assets.orchestration.tables import declared_in

GRAPH = declared_in(policies, pool, selection, distillation, verification, training, evaluation, scores, experiments)
TABLE = {table.name: table for table in GRAPH}
