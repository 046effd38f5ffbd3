"""The Lambda functions start quickly and from small packages: they load no Spark, Arrow, numpy or pandas."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tools.cloud_package import API, ARRIVALS, sources

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
