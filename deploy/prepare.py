"""What has to be there before anything runs: cluster.yaml of the project, the bucket, and the instance's settings."""

import os
import shutil
from pathlib import Path

import boto3
import yaml

from am_assets.orchestration.instance import prepare_environment

project = Path(os.environ["AM_DATA"])
file = project / "cluster.yaml"
if not file.exists():
    shutil.copyfile(Path(__file__).with_name("cluster.yaml"), file)
cluster = yaml.safe_load(file.read_text()) or {}
if "endpoint" in cluster:
    client = boto3.client("s3", endpoint_url=cluster["endpoint"], region_name="us-east-1")
    bucket = cluster["store"].removeprefix("s3://").partition("/")[0]
    if bucket not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=bucket)
prepare_environment(Path(os.environ["DAGSTER_HOME"]))
print(f"{project} is ready")
