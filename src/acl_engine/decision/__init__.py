"""PDP: a pure function of request, facts and policy to decision, scope and explanation."""

from acl_engine.decision.compiled import CompiledPolicy
from acl_engine.decision.pack_decider import PackDecider

__all__ = ["CompiledPolicy", "PackDecider"]
