"""What is true: rules, events, aggregates. No I/O and no clock."""
