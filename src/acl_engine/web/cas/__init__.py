"""CAS 3.0 over HTTP: the protocol's addresses below /cas."""
