"""Public data sets from their servers to a folder: fetched, checked, unpacked, put in place."""
