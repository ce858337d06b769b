"""Vocabulary: the frozen value types, enums, ports and errors that every room speaks in.

Only the standard library is imported here. Nothing does I/O, reads a clock or holds state.
`personal.py`, the unmasked record, is protected: `setup.cfg` names who may import it.
"""
