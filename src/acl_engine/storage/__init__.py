"""PIP: tables, migrations and the adapters behind the ports. Only this room speaks SQLAlchemy."""
