"""From files and arrays to pictures and labels in memory."""
