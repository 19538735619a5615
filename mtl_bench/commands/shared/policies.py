"""The policies of `conf/policy`, by name."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.utils import instantiate
from omegaconf import OmegaConf

from mtl_bench.analysis.recommend.policies.base import Policy
from mtl_bench.config.mistakes.messages import did_you_mean
from mtl_bench.config.tasks import conf_folder, options
from mtl_bench.errors import UserError

DEFAULT = "value"


def policies(names: Sequence[str] | None = None) -> dict[str, Policy]:
    """Return policies with the options of their yaml.

    Args:
        names: None for all.

    Raises:
        UserError: there is no policy of a name.
    """
    possible = options("policy")
    for name in names or ():
        if name not in possible:
            raise UserError(
                f"policy: there is no '{name}'.{did_you_mean(name, possible)}\n"
                f"Possible: {', '.join(possible)}."
            )
    folder = conf_folder() / "policy"
    return {
        name: instantiate(OmegaConf.load(folder / f"{name}.yaml"), _convert_="all")
        for name in names or possible
    }
