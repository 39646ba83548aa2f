"""The loop of edit, look and run over the real graph, with bodies that give what a test says.

Keys, inputs, partitions, mappings, blocking checks and conditions are those of the project; only what an asset would
compute is replaced, by a data version.
"""

from collections import defaultdict

import dagster as dg

Partition = tuple[str, str]
Requested = dict[str, set[str]]


class Loop:
    """Definitions, an instance and what a sensor remembers between two looks."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance, cursor=None):
        self.content: dict[Partition, str] = defaultdict(lambda: "as first made")
        self.metadata: dict[Partition, dict] = {}
        self.empty: set[Partition] = set()  # whose blocking checks fail
        self.instance = instance
        self.cursor = cursor
        self.real = definitions
        self.graph = definitions.resolve_asset_graph()
        assets = [asset for asset in definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
        blocking = [key for key in self.graph.asset_check_keys if self.graph.get(key).blocking]
        self.definitions = dg.Definitions(
            [self._stand_in(asset) for asset in assets],
            asset_checks=[self._stand_in_check(key) for key in blocking],
            executor=dg.in_process_executor,
        )
        self.job = self.definitions.resolve_implicit_global_asset_job_def()

    def tick(self) -> Requested:
        """What the sensors request when they look now."""
        found = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = found.cursor
        requested = {key: found.get_requested_partitions(key) for key in self.graph.get_all_asset_keys()}
        return {key.to_user_string(): {str(name) for name in names} for key, names in requested.items() if names}

    def run(self, asset: str, *partitions: str, content: str | None = None) -> None:
        """Materialize partitions, with the content they had before unless another is given."""
        for partition in partitions:
            if content:
                self.content[asset, partition] = content
            self._run([dg.AssetKey(asset)], partition)

    def run_all(self, requested: Requested) -> None:
        for asset, partitions in requested.items():
            self.run(asset, *partitions)

    def run_everything(self) -> None:
        """Every partition of every asset, in as few runs as their order allows."""
        left = dict.fromkeys(self.graph.toposorted_asset_keys)
        while left:
            partitions = self.graph.get(next(iter(left))).partitions_def
            assert partitions is not None
            wave: list[dg.AssetKey] = []
            for key in left:
                node = self.graph.get(key)
                if node.partitions_def == partitions and not node.parent_keys & (left.keys() - {*wave}):
                    wave.append(key)
            for partition in partitions.get_partition_keys():
                self._run(wave, partition)
            left = dict.fromkeys(key for key in left if key not in wave)

    def _run(self, keys: list[dg.AssetKey], partition: str) -> None:
        self.job.execute_in_process(
            asset_selection=keys, partition_key=partition, instance=self.instance, raise_on_error=False
        )

    def _stand_in(self, asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
        spec = asset.specs_by_key[asset.key]
        name = asset.key.to_user_string()
        ins = {
            given: dg.AssetIn(
                parent,
                dagster_type=dg.Nothing,
                metadata=asset.node_def.input_def_named(given).metadata,
                partition_mapping=asset.get_partition_mapping(parent),
            )
            for given, parent in asset.keys_by_input_name.items()
        }

        @dg.asset(
            name=name,
            ins=ins,
            partitions_def=asset.partitions_def,
            code_version=spec.code_version,
            automation_condition=spec.automation_condition,
        )
        def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            at = name, context.partition_key
            return dg.MaterializeResult(data_version=dg.DataVersion(self.content[at]), metadata=self.metadata.get(at))

        return body

    def _stand_in_check(self, key: dg.AssetCheckKey) -> dg.AssetChecksDefinition:
        partitions = self.graph.get(key.asset_key).partitions_def

        @dg.asset_check(name=key.name, asset=key.asset_key, blocking=True, partitions_def=partitions)
        def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=(key.asset_key.to_user_string(), context.partition_key) not in self.empty)

        return check
