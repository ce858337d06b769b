"""Attack simulation: worlds, scenarios, what attackers know, verdicts, ablation and reports."""
