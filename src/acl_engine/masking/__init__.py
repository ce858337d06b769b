"""Obligation handling: what is shown of a value, and how strong what is hidden stays.

`record.view` turns a record and a decision into what may leave; `mask.mask` masks one value.
"""

from acl_engine.masking.mask import mask
from acl_engine.masking.record import view

__all__ = ["mask", "view"]
