//! Audit: every event, kept for good.
