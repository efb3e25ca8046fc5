"""How the room's verbs are done, one file each."""
