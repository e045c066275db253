"""An organization's end and what may come before: suspension, deletion with a grace time, restoration, export."""
