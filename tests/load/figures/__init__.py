"""One file a figure, or a few that one load yields."""
