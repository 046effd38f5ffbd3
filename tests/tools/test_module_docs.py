"""Every Terraform module tells its inputs and outputs, and its example is one that the tests plan."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tools.module_docs import MODULES, readme

NAMES = sorted(folder.name for folder in MODULES.iterdir())
VARIABLES = """variable "name" {
  description = "Name; \\"x|y\\" is one."
  type        = string
}

variable "sizes" {
  description = "Sizes by name."
  type = map(object({
    workers = optional(number)
  }))
  default = {}

  validation {
    condition     = length(var.sizes) < 9
    error_message = "too many."
  }
}
"""
EXPECTED = """# shelf

One shelf.

```hcl
module "shelf" {
  source = "../"
}
```

| input | what | type | default |
|---|---|---|---|
| `name` | Name; "x\\|y" is one. | `string` | required |
| `sizes` | Sizes by name. | `map(object({ workers = optional(number) }))` | `{}` |

| output | what |
|---|---|
| `arn` | Its ARN. |
"""


def test_a_readme_is_the_purpose_the_example_and_the_tables(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    (folder / "example").mkdir(parents=True)
    (folder / "main.tf").write_text("# One shelf.\n\nlocals {\n}\n")
    (folder / "example/main.tf").write_text('module "shelf" {\n  source = "../"\n}\n')
    (folder / "variables.tf").write_text(VARIABLES)
    (folder / "outputs.tf").write_text('output "arn" {\n  description = "Its ARN."\n  value       = local.arn\n}\n')
    assert readme(folder) == EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_module_s_readme_is_up_to_date_otherwise_run_tools_module_docs(name: str) -> None:
    text = (MODULES / name / "README.md").read_text(encoding="utf-8")
    assert text == readme(MODULES / name)
    for file, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        source = (MODULES / name / file).read_text(encoding="utf-8")
        declared = re.findall(rf'^{kind} "(\w+)"', source, re.MULTILINE)
        assert [one for one in declared if f"| `{one}` | " not in text] == []
        assert source.count("description =") == len(declared), "an input or output without a description"


def test_every_example_is_planned() -> None:
    planned = (ROOT / "terraform/tests/examples.tftest.hcl").read_text(encoding="utf-8")
    assert re.findall(r'source = "./modules/([a-z-]+)/example"', planned) == NAMES
