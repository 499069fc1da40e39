"""Storage: databases, the spine tables, units of work, outbox, inbox, quarantine, relay."""
