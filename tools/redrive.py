"""Starts a set again, or handles a file again: `make redrive SET=customer_orders/20240229` or `make redrive KEY=...`.

The function's name comes from `terraform output`, or from FUNCTION=. Credentials are the usual ones of AWS.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys

import boto3

TERRAFORM = pathlib.Path(__file__).resolve().parents[1] / "terraform"


def function_name() -> str:
    """The arrivals function of the environment that terraform/ is set to."""
    command = ["terraform", f"-chdir={TERRAFORM}", "output", "-raw", "arrivals_function"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            "terraform output has no function: run terraform init for the environment, or give FUNCTION=NAME"
        )
    return done.stdout.strip()


def main() -> int:
    """The command line: exit code 0 when the function did it, 1 with its message when not."""
    parser = argparse.ArgumentParser(description="Starts a set again, or handles a file again.", allow_abbrev=False)
    parser.add_argument(
        "what", choices=("set", "key"), help="a set NAME/DAY to start again, or a file in the source bucket to handle"
    )
    parser.add_argument("value", help="customer_orders/20240229, or the file's key")
    parser.add_argument(
        "--function", help="name of the arrivals function; default: FUNCTION, else what terraform output says"
    )
    chosen = parser.parse_args()
    if not chosen.value:
        parser.error("give SET=NAME/DAY or KEY=...")
    name = chosen.function or os.environ.get("FUNCTION") or function_name()
    payload = {"redrive": chosen.value} if chosen.what == "set" else {"arrived": chosen.value}
    answer = boto3.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload))
    outcome = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        print(f"redrive: {outcome.get('errorMessage', outcome)}", file=sys.stderr)
        return 1
    print(outcome["done"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
