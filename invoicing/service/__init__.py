"""How the verbs are done."""
