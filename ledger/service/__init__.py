"""How the verbs of the books are done."""
