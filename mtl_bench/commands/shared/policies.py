"""The policies of `conf/policy`, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.errors import InstantiationException
from omegaconf import OmegaConf

from mtl_bench.analysis.recommend.policies.base import Policy
from mtl_bench.config.mistakes.messages import did_you_mean
from mtl_bench.config.mistakes.options import check_group
from mtl_bench.config.tasks import conf_folder, options
from mtl_bench.errors import UserError
from mtl_bench.trust import make

DEFAULT = "value"


def policies(names: Sequence[str] | None = None) -> dict[str, Policy]:
    """Return policies with the options of their yaml.

    Args:
        names: None for all.

    Raises:
        UserError: there is no policy of a name.
    """
    return {name: make_policy(name) for name in names or options("policy")}


def make_policy(name: str, values: Mapping[str, Any] | None = None) -> Policy:
    """Return a policy.

    Args:
        name: of its yaml.
        values: options that replace those of the yaml.

    Raises:
        UserError: there is no such policy, or an option is not what is allowed.
    """
    possible = options("policy")
    if name not in possible:
        raise UserError(
            f"policy: there is no '{name}'.{did_you_mean(str(name), possible)}\n"
            f"Possible: {', '.join(possible)}."
        )
    node: Any = OmegaConf.to_container(OmegaConf.load(conf_folder() / "policy" / f"{name}.yaml"))
    node |= values or {}
    check_group("policy", node)
    try:
        policy: Policy = make(node, "policy._target_", _convert_="all")
    except InstantiationException as error:
        given = " ".join(f"policy.{k}={v}" for k, v in node.items() if k[0] != "_")
        raise UserError(f"policy: {error.__cause__ or error}\nGiven: {given}") from None
    return policy
