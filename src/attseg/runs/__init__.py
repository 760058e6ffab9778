"""The run folder: its files, the log, and the states that a run goes on from."""
