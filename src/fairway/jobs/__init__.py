"""Work that is done later: jobs under leases, ticks of a clock, webhooks to others."""
