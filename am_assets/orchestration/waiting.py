"""Dagster's command line for runs on a cluster, which waits for the records where their database is away.

    python -m am_assets.orchestration.waiting ARGUMENTS

Dagster opens its records before it imports anything of a code location, and gives up after 12 s.
"""

import runpy

from am_assets.config.cluster import FILE, load_cluster
from am_assets.orchestration.postgres import await_records
from am_assets.project import data_folder

if __name__ == "__main__":
    if cluster := load_cluster(data_folder() / FILE):
        await_records(cluster.database_env)
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)
