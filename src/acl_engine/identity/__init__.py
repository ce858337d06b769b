"""IdP: accounts, passwords, second factors, devices and sessions."""
