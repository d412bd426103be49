"""What resumelog costs, as ratios to a peer or to the physical limit measured in the same run."""
