"""PEP: the one door. Every look at a customer's data walks the numbered line in lookup.py."""
