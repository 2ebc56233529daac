"""Where the melodies come from, one file a source: what it is, where it is found, how it is read."""
