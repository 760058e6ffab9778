"""The mechanisms, one a file, and ``tap``, the named identity that makes their maps visible."""
