"""`python -m acl_engine` is the `acl` command."""

from acl_engine.cli import main

if __name__ == "__main__":
    main()
