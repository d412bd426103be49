"""Where events are kept: the mapper, the stores, leases."""
