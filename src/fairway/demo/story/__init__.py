"""What the demo company is: plain values, no database and no clock. All of it is invented."""
