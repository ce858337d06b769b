"""Runs of scenarios, each on a fresh copy of the world."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acl_engine.replay.ablation import Derived
from acl_engine.replay.goal import Reached, reached
from acl_engine.replay.run import Assumed, Run, Runner
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.stage import Stage
from acl_engine.replay.templates import Templates
from acl_engine.replay.transport import Serve
from acl_engine.replay.world.truth import Truth


@dataclass(frozen=True)
class Runs:
    """`templates` are the world with weak (True) and with strong secrets; `serve` answers raw HTTP
    steps."""

    templates: Templates
    truth: Truth
    serve: Serve | None = None

    def run(self, scenario: Scenario, derived: Derived, assumed: Assumed | None = None) -> Run:
        """One run under a pack. `assumed` hands over what each step taught elsewhere."""
        with self._stage(scenario, derived) as stage:
            return Runner(scenario, stage, assumed).run()

    def reached(self, scenario: Scenario, run: Run) -> Reached:
        return reached(scenario, run, self.truth)

    @contextmanager
    def _stage(self, scenario: Scenario, derived: Derived) -> Iterator[Stage]:
        """A stage of one run; on disk where files and processes are to fail."""
        faults = any(step.fault for step in scenario.steps)
        with tempfile.TemporaryDirectory(prefix="acl-stage-") as folder:
            stage = Stage.open(
                self.templates[derived.weak],
                derived.pack,
                self.truth,
                weak=derived.weak,
                off=derived.components,
                at=scenario.world.at,
                folder=Path(folder) if faults else None,
                serve=self.serve,
                decider=derived.decider,
            )
            try:
                yield stage
            finally:
                stage.close()
