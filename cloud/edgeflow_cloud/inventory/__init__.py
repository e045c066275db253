"""The inventory: the registry as a CSV file, to be changed in a spreadsheet and read in again.

Owns no table. Promises: what `GET /devices/export` wrote, `POST /devices/import` reads as unchanged; each line goes
through or is refused for itself, with a sentence, and a dry run says which, beforehand; a line is never guessed at.
Does not do: devices that bring themselves in (`provisioning`), or deleting devices.
"""
