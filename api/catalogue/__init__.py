"""What each refusal is called in people's words: one file per room, `PROBLEMS` in each."""
