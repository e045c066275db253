"""Why a device is as it is, said by the subsystems that know."""
