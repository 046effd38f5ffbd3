"""`make s3-demo`: the restaurants job from and to S3, on a stand-in that this starts and ends (moto, 127.0.0.1).

Uploads the sample, runs the job with s3:// paths, lists what it left and puts a copy of it under out/s3-demo.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.support.servers import moto_server
from tools.run_jobs import ROOT

FILES = {"--restaurants": "pages.json", "--country-codes": "country_codes.csv"}


def main() -> int:
    """Runs the demonstration; returns the job's exit code."""
    target = ROOT / "out" / "s3-demo"
    shutil.rmtree(target, ignore_errors=True)
    with moto_server() as aws:
        s3 = aws.client("s3")
        for bucket in ("incoming", "results"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        arguments = []
        for option, file in FILES.items():
            s3.upload_file(str(ROOT / "data" / "restaurants" / file), "incoming", f"restaurants/{file}")
            arguments += [option, f"s3://incoming/restaurants/{file}"]
        arguments += ["--destination", "s3://results/restaurants"]
        print(f"S3 is {aws.url}\n$ python jobs/restaurants.py {' '.join(arguments)}", flush=True)
        environment = {**os.environ, **aws.environment}
        command = [sys.executable, "jobs/restaurants.py", *arguments]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        print()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="results"):
            for found in page.get("Contents", []):
                print(f"s3://results/{found['Key']}  {found['Size']} bytes")
                copy = target / found["Key"].removeprefix("restaurants/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file("results", found["Key"], str(copy))
    print(f"a copy of it: {target.relative_to(ROOT)}/")
    return code


if __name__ == "__main__":
    sys.exit(main())
