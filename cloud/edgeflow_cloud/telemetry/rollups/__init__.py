"""Rollups: counts, sums, lows and highs of samples by minute, hour and day, exact also after late samples."""
