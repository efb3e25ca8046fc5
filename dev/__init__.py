"""What developers run: the stack (`up`), the sample chain and the tour."""
