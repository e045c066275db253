"""Node types of this group; each module is imported when a flow first uses one of its types."""
