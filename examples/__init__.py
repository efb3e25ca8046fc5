"""Small programs from the documents, to read and to copy from."""
