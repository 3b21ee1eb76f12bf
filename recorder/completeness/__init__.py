"""Every call from outside is recorded, or not for a reason: compared with the PBX (RG.13)."""
