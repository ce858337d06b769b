"""The synthetic company: made from a seed, and the truth that verdicts are checked against."""
