"""Schema migrations, shipped inside the package.

A change of `tables.py` comes with one: `python tools/new_migration.py "why"` writes the next
numbered file from the difference. Read it before committing; a test fails while the two differ.
"""
