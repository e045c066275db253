"""Groups of devices, fixed and dynamic."""
