"""`partner-jobs`: the jobs, and other programs, which need no engine, by their names."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from pathlib import Path

from pipeline import __version__
from transforms.text import near_names

HERE = Path(__file__).parent
SERVICES = {
    "lookup": ("services.lookup.main", "Asks for car parks in the output of carparks."),
    "availability": ("services.availability", "Saves an answer of the car parks' availability API."),
    "tables": ("pipeline.publish.iceberg.reader", "Reads the tables of an Iceberg catalog as a run left them."),
    "api": ("services.api.app", "Serves people, restaurants and car parks over HTTP."),
}


def jobs() -> dict[str, str]:
    """The jobs, each with the first line of its file; nothing is imported."""
    names = [module.name for module in pkgutil.iter_modules([str(HERE)]) if not module.name.startswith("_")]
    texts = {name: (HERE / f"{name}.py").read_text(encoding="utf-8") for name in names}
    return {name: (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0] for name, text in texts.items()}


def listing() -> str:
    """What there is, and how it is started."""
    known = {**jobs(), **{name: text for name, (_, text) in SERVICES.items()}}
    lines = [f"  {name:16} {text}" for name, text in known.items()]
    return "\n".join(["usage: partner-jobs NAME [options]    (partner-jobs NAME --help lists them)", "", *lines])


def main() -> int:
    """Runs what the first argument names with the other arguments; without one, lists the names."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(listing())
        return 0
    if name == "--version":
        print(f"partner-jobs {__version__}")
        return 0
    # What follows shows how it was started, and reads its arguments there.
    sys.argv = [f"partner-jobs {name}", *arguments]
    if name in SERVICES:
        try:
            code: int = importlib.import_module(SERVICES[name][0]).main()
        except ModuleNotFoundError as error:
            print(f"partner-jobs {name}: {error}; it is not part of this environment", file=sys.stderr)
            return 2
        return code
    known = jobs()
    if name not in known:
        near = near_names(name, [*known, *SERVICES], 1)
        hint = f"did you mean {near[0]}? " if near else ""
        print(f"partner-jobs: there is no {name}; {hint}partner-jobs lists all", file=sys.stderr)
        return 2
    importlib.import_module(f"jobs.{name}").JOB.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
