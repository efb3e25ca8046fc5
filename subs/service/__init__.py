"""How the verbs of the room are done."""
