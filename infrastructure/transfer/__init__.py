"""Old progress files, and what else comes in from elsewhere."""
