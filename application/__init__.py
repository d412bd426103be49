"""What can be asked: services over one event log, and reads."""
