"""Whether the data of a sweep's tasks is on this machine; what can be downloaded is, first."""

from __future__ import annotations

from mtl_bench.config.schema import RunConfig
from mtl_bench.errors import UserError
from mtl_bench.tasks.definition import data_folder, is_here


def find_data(config: RunConfig, missing: dict[str, str], to_download: list[str]) -> set[str]:
    """Note tasks whose data is not here; return those that are skipped.

    Args:
        config: of a run with all tasks.
        missing: to which tasks and how to get their data are added.
        to_download: to which tasks are added that a dry run does not download.

    Raises:
        UserError: data is missing, and runs without it are not to be left out.
    """
    absent: dict[str, str] = {}
    for name, task in sorted(config.tasks.items()):
        if is_here(task):
            continue
        if task.sources and config.dry_run:
            to_download += [name] * (name not in to_download)
            continue
        try:
            data_folder(task)  # now, by one process, and not in the middle of the sweep
        except UserError as error:
            absent[name] = str(error)
    missing |= absent
    if absent and not config.skip_missing and not config.dry_run:
        how = "\n\n".join(f"{name}: {reason}" for name, reason in absent.items())
        raise UserError(
            f"the data of {', '.join(absent)} is missing:\n\n{how}\n\n"
            "Get it, or leave out all runs with these tasks: skip_missing=true."
        )
    return set(absent)
