"""Studies of trained models: from a model and a corpus to numbers. Nothing here reads or writes a file."""
