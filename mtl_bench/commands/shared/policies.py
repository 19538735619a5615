"""The policies of `conf/policy`, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mtl_bench.analysis.recommend.policies.base import Policy
from mtl_bench.config.mistakes.messages import did_you_mean
from mtl_bench.config.mistakes.options import check_group
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
    return {name: policy_of(OmegaConf.load(folder / f"{name}.yaml")) for name in names or possible}


def policy_of(node: Any) -> Policy:
    """Return a policy with the options of a node of the configuration.

    Raises:
        UserError: an option is not what is allowed.
    """
    plain: Any = OmegaConf.to_container(node, resolve=True)
    check_group("policy", plain)
    try:
        policy: Policy = instantiate(plain, _convert_="all")
    except InstantiationException as error:
        given = " ".join(f"policy.{k}={v}" for k, v in plain.items() if k[0] != "_")
        raise UserError(f"policy: {error.__cause__ or error}\nGiven: {given}") from None
    return policy
