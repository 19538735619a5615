"""How the runs of a report were made, from their records."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import OmegaConf

from mtl_bench.report.page import Origin
from mtl_bench.runs.duration import duration
from mtl_bench.runs.sweep_folder import RunStatus

PUBLISHED = Origin(
    {
        "runs": "10 single and 45 pair runs, one seed each, released by Bingel and Søgaard (2017)",
        "paper": "https://aclanthology.org/E17-2026/",
        "schedule": "50,000 steps single, 100,000 pair; evaluated on the test split",
    }
)


def origin_of(statuses: Sequence[RunStatus]) -> Origin:
    """Return how some runs were made; of none, how the paper's were."""
    if not statuses:
        return PUBLISHED
    records = [s.record for s in statuses if s.record and s.record.status == "finished"]
    # The versions and the configuration are those of one run; commits and hosts are of all.
    first = records[0]
    seconds = sum(float(record.timings.get("train_seconds") or 0) for record in records)
    steps = sum(record.steps_done for record in records)
    budgets = sorted({record.budget for record in records})
    hosts = {f"{record.host.get('name')} ({record.host.get('machine')})" for record in records}
    facts = {
        "runs": f"{len(records)} finished, {len(statuses) - len(records)} not",
        "seeds": ", ".join(str(seed) for seed in sorted({record.seed for record in records})),
        "budget": f"{' or '.join(f'{budget:,.6g}' for budget in budgets)} steps per task",
        "steps": f"{steps:,} in all, {steps / max(seconds, 1e-9):,.0f} a second and process",
        "training time": f"{duration(seconds)}, all processes together",
        "machines": ", ".join(sorted(hosts)),
        "versions": ", ".join(f"{name} {version}" for name, version in first.versions.items()),
        "commit": ", ".join(sorted({record.git_commit or "not known" for record in records})),
    }
    return Origin(facts, OmegaConf.to_yaml(OmegaConf.create(first.config)))
