"""PDP: a pure function of request, facts and policy to decision, scope and explanation."""
