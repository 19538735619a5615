"""The `mtl-bench` command, or `python -m mtl_bench`: train, and look at what was trained."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pkgutil import iter_modules

from mtl_bench import commands
from mtl_bench.commands import train
from mtl_bench.commands.shared.streams import replace_what_cannot_be_printed
from mtl_bench.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Before argparse, which would answer Hydra's own -h, and refuse its -m.
    if arguments[:1] == ["train"]:
        train.run_hydra(arguments[1:])
        return 0
    replace_what_cannot_be_printed()
    parser = argparse.ArgumentParser("mtl-bench", description=__doc__)
    parser.add_argument("--version", action="version", version=f"mtl-bench {version('mtl_bench')}")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    names = sorted(m.name for m in iter_modules(commands.__path__) if not m.ispkg)
    # Only what is asked for is imported: all commands together take a second.
    for name in [name for name in names if name in arguments[:1]] or names:
        command = import_module(f"mtl_bench.commands.{name}")
        subparser = subparsers.add_parser(name, help=command.HELP, description=command.__doc__)
        command.add(subparser)
        subparser.set_defaults(run=getattr(command, "run", None))
    try:
        namespace, rest = parser.parse_known_args(arguments)
        if rest:  # argparse takes a list of overrides in one place only
            if "overrides" not in namespace or not all(
                "=" in each and each[0] != "-" for each in rest
            ):
                wrong = [each for each in rest if "=" not in each or each[0] == "-"] or rest
                parser.error(f"unrecognized arguments: {' '.join(wrong)}")
            namespace.overrides += rest
        return namespace.run(namespace) or 0
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (else Python complains while it ends)
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        print(f"\n{error.filename}: {error.strerror}.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
