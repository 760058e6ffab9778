"""Looking at a data set before it is trained on: every problem named, and a sheet of samples."""
