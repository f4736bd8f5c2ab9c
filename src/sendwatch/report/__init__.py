"""What people read: explanations, the catalogue, later reports. Nothing here decides anything."""
