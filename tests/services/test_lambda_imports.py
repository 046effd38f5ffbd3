"""The Lambda functions start quickly, from small packages that hold all they import: no Spark, Arrow, numpy, pandas."""

from __future__ import annotations

import importlib.metadata
import pathlib
import subprocess
import sys

import pytest

from tests.support.bare import ON_LAMBDA
from tools.cloud_package import API, ARRIVALS, requirements, sources

HEAVY = {"pyspark", "pyarrow", "numpy", "pandas"}


def loaded_modules(module: str, patterns: tuple[str, ...], folder: pathlib.Path) -> set[str]:
    """The modules that are loaded after an import from nothing but the files of the package."""
    for name, content in sources(patterns).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    others = [path for path in sys.path if path.endswith("site-packages")]
    code = f"import sys; sys.path[:0] = {[str(folder), *others]}; import {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "patterns"),
    [("services.arrivals.function", ARRIVALS), ("services.api.app", API)],
    ids=["arrivals", "read API"],
)
def test_a_lambda_function_imports_from_its_package_without_heavy_libraries(
    module: str, patterns: tuple[str, ...], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    loaded = loaded_modules(module, patterns, tmp_path)
    assert module in loaded
    assert loaded & HEAVY == set()


def test_the_read_api_imports_nothing_that_neither_its_package_nor_lambda_brings(tmp_path: pathlib.Path) -> None:
    owners = importlib.metadata.packages_distributions()
    tops = {name.partition(".")[0] for name in loaded_modules("services.api.app", API, tmp_path)}
    # Loaded when a cache is configured.
    tops |= {name.partition(".")[0] for name in loaded_modules("valkey", API, tmp_path)}
    used = {owner.lower().replace("_", "-") for top in tops for owner in owners.get(top, ())}
    pins = {pin.partition("==")[0].lower().replace("_", "-") for group in requirements("api").values() for pin in group}
    assert {"fastapi", "psycopg", "mangum", "valkey"} <= used
    # botocore takes certifi where it is there, else its own certificates; urllib3 reads zstd where it can, and valkey
    # checks OCSP, which nobody asks it for.
    assert used - pins - set(ON_LAMBDA) - {"certifi", "zstandard", "cryptography"} == set()
