"""The README of every Terraform module: the comment that begins it, its example, tables of its inputs and outputs.

    python -m tools.module_docs

It reads what `terraform fmt` leaves: a block ends at the first closing brace without indentation.
"""

from __future__ import annotations

import pathlib
import re

from tools.package import ROOT

MODULES = ROOT / "terraform" / "modules"


def blocks(text: str, kind: str) -> dict[str, str]:
    """The bodies of all blocks of a kind (`variable`, `output`) by name."""
    return dict(re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', text, re.DOTALL | re.MULTILINE))


def attribute(body: str, name: str) -> str:
    """An attribute's text in one line, empty when it is not there; of quoted text what is in the quotes."""
    found = re.search(rf"^  {name} += (.*?)(?=^  \w|\Z)", body, re.DOTALL | re.MULTILINE)
    text = " ".join(found.group(1).split()) if found else ""
    return text.removeprefix('"').removesuffix('"').replace('\\"', '"') if name == "description" else text


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def readme(folder: pathlib.Path) -> str:
    """What the module's README should be."""
    main = (folder / "main.tf").read_text(encoding="utf-8")
    purpose = main.splitlines()[0].removeprefix("# ")
    inputs = blocks((folder / "variables.tf").read_text(encoding="utf-8"), "variable")
    outputs = blocks((folder / "outputs.tf").read_text(encoding="utf-8"), "output")
    given = {name: attribute(body, "default") for name, body in inputs.items()}
    example = (folder / "example" / "main.tf").read_text(encoding="utf-8").rstrip()
    lines = [f"# {folder.name}", "", purpose, "", "```hcl", example, "```", ""]
    lines += ["| input | what | type | default |", "|---|---|---|---|"]
    for name, body in sorted(inputs.items(), key=lambda item: bool(given[item[0]])):
        default = f"`{given[name]}`" if given[name] else "required"
        lines.append(row(f"`{name}`", attribute(body, "description"), f"`{attribute(body, 'type')}`", default))
    lines += ["", "| output | what |", "|---|---|"]
    lines += [row(f"`{name}`", attribute(body, "description")) for name, body in outputs.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes them all."""
    for folder in sorted(MODULES.iterdir()):
        (folder / "README.md").write_text(readme(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
