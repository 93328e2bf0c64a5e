"""What a sync changes in this room: use counted from accounts (`adoption`), and a spreadsheet judged (`sheet`)."""
