"""One file a schema version; the number is the version."""
