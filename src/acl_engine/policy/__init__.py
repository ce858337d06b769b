"""PAP / PRP: the strict reader of casbin models, policies and packs, the checker, the compiler."""
