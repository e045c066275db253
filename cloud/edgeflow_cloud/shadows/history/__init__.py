"""What a shadow was: each accepted update with who and when, the document as it was, differences, and the way back."""
